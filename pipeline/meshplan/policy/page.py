"""The page of a rule, which is its docstring: what, why, the remedy, and examples that are tests.

    Title, one sentence.

    Why: …
    Fix: …
    See: https://…

    Good:
        manifests, or `before:` and `after:` with manifests below each

    Bad:
        …

There may be several examples of a kind. They are run as they stand: nothing else is in the mesh.
"""

import inspect
from collections.abc import Iterator

from meshplan.dataclass import dataclass

_SECTIONS = ("Why", "Fix", "See", "Good", "Bad")


@dataclass(frozen=True, slots=True)
class Example:
    """Manifests that a rule is shown; `before` is empty for an example without a change."""

    before: str
    after: str
    #: Line of the docstring, from 0, on which its manifests begin.
    line: int

    @property
    def is_change(self) -> bool:
        """Whether it shows a change."""
        return bool(self.before)


@dataclass(frozen=True, slots=True)
class Page:
    """What the docstring of a rule says."""

    title: str
    why: str = ""
    fix: str = ""
    see: tuple[str, ...] = ()
    good: tuple[Example, ...] = ()
    bad: tuple[Example, ...] = ()


def page_of(docstring: str) -> Page:
    """The parts of a docstring; a part that is missing is empty."""
    lines = inspect.cleandoc(docstring).splitlines()
    found: dict[str, list[tuple[int, list[str]]]] = {name: [] for name in _SECTIONS}
    for name, line, block in _blocks(lines):
        found[name].append((line, block))
    return Page(
        title=" ".join(_until_blank(lines)),
        why=_prose(found["Why"]),
        fix=_prose(found["Fix"]),
        see=tuple(text for _, block in found["See"] for text in " ".join(block).split()),
        good=tuple(_example(line, block) for line, block in found["Good"]),
        bad=tuple(_example(line, block) for line, block in found["Bad"]),
    )


def _blocks(lines: list[str]) -> Iterator[tuple[str, int, list[str]]]:
    """Each section: its name, where it begins, and its lines, without their common indentation."""
    starts = [
        (index, line.partition(":")[0])
        for index, line in enumerate(lines)
        if line.partition(":")[0] in _SECTIONS
    ]
    ends = [*(index for index, _ in starts[1:]), len(lines)]
    for (index, name), end in zip(starts, ends, strict=False):
        rest = lines[index].partition(":")[2].strip()
        below = inspect.cleandoc("\n".join(["", *lines[index + 1 : end]])).splitlines()
        yield name, index + 1, [rest, *below] if rest else below


def _until_blank(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            return
        yield line.strip()


def _prose(blocks: list[tuple[int, list[str]]]) -> str:
    return "\n\n".join(" ".join(" ".join(block).split()) for _, block in blocks)


def _example(line: int, block: list[str]) -> Example:
    if not block or block[0].rstrip() != "before:":
        return Example("", "\n".join(block), line)
    split = next((i for i, text in enumerate(block) if text.rstrip() == "after:"), len(block))
    before, after = (
        inspect.cleandoc("\n".join(["", *part])) for part in (block[1:split], block[split + 1 :])
    )
    return Example(before, after, line)
