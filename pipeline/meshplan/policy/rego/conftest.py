"""The adapter through which conftest runs compiled rules.

conftest hands over one document at a time, or with `--combine` a list of `{path, contents}`. Rules
that look at other objects are run over such a list alone: of one document they would say that all
it refers to is missing.
"""

from collections.abc import Sequence

from meshplan.policy import program
from meshplan.policy.rego.body import rule as written_rule
from meshplan.policy.rego.module import package_of, rule_module
from meshplan.policy.rego.names import text

_HEAD = """\
# METADATA
# title: What conftest asks
# description: |
#   `conftest test FILES` asks about each document alone, `conftest test --combine FILES` about all
#   of them together. Rules that look at other objects say something in the second case only.
package main

import data.lib.meshplan as mp

documents contains {"path": "", "object": input} if {
	is_object(input)
	is_string(object.get(input, "kind", null))
}

documents contains {"path": document.path, "object": document.contents} if {
	is_array(input)
	some document in input
	is_string(object.get(as_object(document.contents), "kind", null))
}

as_object(value) := value if {
	is_object(value)
} else := {}

# the layout of Gatekeeper's inventory; what the innermost keys are does not matter
objects := {"cluster": {version: kinds |
	some [version, _] in groups
	kinds := {kind: named |
		some [other, kind] in groups
		other == version
		named := {json.marshal(document): document.object |
			some document in documents
			group(document.object) == [version, kind]
		}
	}
}}

groups := {group(document.object) | some document in documents}

group(object) := [mp.text(object, "apiVersion", ""), object.kind]

paths(id) := concat(", ", sort([document.path |
	some document in documents
	document.path != ""
	mp.id_of(document.object) == id
]))

name(id) := sprintf("%s/%s/%s", [id.kind, id.namespace, id.name]) if {
	id.namespace != ""
} else := sprintf("%s/%s", [id.kind, id.name])

place(id) := sprintf("%s: %s", [paths(id), name(id)]) if {
	paths(id) != ""
} else := name(id)

location(id) := {"_loc": {"file": paths(id)}} if {
	paths(id) != ""
} else := {}

result(rule, found) := object.union_n([
	{
		"msg": sprintf("%s: %s (%s)", [place(found.object), found.violation.msg, rule]),
		"rule": rule,
		"object": found.object,
	},
	found.violation.details,
	location(found.object),
])
"""


def rule_name(rule: program.Rule) -> str:
    """The name of a rule in conftest, by which an exception from it can be made."""
    prefix = "deny" if rule.level == "deny" else "warn"
    return f"{prefix}_{package_of(rule).removeprefix('meshplan.')}"


def adapter(rules: Sequence[program.Rule]) -> str:
    """The module `main` for rules that conftest can run."""
    parts = [_HEAD]
    for rule in sorted(rules, key=lambda r: r.id):
        lines = ["here := objects", "asked := {}"]
        if rule_module(rule).uses_mesh:
            lines.insert(0, "is_array(input)")
        entry = f"data.{package_of(rule)}.inventory"
        lines += [
            f"all := {entry} with input as asked with data.inventory as here",
            "some found in all",
        ]
        head = f"{rule_name(rule)} contains result({text(rule.id)}, found)"
        parts.append(written_rule(head, lines))
    return "\n".join(parts)
