"""Waivers: findings that somebody has decided to live with until a day.

They are read from the base revision, so that a change cannot waive its own findings. Today is an
input: a run can be repeated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.finding import Finding, Severity, Status, Waiver
from meshplan.identity import ResourceId
from meshplan.location import Location
from meshplan.policy.places import is_within
from meshplan.schema import SchemaProblem, validate
from meshplan.settings import WaiverSettings

SCHEMA = "waivers"


@dataclass(frozen=True, slots=True)
class Waived:
    """Findings with their waivers, and what there is to say about the waivers themselves."""

    findings: tuple[Finding, ...]
    remarks: tuple[Finding, ...]


def problems(value: Any) -> tuple[SchemaProblem, ...]:
    """Everything that is wrong with what a file of waivers holds."""
    found = validate(SCHEMA, value)
    if found:
        return found
    return tuple(
        SchemaProblem(f"/{index}/expires", f"there is no day {entry['expires']}")
        for index, entry in enumerate(value)
        if _day(entry["expires"]) is None
    )


def waivers_of(value: Sequence[Mapping[str, Any]], places: Sequence[Location]) -> list[Waiver]:
    """Waivers from the items of a list in which nothing is wrong, and the place of each."""
    return [
        Waiver(
            rule=entry["rule"],
            resource=entry["resource"],
            reason=entry["reason"],
            owner=entry["owner"],
            expires=entry["expires"],
            path=entry.get("path", ""),
            target=entry.get("target", "*"),
            source=place,
        )
        for entry, place in zip(value, places, strict=True)
    ]


def waived(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    as_of: str,
    settings: WaiverSettings,
    *,
    complete: bool = True,
) -> Waived:
    """Findings with the waivers that hold on a day, and remarks about those that do not.

    A waiver that is over, or lasts longer than the settings allow, waives nothing. One that meets
    no finding is spoken of, and so is one that ends soon. Unless the findings are `complete`, those
    that are missing may be elsewhere.
    """
    today = date.fromisoformat(as_of)
    used: set[Waiver] = set()
    met: set[Waiver] = set()
    found = []
    for finding in findings:
        fitting = [] if finding.status is Status.FIXED else _fitting(waivers, finding)
        met.update(fitting)
        holding = [w for w in fitting if _holds(w, today, settings)]
        used.update(holding[:1])
        found.append(finding.with_(waiver=holding[0]) if holding else finding)
    remarks = (
        remark
        for waiver in waivers
        if waiver in met or complete
        for remark in _remarks(waiver, today, settings, met=waiver in met)
    )
    return Waived(tuple(found), tuple(remarks))


def asked_for(base: Sequence[Waiver], head: Sequence[Waiver]) -> Iterator[Finding]:
    """The waivers that a change adds: they hold from the next change on."""
    known = {_content(waiver) for waiver in base}
    for waiver in head:
        if _content(waiver) not in known:
            message = (
                f"asks to waive {waiver.rule} for {waiver.resource} until {waiver.expires}: "
                f"{waiver.reason}"
            )
            yield _remark("waiver-asked", Severity.INFO, message, waiver)


def applies(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is about a finding."""
    if finding.id is None or not fnmatchcase(finding.rule, waiver.rule):
        return False
    if not fnmatchcase(finding.target or "", waiver.target):
        return False
    if not any(fnmatchcase(name, waiver.resource) for name in _names(finding.id)):
        return False
    return not waiver.path or is_within(finding.place, waiver.path)


def _fitting(waivers: Sequence[Waiver], finding: Finding) -> list[Waiver]:
    return [waiver for waiver in waivers if applies(waiver, finding)]


def _names(id_: ResourceId) -> tuple[str, ...]:
    where = f"{id_.namespace}/" if id_.namespace else ""
    return (f"{id_.kind}/{where}{id_.name}",)


def _holds(waiver: Waiver, today: date, settings: WaiverSettings) -> bool:
    last = _day(waiver.expires)
    return last is not None and today <= last <= _latest(today, settings)


def _latest(today: date, settings: WaiverSettings) -> date:
    return today + timedelta(days=settings.longest_days)


def _remarks(
    waiver: Waiver, today: date, settings: WaiverSettings, *, met: bool
) -> Iterator[Finding]:
    last = _day(waiver.expires)
    what = f"the waiver of {waiver.rule} for {waiver.resource}"
    if last is None:
        return
    if last < today:
        message = f"{what} ended on {waiver.expires}, and {_to_do(met=met)}"
        yield _remark("waiver-expired", Severity.WARNING, message, waiver)
    elif last > _latest(today, settings):
        message = f"{what} ends more than {settings.longest_days} days ahead, so it does not hold"
        yield _remark("waiver-too-long", Severity.WARNING, message, waiver)
    elif not met:
        yield _remark("waiver-unused", Severity.WARNING, f"{what} meets no finding", waiver)
    elif last <= today + timedelta(days=settings.soon_days):
        days = (last - today).days
        when = "today" if days == 0 else f"in {days} day{'s' * (days != 1)}"
        message = f"{what} ends {when}, on {waiver.expires}"
        yield _remark("waiver-ends-soon", Severity.INFO, message, waiver)


def _to_do(*, met: bool) -> str:
    return "its findings count again" if met else "it meets no finding any more"


def _remark(rule: str, severity: Severity, message: str, waiver: Waiver) -> Finding:
    places = (waiver.source,) if waiver.source else ()
    help_ = f"owner: {waiver.owner}; reason: {waiver.reason}"
    key = "\0".join(_content(waiver))
    return Finding(rule, severity, message, places, help=help_, key=key)


def _content(waiver: Waiver) -> tuple[str, ...]:
    return (waiver.rule, waiver.resource, waiver.path, waiver.target, waiver.expires)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
