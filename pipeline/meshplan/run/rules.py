"""The rules in force, and what they find: the pack, the repository's own, and the waivers.

Between two commits rules, settings and waivers are those of the base, so that a change cannot
approve itself; what it makes of them is told.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from meshplan.data import data_path
from meshplan.dataclass import dataclass
from meshplan.errors import SettingsError
from meshplan.finding import Finding, Status, Waiver
from meshplan.forked import can_fork, forked
from meshplan.mesh import Mesh
from meshplan.mesh.known import Known
from meshplan.plan import Plan
from meshplan.policy.waivers import Waived, waived
from meshplan.resource import Snapshot
from meshplan.run.changed_rules import ChangedRules, changed_rules, pack_of
from meshplan.run.request import Request
from meshplan.run.sent import findings_from, findings_to_json
from meshplan.schema.wording import did_you_mean
from meshplan.settings import RuleSettings, Settings
from meshplan.source.policies import RuleText, revision_waivers, rule_texts
from meshplan.source.revision import Revision

if TYPE_CHECKING:
    from meshplan.planner.standing import Predicate
    from meshplan.policy.judge import Judge
    from meshplan.policy.library import Pack

#: Findings of a change, as soon as its plan is known.
Findings = Callable[[Plan], tuple[Finding, ...]]

#: Fewer objects, of both ends, are judged in the time that a second process costs.
_WORTH = 1500


@dataclass(frozen=True)
class Rulebook:
    """What is run, and what somebody has decided about its findings."""

    texts: tuple[RuleText, ...]
    waivers: tuple[Waiver, ...]
    settings: RuleSettings
    as_of: str
    #: Where the settings are from, for messages.
    source: str
    #: What the change makes of them.
    changed: ChangedRules = field(default_factory=ChangedRules)

    @cached_property
    def judge(self) -> "Judge":
        """The rules, compiled when they are first needed.

        Raises PolicyError and SettingsError where something is wrong with them.
        """
        # Late, here and below: it takes 70 ms, in a process of its own where there is much to judge.
        from meshplan.policy.judge import Judge  # noqa: PLC0415

        pack = pack_of(self.texts)
        pack.raise_errors()
        _check_parameters(pack, self.settings, self.source)
        return Judge(pack.compiled, self.settings)

    @property
    def digest(self) -> str:
        """Over the texts of the rules."""
        return _digest(self.texts)

    def checked(self, mesh: Mesh, target: str) -> tuple[Finding, ...]:
        """What is wrong with one revision of a target."""
        found = self.judge.state(mesh, target)
        return tuple(finding.with_(status=Status.EXISTING) for finding in found)

    @contextmanager
    def comparing(self, base: Mesh, head: Mesh, target: str) -> Iterator[Findings]:
        """What a change makes better or worse: in the end, by itself, and on the way.

        Where there is much to judge that is done beside what happens in this context.
        """
        if not self.texts:
            yield lambda _: ()
            return
        known = _known(base) | _known(head)
        before, after = base.knowing(known), head.knowing(known)

        def ends() -> tuple[Finding, ...]:
            return self._ends(before, after, target)

        def whole(found: tuple[Finding, ...], plan: Plan) -> tuple[Finding, ...]:
            return (*found, *self._on_the_way(plan, base, head, target))

        if len(base.snapshot) + len(head.snapshot) < _WORTH or not can_fork():
            yield lambda plan: whole(ends(), plan)
            return
        with forked(lambda: json.dumps(findings_to_json(ends())).encode()) as other:
            # Where it could not answer, what keeps it from that is told here.
            yield lambda plan: whole(
                ends() if (sent := other.answer()) is None else findings_from(json.loads(sent)),
                plan,
            )

    def _ends(self, before: Mesh, after: Mesh, target: str) -> tuple[Finding, ...]:
        from meshplan.policy.compare import compared  # noqa: PLC0415 - see above

        state = self.judge.state
        return (
            *compared(state(before, target), state(after, target)),
            *self.judge.change(before, after, target),
        )

    def holding(self, base: Mesh, head: Mesh, target: str) -> "Predicate | None":
        """What has to hold in every state of a plan; None where nothing has to."""
        judge = self._always(base, head, target)
        if judge is None:
            return None
        from meshplan.policy.always import held  # noqa: PLC0415 - see above

        return lambda state: held(judge, state)

    def _on_the_way(self, plan: Plan, base: Mesh, head: Mesh, target: str) -> Iterator[Finding]:
        judge = self._always(base, head, target)
        if judge is not None:
            from meshplan.policy.always import broken_on_the_way  # noqa: PLC0415 - see above

            yield from broken_on_the_way(plan, base.snapshot, head.snapshot, judge)

    def _always(
        self, base: Mesh, head: Mesh, target: str
    ) -> Callable[[Snapshot], Sequence[Finding]] | None:
        """The rules that hold always, if there are any."""
        # Most rules are for both ends alone, and need not be compiled to see that.
        if not any(b'"always"' in text.content for text in self.texts):
            return None
        always = self.judge.always
        if not always.rules:
            return None
        mesh = head.knowing(_known(base) | _known(head))
        return lambda state: always.state(mesh.at(state), target)

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
    book = Rulebook(
        texts=(*(_builtin() if settings.rules.builtin else ()), *own),
        waivers=revision_waivers(decided, settings.rules.waivers),
        settings=settings.rules,
        as_of=request.as_of,
        source=settings.source,
        changed=changed_rules(base, head, settings.rules)
        if base is not None and from_base
        else ChangedRules(),
    )
    if own or settings.rules.parameters:
        # Mistakes in these are told at once, whatever there is to judge.
        book.judge  # noqa: B018
    return book


def _builtin() -> tuple[RuleText, ...]:
    folder = data_path("policies")
    return tuple(
        RuleText(f"policies/{path.name}", path.read_bytes()) for path in sorted(folder.glob("*.py"))
    )


def _check_parameters(pack: "Pack", settings: RuleSettings, source: str) -> None:
    from meshplan.policy.parameters import given  # noqa: PLC0415 - see above

    for id_, values in settings.parameters.items():
        rule = pack.rule(id_)
        if rule is None:
            hint = did_you_mean(id_, [known.id for known in pack.rules])
            raise SettingsError(f'rules.parameters: no rule "{id_}"{hint}', path=source)
        given(rule, values)


def _known(mesh: Mesh) -> Known:
    """The hosts of one side: where the other lacks them, they are not elsewhere."""
    return Known(frozenset(mesh.registry.by_host))


def _digest(texts: Iterable[RuleText]) -> str:
    whole = hashlib.sha256()
    for text in texts:
        whole.update(f"{text.path}\0{len(text.content)}\0".encode("utf-8", "surrogatepass"))
        whole.update(text.content)
    return f"sha256:{whole.hexdigest()}"
