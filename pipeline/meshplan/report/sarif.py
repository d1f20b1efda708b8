"""Findings in SARIF 2.1.0, for code scanning and for editors.

Every rule is listed, so that a rule which found nothing is seen to have been there. Findings that
the change has fixed are left out: GitHub would open alerts for them. What a plan is held back for
is a result too, at the objects that are to blame.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from meshplan import __version__
from meshplan.diff import Delete
from meshplan.finding import Finding, Severity, Status
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side
from meshplan.report.judged import judged
from meshplan.report.layout import View, printable, shorten
from meshplan.report.rules import Rule, all_rules
from meshplan.report.yamltext import to_yaml
from meshplan.resource import Resource
from meshplan.result import Result

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: GitHub refuses a run with more results, and a result with more places.
MAX_RESULTS = 25_000
MAX_PLACES = 100
_TEXT = 2_000

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_BASELINE = {Status.NEW: "new", Status.EXISTING: "unchanged"}


def render(result: Result, _view: View) -> str:
    """The log, with one run."""
    found = [finding for finding in judged(result) if finding.status is not Status.FIXED]
    rules = all_rules(found)
    index = {rule.id: number for number, rule in enumerate(rules)}
    written = _as_written(result)
    run = {
        "tool": {
            "driver": {
                "name": "meshplan",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [_invocation(result, len(found))],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, index[finding.rule], written, compared=result.base is not None)
            for finding in found[:MAX_RESULTS]
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=True, indent=2, allow_nan=False) + "\n"


def _rule(rule: Rule) -> Mapping[str, Any]:
    full = " ".join(part for part in (rule.title, rule.why) if part)
    advice = " ".join(part for part in (rule.why, rule.remedy) if part)
    described: dict[str, Any] = {
        "id": rule.id,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["istio", "kubernetes", *map(printable, rule.refs)][:10]},
    }
    if rule.title:
        described["shortDescription"] = _message(rule.title)
        described["fullDescription"] = _message(full)
    if advice:
        described["help"] = _message(advice)
    if rule.see and rule.see[0].startswith("https://"):
        described["helpUri"] = rule.see[0]
    return described


def _invocation(result: Result, count: int) -> Mapping[str, Any]:
    notes = [
        {"level": "error", "message": _message(problem.message)} for problem in result.problems
    ]
    if count > MAX_RESULTS:
        text = f"{count - MAX_RESULTS} results are left out: GitHub takes {MAX_RESULTS}"
        notes.append({"level": "warning", "message": _message(text)})
    return {
        "executionSuccessful": result.exit_status in (0, 1),
        "exitCode": result.exit_status,
        "toolExecutionNotifications": notes,
    }


#: Objects of targets that stand in their files as they are applied.
_Written = Mapping[tuple[str | None, ResourceId], Resource]


def _as_written(result: Result) -> _Written:
    """What changes and is not rendered: only of that it is known what stands at a place."""
    return {
        (target.name, change.after.id): change.after
        for target in result.targets
        for change in target.changes
        if not isinstance(change, Delete)
        and not change.after.origin.via
        and not change.after.is_secret
    }


def _result(
    finding: Finding, index: int, objects: _Written, *, compared: bool
) -> Mapping[str, Any]:
    main = [place for place in finding.locations if place.role is Role.PRIMARY][:1]
    main = main or list(finding.locations[:1])
    others = [place for place in finding.locations if place not in main]
    text = f"{finding.message}. {finding.help}" if finding.help else finding.message
    written: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": _message(text),
        "locations": [_location(place, finding) for place in main],
        "relatedLocations": [
            {"id": number, **_location(place, None), "message": _message(_where(place))}
            for number, place in enumerate(others[:MAX_PLACES], 1)
        ],
        "partialFingerprints": {"meshplan/v1": finding.fingerprint},
    }
    if compared:
        written["baselineState"] = _BASELINE[finding.status]
    if finding.waiver is not None:
        reason = f"{finding.waiver.reason} (until {finding.waiver.expires})"
        written["suppressions"] = [{"kind": "external", "justification": _text(reason)}]
    if fixes := list(_fixes(finding, main, objects)):
        written["fixes"] = fixes
    properties = {"target": finding.target, "refs": list(finding.refs), "wave": finding.wave}
    written["properties"] = {
        name: _plain(value) for name, value in properties.items() if value not in (None, [])
    }
    return written


def _fixes(
    finding: Finding, main: Sequence[Location], objects: _Written
) -> Iterator[Mapping[str, Any]]:
    """The fix, where a value stands on one line in the very place that it is about.

    Of a value that is not there the place is that of what it would be in.
    """
    fix, found = finding.fix, finding.id and objects.get((finding.target, finding.id))
    if fix is None or not found or not _is_scalar(found.manifest, fix.pointer):
        return
    for place in main:
        known = None not in (place.line, place.column, place.end_column)
        if not known or place.end_line != place.line:
            continue
        if place.pointer != found.origin.pointer + fix.pointer:
            continue
        text = to_yaml(fix.value).removesuffix("\n")
        replacement = {"deletedRegion": _region(place), "insertedContent": {"text": _text(text)}}
        yield {
            "description": _message(finding.help or f"write {text}"),
            "artifactChanges": [
                {"artifactLocation": _artifact(place), "replacements": [replacement]}
            ],
        }


def _is_scalar(value: Any, pointer: str) -> bool:
    """Whether there is a value without parts at a JSON pointer."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return False
    return bool(pointer) and value is not None and not isinstance(value, Mapping | list)


def _location(place: Location, finding: Finding | None) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place)}
    if region := _region(place):
        physical["region"] = region
    written: dict[str, Any] = {"physicalLocation": physical}
    if finding is not None and finding.id is not None:
        name = _text(f"{finding.id}{place.pointer}")
        kind = "object" if not place.pointer else "value"
        written["logicalLocations"] = [{"fullyQualifiedName": name, "kind": kind}]
    return written


def _artifact(place: Location) -> Mapping[str, str]:
    # Relative to the root of the repository, whatever its name on a machine.
    path = quote(place.path.encode("utf-8", "surrogateescape"))
    return {"uri": path, "uriBaseId": "%SRCROOT%"}


def _region(place: Location) -> Mapping[str, int]:
    parts = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    if place.line is None:
        return {}
    return {name: max(1, number) for name, number in parts.items() if number is not None}


def _where(place: Location) -> str:
    return f"{place} in the base" if place.side is Side.BASE else str(place)


def _message(text: str) -> Mapping[str, str]:
    # Braces hold placeholders, and what looks like a link of Markdown is one.
    safe = _text(text).replace("{", "{{").replace("}", "}}")
    return {"text": safe.replace("](", "\\](")}


def _text(text: str) -> str:
    return shorten(printable(text[: _TEXT + 1]), _TEXT)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(str(item)) for item in value]
    return _text(value) if isinstance(value, str) else value
