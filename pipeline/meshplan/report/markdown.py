"""The report for a pull request, in GitHub's Markdown, within the size of a comment.

The first screen has the answer and what could change a reader's mind; below it each target has its
plan, and everything else is folded. Each part is a block that can be written in several sizes:
what does not fit gives way block by block, and the last lines say what was left out.

The templates are ours. Whatever they print is escaped as `prose` unless a filter has made it
something else, so that nothing of a manifest gets out of its place (see escape.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshplan import __version__
from meshplan.report import escape, firstscreen, verdicts, wording
from meshplan.report.escape import code, fence, html_code, prose
from meshplan.report.fitting import Block, fit, size
from meshplan.report.layout import View
from meshplan.report.sections import findings_of, section
from meshplan.report.verdicts import Weight
from meshplan.result import Result, TargetResult

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule

__all__ = ["LIMIT", "code", "fence", "html_code", "prose", "render"]

LIMIT = View().limit
#: How many targets are told of in full, the more the better.
_TARGETS = (20, 8, 3, 1, 0)

_ALERTS = {
    Weight.BAD: "CAUTION",
    Weight.UNSURE: "WARNING",
    Weight.TOLD: "NOTE",
    Weight.GOOD: "",
}
_NAMES = ("kapp", "kubectl")
#: A commit by its whole name, which tells a reader no more than its beginning.
_COMMIT = re.compile(r"\b([0-9a-f]{9})[0-9a-f]{31}\b")

#: What gives way first, in front.
_GIVES_WAY = (
    "coverage",
    "assumptions",
    "fixed findings",
    "findings that were there before",
    "waived findings",
    "ways back",
    "changed fields",
    "graphs",
    "changes",
    "plans",
    "other targets",
)
#: What gives way only where nothing else is left to.
_STAYS = ("cases", "new findings", "what was not read")
_ALL = (*_GIVES_WAY, *_STAYS)


def render(result: Result, view: View) -> str:
    """The report with as much detail as fits."""
    digest = _digest(result)
    room = view.limit - size(_ending(result, digest, _ALL))
    changed = firstscreen.worst_first(result)
    alone = len(changed) == 1
    told = [section(target, alone=alone) for target in changed[: _TARGETS[0]]]
    blocks: tuple[Block, ...] = ()
    for full in dict.fromkeys(min(number, len(told)) for number in _TARGETS):
        blocks = tuple(_blocks(result, view, told[:full], changed[full:]))
        fit(blocks, room, _GIVES_WAY)
        if full < 2:
            fit(blocks, room, _STAYS)
        if sum(block.size for block in blocks) <= room:
            break
    else:
        return _alone(result, view, digest)
    cut = dict.fromkeys(block.name for block in blocks if block.is_cut)
    return "".join(block.text for block in blocks) + _ending(result, digest, cut)


def _alone(result: Result, view: View, digest: str) -> str:
    """The first screen and nothing else, for the smallest of limits."""
    head = next(_blocks(result, view, (), ())).text
    return head + _ending(result, digest, ("everything else",))


@cache
def _templates() -> "TemplateModule":
    # Late: jinja2 takes 45 ms to import, and the other reports need none of it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    def escaped(value: object) -> Markup:
        return value if isinstance(value, Markup) else Markup(prose(value))  # noqa: S704

    def marked(write: Callable[..., str]) -> Callable[..., Markup]:
        return lambda *args: Markup(write(*args))  # noqa: S704 - it has escaped what it was given

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        # Before jinja2 escapes for HTML, which is not what Markdown needs.
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"alerts": _ALERTS, "marks": firstscreen.MARKS}
    environment.filters |= {
        "code": marked(code),
        "html_code": marked(html_code),
        "fence": marked(fence),
        "place": marked(escape.place),
        "short": marked(prose),
        "count": wording.count,
        "sentence": _sentence,
    }
    return environment.get_template("markdown.md.jinja").module


def _write(name: str, **values: Any) -> Callable[[int], str]:
    """What a macro of the templates writes, for a number of rows."""
    macro = getattr(_templates(), name)
    return lambda rows: str(macro(rows=rows, **values)) if rows or name in _ALWAYS else ""


#: Macros that have something to say without any row.
_ALWAYS = ("head", "title", "points", "plan", "changes", "findings", "unread", "others")


def _blocks(
    result: Result,
    view: View,
    told: Sequence[Mapping[str, Any]],
    rest: Sequence[TargetResult],
) -> Iterator[Block]:
    """The page: some targets in full, and the rest by their verdicts."""
    yield Block("head", _write("head", **_head(result), tree=view.tree), (0,))
    yield from _global(result, view)
    for target in told:
        yield from _target(target, view)
    if rest:
        named = [(one.name, verdicts.verdict(one), len(one.changes)) for one in rest]
        write = _write("others", targets=named)
        yield Block("other targets", write, (300, 100, 30, 0), len(rest))
    yield from _appendix(result, view)


def _head(result: Result) -> dict[str, Any]:
    return {
        "mark": firstscreen.mark(result),
        "headline": wording.headline(result),
        "compared": _COMMIT.sub(r"\1", wording.compared(result)),
        "counts": wording.change_counts(result),
        "targets": (len(wording.changed(result)), len(result.targets)),
        "remarks": firstscreen.remarks(result),
    }


def _global(result: Result, view: View) -> Iterator[Block]:
    unread, problems = wording.unread(result), result.problems
    if unread or problems:
        write = _write("unread", unread=unread, problems=problems)
        yield Block("what was not read", write, (100, 30, 10, 3), len(unread) + len(problems))
    found = wording.to_show(result)
    if found:
        write = _write("findings", title=wording.severities(found), tree=view.tree, **_list(found))
        yield Block("new findings", write, (100, 30, 10, 3), len(found))


def _list(found: Sequence[Any]) -> Mapping[str, Any]:
    return {"findings": findings_of(found)}


def _target(target: Mapping[str, Any], view: View) -> Iterator[Block]:
    yield Block("title", _write("title", target=target), (0,))
    for name, macro, rows, total in (
        ("cases", "points", (8, 4, 2, 1), target["cases"]),
        ("plans", "plan", (300, 100, 40, 15), target["steps"]),
        ("graphs", "graph", (100, 30, 0), len(target["edges"])),
        ("changes", "changes", (200, 60, 20, 5), len(target["changes"])),
        ("changed fields", "fields", (500, 150, 40, 0), target["lines"]),
        ("ways back", "back", (200, 40, 0), target["undone"]),
    ):
        if total or name == "cases":
            yield Block(name, _write(macro, target=target, tree=view.tree), rows, total)


def _appendix(result: Result, view: View) -> Iterator[Block]:
    for name, found in wording.kept(result):
        write = _write("kept", title=name, tree=view.tree, **_list(found))
        yield Block(_KEPT[name], write, (60, 15, 0), len(found))
    skipped = wording.skipped(result)
    if skipped:
        yield Block("coverage", _write("coverage", skipped=skipped), (60, 15, 0), len(skipped))
    if result.assumptions:
        write = _write("assumptions", assumptions=result.assumptions)
        yield Block("assumptions", write, (60, 15, 0), len(result.assumptions))


_KEPT = {
    "there before": "findings that were there before",
    "fixed by this change": "fixed findings",
    "waived": "waived findings",
}


def _digest(result: Result) -> str:
    """Which plan it is, as the saved result has it; working it out takes long for large plans."""
    # Late: it reads all that a saved result may hold, and the other reports need none of it.
    from meshplan.result.saved import plan_digest  # noqa: PLC0415

    plans = [
        {"name": target.name, "plan": target.plan and {"digest": target.plan.digest}}
        for target in result.targets
    ]
    return plan_digest({"targets": plans}) if any(plan["plan"] for plan in plans) else ""


def _ending(result: Result, digest: str, cut: Iterable[str]) -> str:
    """Commands, digests, and what was left out."""
    write = _write(
        "ending",
        commands=wording.commands(result),
        digest=digest,
        version=__version__,
        cut=wording.listing(tuple(cut)),
        verdict=str(result.verdict),
        status=result.exit_status,
    )
    return write(1)


def _sentence(text: str) -> str:
    """With a capital letter, unless the first word is the name of a program."""
    is_name = text.split(" ", maxsplit=1)[0].removesuffix("'s") in _NAMES
    return text if is_name else text[:1].upper() + text[1:]
