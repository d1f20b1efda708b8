# METADATA
# title: What compiled rules need at run time
# description: |
#   Total readers: absent, null and wrongly typed values read as no value (null, the default of the
#   API, an empty list, an empty object), so that no generated expression is ever undefined.
package lib.meshplan

raw(o, k) := object.get(o, k, null) if {
	is_object(o)
} else := null

as_text(v) := v if {
	is_string(v)
} else := null

as_whole(v) := floor(v) if {
	is_number(v)
	abs(v) < 9007199254740992
	v == floor(v)
} else := null

as_number(v) := v if {
	is_number(v)
	abs(v) < 9007199254740992
} else := null

as_truth(v) := v if {
	is_boolean(v)
} else := null

as_quantity(v) := v if {
	is_string(v)
} else := sprintf("%d", [n]) if {
	n := as_whole(v)
	n != null
} else := json.marshal(v) if {
	as_number(v) != null
	abs(v) >= 0.0001
} else := null

as_message(v) := v if {
	is_object(v)
} else := null

default_to(v, d) := d if {
	v == null
} else := v

text(o, k, d) := default_to(as_text(raw(o, k)), d)

whole(o, k, d) := default_to(as_whole(raw(o, k)), d)

number(o, k, d) := default_to(as_number(raw(o, k)), d)

truth(o, k, d) := default_to(as_truth(raw(o, k)), d)

quantity(o, k, d) := default_to(as_quantity(raw(o, k)), d)

message(o, k) := as_message(raw(o, k))

# a list as it is written, whatever its items
list(o, k) := v if {
	v := raw(o, k)
	is_array(v)
} else := []

# an object as it is written, whatever its values
table(o, k) := v if {
	v := raw(o, k)
	is_object(v)
} else := {}

text_list(o, k) := [x | some v in list(o, k); x := as_text(v); x != null]

whole_list(o, k) := [x | some v in list(o, k); x := as_whole(v); x != null]

number_list(o, k) := [x | some v in list(o, k); x := as_number(v); x != null]

truth_list(o, k) := [x | some v in list(o, k); x := as_truth(v); x != null]

quantity_list(o, k) := [x | some v in list(o, k); x := as_quantity(v); x != null]

message_list(o, k) := [x | some v in list(o, k); x := as_message(v); x != null]

text_table(o, k) := {n: x | some n, v in table(o, k); x := as_text(v); x != null}

whole_table(o, k) := {n: x | some n, v in table(o, k); x := as_whole(v); x != null}

number_table(o, k) := {n: x | some n, v in table(o, k); x := as_number(v); x != null}

truth_table(o, k) := {n: x | some n, v in table(o, k); x := as_truth(v); x != null}

quantity_table(o, k) := {n: x | some n, v in table(o, k); x := as_quantity(v); x != null}

message_table(o, k) := {n: x | some n, v in table(o, k); x := as_message(v); x != null}

nothing := {null, false, 0, "", [], {}, set()}

is_true(v) if not v in nothing

either(a, b) := a if {
	is_true(a)
} else := b

either_message(a, b) := a if {
	is_object(a)
} else := b

# objects in the layout of Gatekeeper's inventory, whatever their API version
objects(group, kind) := namespaced | cluster if {
	namespaced := {o |
		some versions in data.inventory.namespace
		some version, kinds in versions
		group_of(version, kind) == group
		some o in object.get(kinds, kind, {})
	}
	cluster := {o |
		some version, kinds in data.inventory.cluster
		group_of(version, kind) == group
		some o in object.get(kinds, kind, {})
	}
}

everything := namespaced | cluster if {
	namespaced := {o |
		some versions in data.inventory.namespace
		some kinds in versions
		some named in kinds
		some o in named
	}
	cluster := {o |
		some kinds in data.inventory.cluster
		some named in kinds
		some o in named
	}
}

# the group by which objects are known, whatever group an old API had them in
group_of(version, kind) := object.get(homes, [group, kind], group) if {
	group := written_group(version)
}

written_group(version) := split(version, "/")[0] if {
	contains(version, "/")
} else := ""

homes := {
	"events.k8s.io": {"Event": ""},
	"extensions": {
		"DaemonSet": "apps",
		"Deployment": "apps",
		"Ingress": "networking.k8s.io",
		"NetworkPolicy": "networking.k8s.io",
		"PodSecurityPolicy": "policy",
		"ReplicaSet": "apps",
	},
}

is_kind(o, group, kind) if {
	text(o, "kind", "") == kind
	group_of(text(o, "apiVersion", ""), kind) == group
}

id_of(o) := {
	"apiVersion": text(o, "apiVersion", ""),
	"kind": text(o, "kind", ""),
	"namespace": text(o, ["metadata", "namespace"], ""),
	"name": text(o, ["metadata", "name"], ""),
}

# on DELETE Gatekeeper copies the old object into `object`: there is no new one
new_of(review) := null if {
	object.get(review, "operation", "") == "DELETE"
} else := object.get(review, "object", null)

old_of(review) := object.get(review, "oldObject", null)

operation(new, old) := "CREATE" if {
	old == null
} else := "DELETE" if {
	new == null
} else := "UPDATE"

default given := {}

given := input

# what a constraint says, or what a run over a repository says of the rule
parameters(id, defaults) := object.union_n([
	defaults,
	object.get(given, ["rules", id], {}),
	object.get(given, "parameters", {}),
])

# ASCII letters alone, like the native evaluator
lower(s) := concat("", [object.get(lower_case, c, c) | some c in split(s, "")])

