"""Text that becomes YAML only once a template engine has run over it.

Nothing here expands a template. What is asked is only: is templating the reason why this text is no
YAML? It is if the text is YAML once every placeholder is a word and every line of nothing but
directives is gone; for engines with control flow also if the parser stumbled over a directive.
"""

import re
from collections.abc import Callable

from meshplan.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A way to write templates."""

    name: str
    #: What to tell the reader about a file in it.
    message: str
    pattern: re.Pattern[str]
    #: Whether it has loops and conditions, so that what it leaves out may be anything.
    programs: bool


# A placeholder ends before the next one begins, or after so many characters: searching a text for
# them takes time in proportion to its length, whatever the text.
_ACTION = r"\{\{(?:(?!\{\{|\}\}).)*\}\}"
_STATEMENT = r"\{%(?:(?!\{%|%\}).)*%\}"
_NOTE = r"\{#(?:(?!\{#|#\}).)*#\}"
_NESTED = r"\$\{[^{}\n]{0,100}\}"

_JINJA = Language(
    "jinja",
    "this file is a Jinja template, and is not read: it is no YAML until it is rendered",
    re.compile(f"{_STATEMENT}|{_NOTE}|{_ACTION}", re.DOTALL),
    programs=True,
)
_GO = Language(
    "go",
    "this file is a Go template, and is not read: it is no YAML until it is rendered",
    re.compile(_ACTION, re.DOTALL),
    programs=True,
)
_YTT = Language(
    "ytt",
    "this file is a ytt template; it is read without what ytt would put in",
    re.compile(
        r"(?:^|\s)#@[ ]{0,9}(?:load\(|def\b|end\b|if\b|elif\b|else\b|for\b|overlay/|data/|schema/"
        r"|library/|yaml/|template\.|data\.values\b)",
        re.MULTILINE,
    ),
    programs=True,
)
_SHELL = Language(
    "shell",
    "this document is no YAML until its ${VAR} placeholders are filled in, and is not read",
    re.compile(r"\$\{[A-Za-z_](?:" + _NESTED + r"|\$(?!\{)|[^}$\n]){0,200}\}"),
    programs=False,
)
_MAKE = Language(
    "make",
    "this document is no YAML until its $(VAR) placeholders are filled in, and is not read",
    re.compile(r"\$\([A-Za-z_][\w.-]{0,200}\)"),
    programs=False,
)
_LANGUAGES = {language.name: language for language in (_JINJA, _GO, _YTT, _SHELL, _MAKE)}
_JINJA_STATEMENT = re.compile(_STATEMENT, re.DOTALL)
_WORD = "x"


def message(name: str) -> str:
    """What to tell the reader about a file in a template language."""
    return _LANGUAGES[name].message


def language_of(text: str, line: int, is_yaml: Callable[[str], bool]) -> str:
    """The template language that keeps a text from being YAML, or "".

    `line` is where the parser gave up, from 1.
    """
    for language in _LANGUAGES.values():
        if not language.pattern.search(text):
            continue
        if language is _JINJA and not _JINJA_STATEMENT.search(text):
            continue
        if language.programs and _on_line(language, text, line):
            return language.name
        if is_yaml(_neutral(language, text)):
            return language.name
    return ""


def is_ytt(data: bytes) -> bool:
    """Whether a file holds directives of ytt, which are YAML comments."""
    return b"#@" in data and bool(_YTT.pattern.search(data.decode()))


def first_line(name: str, text: str) -> int:
    """The line of the first placeholder or directive, from 1."""
    found = _LANGUAGES[name].pattern.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _on_line(language: Language, text: str, line: int) -> bool:
    """Whether there is a directive on a line or beside it: libyaml complains at times too late."""
    beside = text.split("\n")[max(0, line - 2) : line + 1]
    return bool(language.pattern.search("\n".join(beside)))


def _neutral(language: Language, text: str) -> str:
    """The text with words for placeholders, and without lines of nothing but directives."""
    marked = language.pattern.sub(lambda found: "\0" + "\n" * found[0].count("\n"), text)
    lines = (
        ""
        if "\0" in line and not line.replace("\0", "").strip(" \t-")
        else line.replace("\0", _WORD)
        for line in marked.split("\n")
    )
    return "\n".join(lines)
