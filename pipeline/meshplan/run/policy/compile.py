"""Rules for other engines, as files: Rego, a bundle for OPA, Gatekeeper's templates, conftest."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.kinds import kind_of
from meshplan.policy import ir, program
from meshplan.policy.catalog import catalog
from meshplan.policy.rego import library, rule_module
from meshplan.policy.rego.bundle import bundle, check_packages, modules
from meshplan.policy.rego.conftest import adapter
from meshplan.policy.rego.targets import (
    constraint,
    constraint_template,
    targets,
    template_kind,
)
from meshplan.policy.walk import everything
from meshplan.report.yamltext import to_yaml

#: Texts by the names of files.
Files = Mapping[str, str]
_NOTHING: Files = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Compiled:
    """Files to write, and the rules that are in none of them."""

    files: Mapping[str, bytes]
    #: Why, by the id of the rule.
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a rule runs."""

    rule: program.Rule
    #: By the name of the engine: "" where it runs, else why not.
    reasons: Mapping[str, str]
    #: What the engine has to be given for it, by its name.
    needs: Mapping[str, str]


def placed(rules: Sequence[program.Rule]) -> tuple[Placed, ...]:
    """Where rules run, and why they do not run elsewhere."""
    return tuple(_placed(rule) for rule in rules)


def compiled(
    rules: Sequence[program.Rule], to: str, data: Mapping[str, Any], tests: Files = _NOTHING
) -> Compiled:
    """Rules as files for one of `TO`. Raises UsageError for rules that cannot be together.

    `data` and `tests` go into a bundle, and beside Rego: see `rego.bundle` and `rego_tests`.
    """
    check_packages(rules)
    return _TO[to](rules, data, tests)


def _rego(rules: Sequence[program.Rule], data: Mapping[str, Any], tests: Files) -> Compiled:
    files = {name: text.encode() for name, text in {**modules(rules), **tests}.items()}
    if data:
        files["data.json"] = (json.dumps(data, sort_keys=True, indent=1) + "\n").encode()
    return Compiled(files, {})


def _bundle(rules: Sequence[program.Rule], data: Mapping[str, Any], tests: Files) -> Compiled:
    return Compiled({"bundle.tar.gz": bundle(rules, data, tests)}, {})


def _gatekeeper(rules: Sequence[program.Rule], *_: object) -> Compiled:
    left_out = dict(_left_out(rules, "gatekeeper"))
    files: dict[str, bytes] = {}
    kinds: set[tuple[str, str]] = set()
    runtime = library()["runtime.rego"]
    for rule in rules:
        if rule.id not in left_out:
            name = template_kind(rule).lower()
            template = constraint_template(rule, rule_module(rule), runtime)
            files[f"templates/{name}.yaml"] = to_yaml(template).encode()
            files[f"constraints/{name}.yaml"] = to_yaml(constraint(rule)).encode()
            kinds |= collections(rule)
    if kinds:
        files["syncset.yaml"] = to_yaml(_syncset(kinds)).encode()
    return Compiled(files, left_out)


def _conftest(rules: Sequence[program.Rule], *_: object) -> Compiled:
    left_out = dict(_left_out(rules, "conftest"))
    kept = [rule for rule in rules if rule.id not in left_out]
    files = {
        name: text.encode()
        for name, text in modules(kept).items()
        # What reads facts and changes, which conftest has not, and what reports to OPA.
        if name not in ("lib/facts.rego", "lib/changes.rego", "meshplan/findings.rego")
    }
    return Compiled({"main.rego": adapter(kept).encode(), **files}, left_out)


_TO: Mapping[str, Callable[[Sequence[program.Rule], Mapping[str, Any], Files], Compiled]] = {
    "rego": _rego,
    "bundle": _bundle,
    "gatekeeper": _gatekeeper,
    "conftest": _conftest,
}

#: What rules can be compiled to.
TO = tuple(_TO)


def collections(rule: program.Rule) -> set[tuple[str, str]]:
    """The groups and kinds of the objects that a rule looks at besides its subject."""
    nodes = everything(rule.body)
    return {(n.group, n.kind) for n in nodes if isinstance(n, ir.Collection)}


def _placed(rule: program.Rule) -> Placed:
    reasons = targets(rule, rule_module(rule))
    needs: dict[str, str] = {}
    looked_at = collections(rule)
    if looked_at:
        kinds = ", ".join(sorted(kind or "everything" for _, kind in looked_at))
        needs["gatekeeper"] = f"{kinds} in the inventory (syncset.yaml)"
        needs["conftest"] = "--combine"
    if rule.is_change:
        needs["gatekeeper"] = "admission of updates: an audit sees one revision"
    return Placed(rule, reasons, {e: n for e, n in needs.items() if not reasons[e]})


def _left_out(rules: Sequence[program.Rule], engine: str) -> Iterator[tuple[str, str]]:
    for rule in rules:
        why = targets(rule, rule_module(rule))[engine]
        if why:
            yield rule.id, why


def _syncset(kinds: set[tuple[str, str]]) -> dict[str, Any]:
    """What Gatekeeper has to keep in its inventory."""
    wanted = {(k.group, k.name) for k in catalog().kinds.values()} if ("", "") in kinds else kinds
    entries = [
        {"group": group, "version": _version(group, kind), "kind": kind}
        for group, kind in sorted(wanted)
    ]
    return {
        "apiVersion": "syncset.gatekeeper.sh/v1alpha1",
        "kind": "SyncSet",
        "metadata": {"name": "meshplan"},
        "spec": {"gvks": entries},
    }


def _version(group: str, kind: str) -> str:
    known = kind_of(group, kind)
    return known.versions[0] if known is not None and known.versions else "v1"
