"""What a change makes of the rules that it is judged by: told, previewed, and not in force yet.

Mistakes in new rules are found before a merge, and so is what the new rules would find.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError
from meshplan.finding import Finding, Severity
from meshplan.location import Location
from meshplan.mesh import Mesh
from meshplan.settings import RuleSettings
from meshplan.source.policies import RuleText, changed_policies, rule_texts
from meshplan.source.revision import Revision
from meshplan.source.settings import revision_settings

if TYPE_CHECKING:
    from meshplan.policy.errors import Diagnostic
    from meshplan.policy.judge import Judge
    from meshplan.policy.library import Pack

#: Rounds that a rule may take for one object: nobody has looked at it yet.
_BUDGET = 50_000
#: So many findings of a preview are named.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class ChangedRules:
    """The files with rules that a change touches."""

    notes: tuple[Finding, ...] = ()
    #: Their texts at both ends, where there is something to preview.
    before: tuple[RuleText, ...] = ()
    after: tuple[RuleText, ...] = ()
    settings: RuleSettings = field(default_factory=RuleSettings)

    def previewed(self, meshes: Iterable[tuple[str, Mesh, Mesh]]) -> tuple[Finding, ...]:
        """The notes, with what the rules of the head would find in the targets, and do not yet.

        `meshes` are the targets by name, at the base and at the head.
        """
        if not self.before and not self.after:
            return self.notes
        packs = [pack_of(texts) for texts in (self.before, self.after)]
        found = _by_file(packs, self.settings, list(meshes))
        return tuple(
            note.with_(help=told)
            if note.rule == "rules-changed" and (told := _told(*found.get(_file(note), ([], []))))
            else note
            for note in self.notes
        )


def changed_rules(base: Revision, head: Revision, settings: RuleSettings) -> ChangedRules:
    """What the head makes of rules and waivers, and the mistakes in its rules."""
    # Also where it would keep rules from now on.
    paths = tuple(dict.fromkeys((*settings.paths, *_paths_of(head))))
    widened = replace(settings, paths=paths)
    noted = changed_policies(base, head, widened)
    changed = {_file(note) for note in noted if note.rule == "rules-changed"}
    before, after = (
        tuple(text for text in _texts_of(side, widened) if text.path in changed)
        for side in (base, head)
    )
    mistakes = pack_of(after).diagnostics if after else ()
    notes = (*noted, *(_mistake(found) for found in mistakes))
    return ChangedRules(notes, before, after, settings)


def pack_of(texts: Iterable[RuleText]) -> "Pack":
    """Rules, read."""
    # Late: it takes 70 ms, in a process of its own where there is much to judge.
    from meshplan.policy.library import Pack  # noqa: PLC0415

    return Pack.of((text.path, text.content.decode("utf-8", "replace")) for text in texts)


def _paths_of(head: Revision) -> Sequence[str]:
    try:
        return revision_settings(head).rules.paths
    except MeshplanError:
        # What is wrong with its settings is told where they are compared.
        return ()


def _texts_of(revision: Revision, settings: RuleSettings) -> tuple[RuleText, ...]:
    found: list[RuleText] = []
    for path in settings.paths:
        try:
            found.extend(rule_texts(revision, replace(settings, paths=(path,))))
        except MeshplanError:
            # Rules that are gone, or cannot be read, are told already.
            continue
    return tuple({text.path: text for text in found}.values())


def _file(note: Finding) -> str:
    return note.locations[0].path


def _by_file(
    packs: Sequence["Pack"], settings: RuleSettings, meshes: Sequence[tuple[str, Mesh, Mesh]]
) -> dict[str, tuple[list[Finding], list[Finding]]]:
    """What each file of rules finds more at the head, and what it finds no more."""
    from meshplan.policy.judge import Judge  # noqa: PLC0415 - see above

    was, now = ({}, {})  # type: tuple[dict[str, Finding], dict[str, Finding]]
    for pack, found in zip(packs, (was, now), strict=True):
        judge = Judge(pack.compiled, settings, _BUDGET)
        for name, base, head in meshes:
            found.update((f.fingerprint, f) for f in _all(judge, base, head, name))
    files = {rule.id: rule.path for pack in packs for rule in pack.rules}
    told: dict[str, tuple[list[Finding], list[Finding]]] = {}
    for place, (some, others) in enumerate(((now, was), (was, now))):
        for fingerprint, finding in some.items():
            if fingerprint not in others:
                # That a rule takes too long names the rule in its words alone.
                file = files.get(finding.rule, min(files.values()))
                told.setdefault(file, ([], []))[place].append(finding)
    return told


def _all(judge: "Judge", base: Mesh, head: Mesh, target: str) -> Iterator[Finding]:
    yield from judge.state(head, target)
    yield from judge.change(base, head, target)


def _told(more: Sequence[Finding], fewer: Sequence[Finding]) -> str:
    parts = [
        f"{len(found)} {word} ({_named(found)})"
        for found, word in ((more, "more"), (fewer, "fewer"))
        if found
    ]
    return f"findings once it is in force: {', '.join(parts)}" if parts else ""


def _named(found: Sequence[Finding]) -> str:
    names = [f"{f.rule} at {f.id}, {f.message}" for f in found[:_NAMED]]
    return "; ".join(names) + (f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def _mistake(found: "Diagnostic") -> Finding:
    from meshplan.policy.errors import Grade  # noqa: PLC0415 - see above

    span = found.span
    place = Location(found.path, span.line, span.column, span.end_line, span.end_column)
    severity = Severity.ERROR if found.grade is Grade.ERROR else Severity.WARNING
    message = f"{found.message} ({found.code})"
    return Finding("rules", severity, message, (place,), help=found.help)
