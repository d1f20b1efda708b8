"""The rules in force, and what they find: the pack, the repository's own, and the waivers.

Between two commits rules, settings and waivers are those of the base, so that a change cannot
approve itself; what it makes of them is told.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshplan.data import data_path
from meshplan.errors import SettingsError
from meshplan.finding import Finding, Severity, Status, Waiver
from meshplan.location import Location
from meshplan.mesh import Mesh
from meshplan.mesh.known import Known
from meshplan.plan import Plan
from meshplan.policy.always import broken_on_the_way
from meshplan.policy.compare import compared
from meshplan.policy.errors import Diagnostic, Grade
from meshplan.policy.judge import Judge
from meshplan.policy.library import Pack
from meshplan.policy.parameters import given
from meshplan.policy.waivers import Waived, waived
from meshplan.resource import Snapshot
from meshplan.run.request import Request
from meshplan.schema.wording import did_you_mean
from meshplan.settings import RuleSettings, Settings
from meshplan.source.policies import RuleText, changed_policies, revision_waivers, rule_texts
from meshplan.source.revision import Revision


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What is run, and what somebody has decided about its findings."""

    judge: Judge
    waivers: tuple[Waiver, ...]
    settings: RuleSettings
    as_of: str
    #: Over the texts of the rules.
    digest: str
    #: That the change changes them.
    notes: tuple[Finding, ...] = ()

    def checked(self, mesh: Mesh, target: str) -> tuple[Finding, ...]:
        """What is wrong with one revision of a target."""
        found = self.judge.state(mesh, target)
        return tuple(finding.with_(status=Status.EXISTING) for finding in found)

    def compared(self, base: Mesh, head: Mesh, target: str, plan: Plan) -> tuple[Finding, ...]:
        """What a change makes better or worse: in the end, by itself, and on the way."""
        known = _known(base) | _known(head)
        before, after = base.knowing(known), head.knowing(known)
        always = self.judge.always

        def judge(state: Snapshot) -> Sequence[Finding]:
            return always.state(after.at(state), target)

        return (
            *compared(self.judge.state(before, target), self.judge.state(after, target)),
            *self.judge.change(before, after, target),
            *(broken_on_the_way(plan, base.snapshot, judge) if always.rules else ()),
        )

    def with_waivers(self, findings: Iterable[Finding], *, complete: bool) -> Waived:
        """The findings with their waivers; `complete` where all targets have been looked at."""
        waivers = self.settings.waivers
        return waived(findings, self.waivers, self.as_of, waivers, complete=complete)


def rulebook(
    request: Request, base: Revision | None, head: Revision, settings: Settings
) -> Rulebook:
    """The rules in force. Raises PolicyError and SettingsError where something is wrong with them."""
    from_base = base is not None and head.commit is not None
    decided = base if base is not None and from_base else head
    own = rule_texts(decided, settings.rules) if settings.rules.paths else ()
    texts = (*(_pack() if settings.rules.builtin else ()), *own)
    pack = Pack.of({text.path: text.content.decode("utf-8", "replace") for text in texts})
    pack.raise_errors()
    _check_parameters(pack, settings)
    notes = _changes(base, head, settings.rules) if base is not None and from_base else ()
    return Rulebook(
        judge=Judge(pack.compiled, settings.rules),
        waivers=revision_waivers(decided, settings.rules.waivers),
        settings=settings.rules,
        as_of=request.as_of,
        digest=_digest(texts),
        notes=notes,
    )


def _pack() -> tuple[RuleText, ...]:
    folder = data_path("policies")
    return tuple(
        RuleText(f"policies/{path.name}", path.read_bytes()) for path in sorted(folder.glob("*.py"))
    )


def _check_parameters(pack: Pack, settings: Settings) -> None:
    for id_, values in settings.rules.parameters.items():
        rule = pack.rule(id_)
        if rule is None:
            hint = did_you_mean(id_, [known.id for known in pack.rules])
            raise SettingsError(f'rules.parameters: no rule "{id_}"{hint}', path=settings.source)
        given(rule, values)


def _changes(base: Revision, head: Revision, settings: RuleSettings) -> tuple[Finding, ...]:
    """What the head makes of rules and waivers; mistakes in its rules are found before a merge."""
    noted = changed_policies(base, head, settings)
    changed = {
        place.path for note in noted if note.rule == "rules-changed" for place in note.locations
    }
    texts = [text for text in _texts_of(head, settings) if text.path in changed]
    pack = Pack.of({text.path: text.content.decode("utf-8", "replace") for text in texts})
    return (*noted, *(_mistake(found) for found in pack.diagnostics))


def _texts_of(head: Revision, settings: RuleSettings) -> tuple[RuleText, ...]:
    try:
        return rule_texts(head, settings)
    except SettingsError:
        # Rules that are gone are told already.
        return ()


def _mistake(found: Diagnostic) -> Finding:
    span = found.span
    place = Location(found.path, span.line, span.column, span.end_line, span.end_column)
    severity = Severity.ERROR if found.grade is Grade.ERROR else Severity.WARNING
    message = f"{found.message} ({found.code})"
    return Finding("rules", severity, message, (place,), help=found.help)


def _known(mesh: Mesh) -> Known:
    """The hosts of one side: where the other lacks them, they are not elsewhere."""
    return Known(frozenset(mesh.registry.by_host))


def _digest(texts: Iterable[RuleText]) -> str:
    whole = hashlib.sha256()
    for text in texts:
        whole.update(f"{text.path}\0{len(text.content)}\0".encode("utf-8", "surrogatepass"))
        whole.update(text.content)
    return f"sha256:{whole.hexdigest()}"
