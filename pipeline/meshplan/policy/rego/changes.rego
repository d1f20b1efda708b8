# METADATA
# title: Changes of a repository
# description: |
#   `data.inventory_before` is the inventory of the base, in the layout of `data.inventory`.
package lib.meshplan_changes

import data.lib.meshplan as mp

old_objects(group, kind) := namespaced | cluster if {
	namespaced := {o |
		some versions in data.inventory_before.namespace
		some version, kinds in versions
		mp.group_of(version, kind) == group
		some o in object.get(kinds, kind, {})
	}
	cluster := {o |
		some version, kinds in data.inventory_before.cluster
		mp.group_of(version, kind) == group
		some o in object.get(kinds, kind, {})
	}
}

name(o) := [mp.text(o, ["metadata", "namespace"], ""), mp.text(o, ["metadata", "name"], "")]

# what has changed: the old object and the new one, null where there is none
changes(group, kind) := {[old, new] |
	olds := {name(o): o | some o in old_objects(group, kind)}
	news := {name(o): o | some o in mp.objects(group, kind)}
	some n in (object.keys(olds) | object.keys(news))
	old := object.get(olds, [n], null)
	new := object.get(news, [n], null)
	old != new
}
