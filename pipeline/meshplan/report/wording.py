"""The words that every report for people uses for the same thing."""

import json
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from meshplan.diff import (
    ABSENT,
    Change,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
    id_of,
)
from meshplan.finding import Finding, Severity, Status
from meshplan.location import Location, Side
from meshplan.plan import Apply, Gate, GateKind, Remove, Step
from meshplan.report.layout import printable, shorten
from meshplan.report.verdicts import held_back, worst
from meshplan.resource import Resource
from meshplan.result import Coverage, CoverageStatus, Result, RevisionName, TargetResult, Verdict

if TYPE_CHECKING:
    from meshplan.graph import Cycle
    from meshplan.identity import ResourceId

#: What an object is called.
Naming = Callable[["ResourceId"], str]

#: How much of a changed value is shown.
VALUE_LIMIT = 72
#: Longer texts are not compared line by line.
TEXT_LIMIT = 2_000

_GATES: Mapping[GateKind, str] = {
    GateKind.ESTABLISHED: "wait until the API server serves it",
    GateKind.READY: "wait until the workloads are ready",
    GateKind.PROXIES: "wait until every proxy has it",
    GateKind.DRAINED: "wait until every proxy has it and old requests have ended",
    GateKind.GONE: "wait until it is gone",
    GateKind.NONE: "",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 object`, `2 objects`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def revision(name: RevisionName) -> str:
    """`main (3f2a1b9)`; just the name where it is the commit, or where there is no commit."""
    short = (name.commit or "")[:9]
    return name.name if not short or name.name.startswith(short[:7]) else f"{name.name} ({short})"


def compared(result: Result) -> str:
    """What was read: `main (3f2a1b9) → HEAD (8c7d6e5)`, or one revision alone."""
    head = revision(result.head)
    return f"{revision(result.base)} → {head}" if result.base else head


def changed(result: Result) -> tuple[TargetResult, ...]:
    """The targets in which something changes."""
    return tuple(target for target in result.targets if len(target.changes))


def urgency(change: Change) -> int:
    """Deletions first, what is new last."""
    match change:
        case Delete():
            return 0
        case Replace():
            return 1
        case Rename():
            return 2
        case Update():
            return 3
        case Create():
            return 4
        case _:
            assert_never(change)


def subject(change: Change) -> Resource:
    """The object a change is about; of a rename, the new one."""
    return change.before if isinstance(change, Delete) else change.after


def place(location: Location | None) -> str:
    """`a/b.yaml:12`."""
    return printable(str(location)) if location else ""


def spot(change: Change) -> Location | None:
    """Where the object of a change is written: of one that goes, in the base."""
    side = Side.BASE if isinstance(change, Delete) else Side.HEAD
    found = subject(change).origin.location(side)
    return found if found.path else None


def step_word(step: Step) -> str:
    """`apply` or `remove`, and whether it is a bridge."""
    word = "apply" if isinstance(step, Apply) else "remove"
    return f"{word} bridge" if step.bridge else word


def api_version(step: Step) -> str:
    """The API version a step is written in."""
    return step.api_version if isinstance(step, Remove) else step.resource.api_version


def gate(found: Gate) -> str:
    """What a gate waits for; empty for the last one."""
    if found.kind is GateKind.NONE:
        return ""
    return f"wait: {found.why}" if found.why else _GATES[found.kind]


def reasons(target: TargetResult) -> Callable[[Step], str]:
    """Why each step is where it is, and what clients would see otherwise."""
    waves = target.plan.waves if target.plan else ()
    wave = {step.id: number for number, found in enumerate(waves) for step in found.steps}
    failures: dict[ResourceId, dict[str, None]] = {}
    proven = target.verdict in (Verdict.SAFE, Verdict.SAFE_IN_ORDER)
    for edge in target.edges:
        # Not of an edge that the plan has reason not to follow; within a proven wave it has.
        if edge.failure and wave.get(edge.first, 0) + proven <= wave.get(edge.then, 0):
            failures.setdefault(edge.then, {})[edge.failure] = None

    def reason(step: Step) -> str:
        otherwise = " or ".join(failures.get(step.id, ()))
        return f"{step.why} (else {otherwise})" if step.why and otherwise else step.why

    return reason


def sign(change: FieldChange) -> str:
    """`+` for a field that comes, `-` for one that goes, `~` for another value."""
    return "+" if change.before is ABSENT else "-" if change.after is ABSENT else "~"


def values(change: FieldChange, limit: int = VALUE_LIMIT) -> str:
    """`old → new`, or the one there is, short enough for a line.

    A list item that its path names already (`hosts[=reviews]`) is not repeated.
    """
    if ABSENT in (change.before, change.after) and change.path.endswith("]"):
        value = change.after if change.before is ABSENT else change.before
        if change.path.endswith((f"[={value}]", f"[='{value}']")):
            return ""
    if change.before is ABSENT:
        return compact(_rest(change.after, change.path), limit)
    if change.after is ABSENT:
        return compact(_rest(change.before, change.path), limit)
    before, after = compact(change.before, limit), compact(change.after, limit)
    return f"{before} → {after}" if before != after else f"{before} (another value)"


def _rest(value: Any, path: str) -> Any:
    """A list item without what its path says already: of `route[subset=v1]` the weight."""
    if not path.endswith("]") or not isinstance(value, Mapping):
        return value
    pairs = path[path.rindex("[") + 1 : -1].split(",")
    named = (pair.partition("=") for pair in pairs)
    said = {(key.rpartition(".")[2], text.strip("'")) for key, _, text in named}
    return _without(value, said) or value


def _without(value: Mapping[str, Any], said: Collection[tuple[str, str]]) -> Mapping[str, Any]:
    left: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            nested = _without(item, said)
            left |= {key: nested} if nested else {}
        elif (key, str(item)) not in said:
            left[key] = item
    return left


def diff_lines(change: FieldChange) -> Iterator[str]:
    """The field as lines of a diff: what goes with `-`, what comes with `+`."""
    text = text_diff(change)
    if text:
        yield f"  {change.path}:"
        yield from (f"{row[0]}   {row[1:]}" for row in text)
    elif ABSENT in (change.before, change.after):
        value = values(change, 2 * VALUE_LIMIT)
        yield f"{sign(change)} {change.path}{': ' if value else ''}{value}"
    else:
        yield f"- {change.path}: {compact(change.before, 2 * VALUE_LIMIT)}"
        yield f"+ {change.path}: {compact(change.after, 2 * VALUE_LIMIT)}"


def text_diff(change: FieldChange) -> tuple[str, ...]:
    """The lines that differ between two texts of several lines, each with its sign."""
    before, after = change.before, change.after
    if not (
        isinstance(before, str) and isinstance(after, str) and "\n" in before and "\n" in after
    ):
        return ()
    rows = before.splitlines(), after.splitlines()
    if max(map(len, rows)) > TEXT_LIMIT:
        return ()
    import difflib  # noqa: PLC0415 - takes 5 ms, and few changes are inside of texts

    found = list(difflib.unified_diff(*rows, n=0, lineterm=""))[2:]
    return tuple(shorten(row, 2 * VALUE_LIMIT) for row in found if not row.startswith("@@"))


def compact(value: Any, limit: int = VALUE_LIMIT) -> str:
    """A value on one line, as in YAML's flow style."""
    if isinstance(value, str) and "\n" in value:
        return f"({count(len(value.splitlines()), 'line')} of text)"
    # Cut first: making a long text printable takes long.
    return shorten(printable(_flow(value)[: limit + 1]), limit)


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case str():
            return value if _plain(value) else json.dumps(value, ensure_ascii=False)
        case _:
            return json.dumps(value)


def _plain(text: str) -> bool:
    words = ("true", "false", "null", "")
    return text == text.strip() and text not in words and not set(text) & set("{}[],\"'\n")


def change_counts(result: Result) -> str:
    """`4 changes: 2 create, 1 update, 1 delete`."""
    summary = result.summary
    actions = ("delete", "replace", "rename", "update", "create")
    parts = [f"{summary[name]} {name}" for name in actions if summary[name]]
    return ", ".join(parts)


def unread(result: Result) -> tuple[Coverage, ...]:
    """What changed and could not be read, each once: the reason for exit status 3."""
    found = {
        (entry.path, entry.kind, entry.why): entry
        for entry in result.coverage
        if entry.status is CoverageStatus.FAILED
        or (entry.status is CoverageStatus.SKIPPED and entry.changed)
    }
    return tuple(found.values())


def skipped(result: Result) -> tuple[Coverage, ...]:
    """What was left out and does no harm."""
    return tuple(
        entry
        for entry in result.coverage
        if entry.status is CoverageStatus.SKIPPED and not entry.changed
    )


def to_show(result: Result) -> tuple[Finding, ...]:
    """Findings that matter now, the worst first: the new ones, or all where one revision is read."""
    wanted = Status.NEW if result.base else Status.EXISTING
    found = [f for f in result.findings if f.status is wanted and f.waiver is None]
    return tuple(sorted(found, key=_by_severity))


def waived(result: Result) -> tuple[Finding, ...]:
    """Findings that somebody has decided to live with, the worst first."""
    return tuple(sorted((f for f in result.findings if f.waiver is not None), key=_by_severity))


def others(result: Result, status: Status) -> tuple[Finding, ...]:
    """Findings of one status, the worst first."""
    found = [f for f in result.findings if f.status is status and f.waiver is None]
    return tuple(sorted(found, key=_by_severity))


def kept(result: Result) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    """The findings that hold nothing back, and why; of one revision all others count."""
    groups = (
        ("there before", others(result, Status.EXISTING) if result.base else ()),
        ("fixed by this change", others(result, Status.FIXED)),
        ("waived", waived(result)),
    )
    yield from ((why, found) for why, found in groups if found)


def commands(result: Result) -> tuple[str, ...]:
    """What to type to see the same on a laptop; nothing for what has no commit."""
    if result.base is None or result.head.commit is None:
        return ()
    names = [(name.commit or name.name)[:12] for name in (result.base, result.head)]
    diff = f"meshplan diff {shlex.quote('..'.join(names))}"
    return (
        diff,
        f"{diff} -o script=apply.sh  # the plan as a script for kubectl",
        f"{diff} -o json=plan.json && meshplan verify plan.json  # a second opinion",
    )


def _by_severity(found: Finding) -> tuple[int, str, int]:
    first = found.locations[0] if found.locations else None
    return (found.severity.rank, first.path if first else "", (first.line or 0) if first else 0)


def severities(findings: Iterable[Finding]) -> str:
    """`2 errors and 1 warning`."""
    known = [found.severity for found in findings]
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return listing([count(known.count(s), noun) for s, noun in nouns.items() if s in known])


def headline(result: Result) -> str:
    """The answer in one sentence."""
    missing = len(unread(result)) + len(result.problems)
    if missing:
        return f"incomplete: {count(missing, 'thing')} that changed could not be read"
    shown = to_show(result)
    if result.exit_status == 1:
        reasons = [severities(shown)] if shown else []
        return f"held back: {'; '.join([*reasons, *held_back(result)])}"
    if result.base is None:
        return (
            f"checked {count(len(result.targets), 'target')}: {severities(shown) or 'no findings'}"
        )
    if result.suggestion:
        return f"nothing changed; try `meshplan diff {result.suggestion}`"
    return worst(result)


def open_cycles(target: TargetResult) -> tuple["Cycle", ...]:
    """The cycles to which no answer is known: a proven plan has found a way through them."""
    proven = target.verdict in (Verdict.SAFE, Verdict.SAFE_IN_ORDER)
    return () if proven or target.impossible else target.cycles


def is_free(target: TargetResult) -> bool:
    """Whether nothing waits for anything, so that there is no order to tell."""
    plan = target.plan
    if plan is None or len(plan.waves) != 1 or target.cycles:
        return False
    return target.proof is None or target.verdict is Verdict.SAFE


def naming(target: TargetResult) -> Naming:
    """What objects are called in a target: with the group where two groups have a kind of the
    same name, as Gateways of Istio and of the Gateway API.
    """
    groups: dict[str, set[str]] = {}
    for found in _ids(target):
        groups.setdefault(found.kind, set()).add(found.group)

    def name(found: "ResourceId") -> str:
        if len(groups.get(found.kind, ())) < 2 or not found.group:
            return str(found)
        return str(found).replace(found.kind, f"{found.kind}.{found.group}", 1)

    return name


def _ids(target: TargetResult) -> Iterator["ResourceId"]:
    yield from (id_of(change) for change in target.changes)
    yield from (found for edge in target.edges for found in (edge.first, edge.then))
    if target.plan is not None:
        yield from (step.id for step in target.plan.steps)