upper(s) := concat("", [object.get(upper_case, c, c) | some c in split(s, "")])

capitals := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

smalls := "abcdefghijklmnopqrstuvwxyz"

lower_case := {c: substring(smalls, i, 1) | some i, c in split(capitals, "")}

upper_case := {c: substring(capitals, i, 1) | some i, c in split(smalls, "")}

fqdn(host, namespace) := host if {
	is_full(host)
} else := sprintf("%s.%s.svc.cluster.local", [host, namespace])

is_full(host) if startswith(host, "*")

is_full(host) if contains(host, ".")

host_matches("*", _)

host_matches(pattern, host) if pattern == host

host_matches(pattern, host) if {
	startswith(pattern, "*")
	endswith(host, substring(pattern, 1, -1))
}

image_ref(image) := {
	"registry": registry,
	"repository": concat("", [folder, split(last, ":")[0]]),
	"tag": after(last, ":"),
	"digest": after(image, "@"),
} if {
	name := split(image, "@")[0]
	registry := registry_of(name)
	path := path_of(name)
	last := regex.find_n("[^/]*$", path, -1)[0]
	folder := trim_suffix(path, last)
}

registry_of(name) := split(name, "/")[0] if {
	has_registry(name)
} else := "docker.io"

path_of(name) := substring(name, indexof(name, "/") + 1, -1) if {
	has_registry(name)
} else := name

has_registry(name) if regex.match("^[^/]*[.:][^/]*/", name)

has_registry(name) if startswith(name, "localhost/")

# what stands behind the first separator; null where there is nothing
after(text_, separator) := rest if {
	contains(text_, separator)
	rest := substring(text_, indexof(text_, separator) + 1, -1)
	rest != ""
} else := null

max_or(xs, d) := max(xs) if {
	count(xs) > 0
} else := d

min_or(xs, d) := min(xs) if {
	count(xs) > 0
} else := d

to_set(xs) := {x | some x in xs}

keys(o) := [k | some k, _ in o]

values(o) := [v | some _, v in o]

pairs(o) := [[k, v] | some k, v in o]

union_of(a, b) := a | b

intersection_of(a, b) := a & b

difference_of(a, b) := a - b

is_subset(a, b) if count(a - b) == 0

# The values that a rule reads and that do not have the type that the API gives them. An entry of
# `shape` is a path, cut at each loop, what each loop is over, and the type at its end.
faults(o, shape, prefix) := {fault |
	some entry in shape
	some [path, value] in expanded(o, entry.steps, entry.over)
	value != null
	not fits(value, entry.type)
	fault := {
		"msg": sprintf("%s should be %s, not %s", [written(path), wanted[entry.type], described(value)]),
		"details": {"path": array.concat(prefix, path)},
	}
}

expanded(o, steps, over) := level(o, steps[0], []) if {
	count(over) == 0
} else := expanded_1(o, steps, over) if {
	count(over) == 1
} else := expanded_2(o, steps, over) if {
	count(over) == 2
} else := expanded_3(o, steps, over) if {
	count(over) == 3
} else := expanded_4(o, steps, over) if {
	count(over) == 4
} else := expanded_5(o, steps, over) if {
	count(over) == 5
} else := expanded_6(o, steps, over)

expanded_1(o, steps, over) := {found |
	some [path, value] in level(o, steps[0], [])
	some found in each(value, path, over[0], steps[1])
}

expanded_2(o, steps, over) := {found |
	some [path, value] in expanded_1(o, steps, over)
	some found in each(value, path, over[1], steps[2])
}

expanded_3(o, steps, over) := {found |
	some [path, value] in expanded_2(o, steps, over)
	some found in each(value, path, over[2], steps[3])
}

expanded_4(o, steps, over) := {found |
	some [path, value] in expanded_3(o, steps, over)
	some found in each(value, path, over[3], steps[4])
}

expanded_5(o, steps, over) := {found |
	some [path, value] in expanded_4(o, steps, over)
	some found in each(value, path, over[4], steps[5])
}

expanded_6(o, steps, over) := {found |
	some [path, value] in expanded_5(o, steps, over)
	some found in each(value, path, over[5], steps[6])
}

# a set of one: the value at the end of some steps
level(o, steps, path) := {[array.concat(path, steps), raw(o, steps)]} if {
	count(steps) > 0
} else := {[path, o]}

each(value, path, "array", steps) := {found |
	is_array(value)
	some i, item in value
	some found in level(item, steps, array.concat(path, [i]))
}

each(value, path, "object", steps) := {found |
	is_object(value)
	some k, item in value
	some found in level(item, steps, array.concat(path, [k]))
}

wanted := {
	"text": "text",
	"whole": "a whole number",
	"number": "a number",
	"truth": "true or false",
	"quantity": "text or a number",
	"array": "a list",
	"object": "a mapping",
}

fits(v, "text") if is_string(v)

fits(v, "truth") if is_boolean(v)

fits(v, "array") if is_array(v)

fits(v, "object") if is_object(v)

fits(v, "whole") if as_whole(v) != null

fits(v, "number") if as_number(v) != null

fits(v, "quantity") if as_quantity(v) != null

described(v) := {
	"string": "text",
	"boolean": "true or false",
	"number": "a number",
	"array": "a list",
	"object": "a mapping",
}[type_name(v)]

written([]) := "this"

written(path) := trim_prefix(concat("", [step(s) | some s in path]), ".") if count(path) > 0

step(s) := concat("", [".", s]) if {
	is_string(s)
} else := sprintf("[%d]", [s])
