"""How bad findings are: what the settings say at their place, else what their rules say."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from meshplan.finding import Finding, Severity
from meshplan.settings import LevelSettings


def with_levels(
    findings: Iterable[Finding], levels: tuple[LevelSettings, ...]
) -> Iterator[Finding]:
    """The findings as bad as the settings want them; those of rules that are off are left out."""
    for finding in findings:
        severity = severity_of(finding, levels)
        if severity is not None:
            yield finding if severity is finding.severity else finding.with_(severity=severity)


def severity_of(finding: Finding, levels: tuple[LevelSettings, ...]) -> Severity | None:
    """The severity that the last setting that fits gives to a finding; None for off."""
    for level in reversed(levels):
        if fits(level, finding):
            return level.severity
    return finding.severity


def is_off(rule: str, levels: tuple[LevelSettings, ...]) -> bool:
    """Whether a rule is off everywhere, so that it need not be run."""
    for level in reversed(levels):
        if _one_of(rule, level.rules):
            anywhere = not (level.targets or level.namespaces or level.kinds or level.paths)
            if level.severity is not None:
                return False
            if anywhere:
                return True
    return False


def fits(level: LevelSettings, finding: Finding) -> bool:
    """Whether a setting is about a finding: by its rule, and by each kind of place that it names."""
    id_ = finding.id
    path = finding.locations[0].path if finding.locations else ""
    places = (
        (level.targets, finding.target or ""),
        (level.namespaces, id_.namespace if id_ else ""),
        (level.kinds, id_.kind if id_ else ""),
        (level.paths, path),
    )
    return _one_of(finding.rule, level.rules) and all(
        not patterns or _one_of(value, patterns) for patterns, value in places
    )


def _one_of(value: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)
