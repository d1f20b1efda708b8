"""Findings on their way from one process to another, as JSON and whole.

The result document leaves out what only meshplan itself needs, so that it will not do.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from meshplan.finding import Finding, Fix, Severity, Status
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side


def findings_to_json(findings: Iterable[Finding]) -> list[Any]:
    """Findings that nobody has waived yet, in a form for `findings_from`."""
    return [_written(finding) for finding in findings]


def findings_from(sent: Iterable[Any]) -> tuple[Finding, ...]:
    """The findings of `findings_to_json`."""
    return tuple(_read(*fields) for fields in sent)


def _written(found: Finding) -> list[Any]:
    id_, fix = found.id, found.fix
    return [
        found.rule,
        found.severity,
        found.message,
        [
            [p.path, p.line, p.column, p.end_line, p.end_column, p.pointer, p.side, p.role]
            for p in found.locations
        ],
        [id_.group, id_.kind, id_.namespace, id_.name] if id_ else None,
        found.status,
        found.target,
        found.help,
        found.refs,
        found.wave,
        found.key,
        found.place,
        [fix.pointer, fix.value] if fix else None,
        found.known_fingerprint,
    ]


def _read(  # noqa: PLR0913, PLR0917 - the fields of a finding
    rule: str,
    severity: str,
    message: str,
    locations: Sequence[Sequence[Any]],
    id_: Sequence[str] | None,
    status: str,
    target: str | None,
    help_: str,
    refs: Sequence[str],
    wave: int | None,
    key: str,
    place: str,
    fix: Sequence[Any] | None,
    known_fingerprint: str,
) -> Finding:
    places = tuple(
        Location(path, line, column, end_line, end_column, pointer, Side(side), Role(role))
        for path, line, column, end_line, end_column, pointer, side, role in locations
    )
    return Finding(
        rule,
        Severity(severity),
        message,
        places,
        ResourceId(*id_) if id_ else None,
        Status(status),
        target,
        help_,
        tuple(refs),
        wave,
        key,
        place,
        Fix(*fix) if fix else None,
        known_fingerprint,
    )
