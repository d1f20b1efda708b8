"""Glob patterns for paths: those of `.gitignore` and the settings, and those of Argo CD.

`*` and `?` stay within a folder unless said otherwise, `**` crosses folders, `[a-z]` is a class.
Patterns of manifests may be hostile, so what is made of them never backtracks far.
"""

import re
from collections.abc import Callable, Iterable, Sequence

Matches = Callable[[str], bool]

_MOST_CHOICES = 64


def matcher(patterns: Iterable[str]) -> Matches:
    """A test whether a path, or a folder it is in, matches one of the patterns, as in .gitignore.

    A pattern without an inner "/" may match at any depth, one with it is anchored at the root of
    the repository; one that ends with "/" only matches folders.
    """
    expressions = [_ignoring(pattern.strip()) for pattern in patterns if pattern.strip(" /")]
    if not expressions:
        return lambda _: False
    compiled = re.compile("|".join(f"(?:{expression})" for expression in expressions))
    return lambda path: compiled.match(path) is not None


def anchored(patterns: Iterable[str]) -> Matches:
    """A test as `matcher` makes it, with every pattern anchored at the root; "." matches all."""
    texts = [pattern.strip().removeprefix("./").strip("/") for pattern in patterns]
    if "." in texts or "" in texts:
        return lambda _: True
    bodies = "|".join(f"(?:{_translated(text)})" for text in texts)
    compiled = re.compile(rf"(?:{bodies})(?:/|\Z)")
    return lambda path: bool(texts) and compiled.match(path) is not None


def alternatives(pattern: str) -> Matches:
    """A test as Argo CD's `include` and `exclude` mean it: `*` crosses folders, `{a,b}` is a choice.

    An empty pattern matches nothing.
    """
    if not pattern:
        return lambda _: False
    compiled = [re.compile(_straight(part, "."), re.DOTALL) for part in _choices(pattern)]
    return lambda path: any(found.fullmatch(path) is not None for found in compiled)


def folder_matcher(pattern: str) -> Matches:
    """A test whether a whole path matches."""
    steps = [
        None if step == "**" else re.compile(_straight(step, "[^/]"))
        for step in pattern.strip("/").split("/")
    ]
    return lambda path: _follows(steps, path.split("/"))


def _follows(steps: Sequence[re.Pattern[str] | None], path: Sequence[str]) -> bool:
    """Whether the steps match the folders of a path; None stands for any number of folders."""
    reached = {0}
    for name in path:
        reached = _skipping(steps, reached)
        ahead = {at for at in reached if at < len(steps) and steps[at] is None}
        for at in reached:
            step = steps[at] if at < len(steps) else None
            if step is not None and step.fullmatch(name):
                ahead.add(at + 1)
        reached = ahead
    return len(steps) in _skipping(steps, reached)


def _skipping(steps: Sequence[re.Pattern[str] | None], reached: set[int]) -> set[int]:
    """The steps reached, and those behind a `**` that matches no folder at all."""
    found = set(reached)
    for at, step in enumerate(steps):
        if at in found and step is None:
            found.add(at + 1)
    return found


def _choices(pattern: str) -> Sequence[str]:
    """The patterns that `{a,b}` stands for."""
    found = [pattern]
    for _ in range(_MOST_CHOICES):
        index = next((i for i, text in enumerate(found) if re.search(r"\{[^{}]*\}", text)), None)
        if index is None or len(found) >= _MOST_CHOICES:
            break
        text = found.pop(index)
        before, rest = text[: text.index("}")].rpartition("{")[0], text[text.index("}") + 1 :]
        words = text[len(before) + 1 : text.index("}")].split(",")
        found[index:index] = [f"{before}{word}{rest}" for word in words]
    return found


def _ignoring(pattern: str) -> str:
    deep = "/" not in pattern.strip("/") and not pattern.startswith("/")
    suffix = "/" if pattern.endswith("/") else r"(?:/|\Z)"
    return ("(?:.*/)?" if deep else "") + _translated(pattern.strip("/")) + suffix


def _translated(pattern: str) -> str:
    """A pattern of the user as a regular expression."""
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern)
    stars = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return "".join(stars.get(part) or _fixed(part, "[^/]") for part in parts)


def _straight(pattern: str, anything: str) -> str:
    """A pattern in which all stars are alike as a regular expression that never backtracks.

    What stands between two stars is best found at the first place where it is, so once found
    (an atomic group) it need not be looked for again.
    """
    first, *rest = [_fixed(part, anything) for part in re.split(r"\*+", pattern)]
    if not rest:
        return first
    between = "".join(f"(?>{anything}*?{part})" for part in rest[:-1] if part)
    # The end is looked for from the end.
    return f"{first}{between}{anything}*{rest[-1]}"


def _fixed(pattern: str, anything: str) -> str:
    """A piece of a pattern without stars."""
    parts = re.split(r"(\[[!^]?[^\]][^\]]*\])", pattern)
    found = []
    for part in parts:
        if part.startswith("[") and len(part) > 2:
            found.append(_class(part[1:-1]))
        else:
            found.extend(anything if sign == "?" else re.escape(sign) for sign in part)
    return "".join(found)


def _class(body: str) -> str:
    """`a-z` or `!a-z` as a class of characters; a range that is none is three characters."""
    negated = len(body) > 1 and body[0] in ("!", "^")
    signs = body[1:] if negated else body
    found = []
    while signs:
        if len(signs) > 2 and signs[1] == "-" and signs[0] <= signs[2]:
            found.append(f"{re.escape(signs[0])}-{re.escape(signs[2])}")
            signs = signs[3:]
        else:
            found.append(re.escape(signs[0]))
            signs = signs[1:]
    return f"(?!/)[{'^' if negated else ''}{''.join(found)}]"
