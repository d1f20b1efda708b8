"""Glob patterns for paths of a repository, as `.gitignore` and `.meshplan.yaml` users know them."""

import re
from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A test whether a path, or a folder it is in, matches one of the patterns.

    `*` and `?` stay within a folder, `**` crosses folders, `[a-z]` is a class. A pattern without
    an inner "/" may match at any depth, one with it is anchored at the root of the repository.
    """
    expressions = [_expression(pattern) for pattern in patterns if pattern.strip("/ ")]
    if not expressions:
        return lambda _: False
    compiled = re.compile("|".join(f"(?:{expression})" for expression in expressions))
    return lambda path: compiled.match(path) is not None


def anchored(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A test as `matcher` makes it, with every pattern anchored at the root; "." matches all."""
    texts = [pattern.strip().removeprefix("./").strip("/") for pattern in patterns]
    if "." in texts or "" in texts:
        return lambda _: True
    bodies = "|".join(f"(?:{_translated(text)})" for text in texts)
    compiled = re.compile(rf"(?:{bodies})(?:/|\Z)")
    return lambda path: bool(texts) and compiled.match(path) is not None


def alternatives(pattern: str) -> Callable[[str], bool]:
    """A test as Argo CD's `include` and `exclude` mean it: `*` crosses folders, `{a,b}` is a choice.

    An empty pattern matches nothing.
    """
    if not pattern:
        return lambda _: False
    parts = [_translated(part).replace("[^/]", ".") for part in _choices(pattern)]
    compiled = re.compile("|".join(f"(?:{part})\\Z" for part in parts))
    return lambda path: compiled.match(path) is not None


def folder_matcher(pattern: str) -> Callable[[str], bool]:
    """A test whether a whole path matches; `*` stays within a folder, `**` crosses folders."""
    compiled = re.compile(_translated(pattern.strip("/")) + r"\Z")
    return lambda path: compiled.match(path) is not None


def _choices(pattern: str, limit: int = 64) -> Iterable[str]:
    """The patterns that `{a,b}` stands for, one level deep."""
    found = [pattern]
    while (opened := re.search(r"\{([^{}]*)\}", found[0])) and len(found) < limit:
        words = opened[1].split(",")
        found = [
            f"{p[: opened.start()]}{word}{p[opened.end() :]}" for p in found[:1] for word in words
        ] + found[1:]
        if not any("{" in p for p in found):
            break
        found.sort(key=lambda p: "{" not in p)
    return found


def _expression(pattern: str) -> str:
    body = pattern.strip()
    folder_only = body.endswith("/")
    deep = "/" not in body.strip("/") and not body.startswith("/")
    prefix = "(?:.*/)?" if deep else ""
    suffix = "/" if folder_only else r"(?:/|\Z)"
    return prefix + _translated(body.strip("/")) + suffix


def _translated(pattern: str) -> str:
    """The body of a pattern as a regular expression without quantifiers that can backtrack far."""
    out = []
    position = 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            out.append("(?:.*/)?")
            position += 3
        elif pattern.startswith("**", position):
            out.append(".*")
            position += 2
        else:
            out.append(_one(pattern, position))
            position += _length(pattern, position)
    return "".join(out)


def _one(pattern: str, position: int) -> str:
    character = pattern[position]
    if character == "*":
        return "[^/]*"
    if character == "?":
        return "[^/]"
    if character == "[" and _length(pattern, position) > 1:
        body = pattern[position + 1 : position + _length(pattern, position) - 1]
        negated = body.startswith(("!", "^"))
        inner = body[1:] if negated else body
        escaped = inner.replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
        return f"(?!/)[{'^' if negated else ''}{escaped}]"
    return re.escape(character)


def _length(pattern: str, position: int) -> int:
    """How many characters of the pattern belong together here: a class, or one."""
    if pattern[position] != "[":
        return 1
    end = pattern.find(
        "]", position + 3 if pattern[position + 1 :][:1] in ("!", "^") else position + 2
    )
    return end - position + 1 if end > 0 else 1
