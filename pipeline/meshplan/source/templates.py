"""Text that only becomes YAML once a template engine has run over it."""

import re

_GO = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_YTT = re.compile(r"(?:^|\s)#@|\(@=?.*?@\)", re.MULTILINE)
_SHELL = re.compile(r"\$\{[A-Za-z_][^}\n]*\}")
_MAKE = re.compile(r"\$\([A-Za-z_][\w.-]*\)")
#: By name, in the order in which they are tried: Jinja writes `{{ }}` too.
LANGUAGES = (
    ("jinja", _JINJA),
    ("go", _GO),
    ("ytt", _YTT),
    ("shell", _SHELL),
    ("make", _MAKE),
)


def language(text: str) -> str:
    """The template language that a text shows signs of, or ""."""
    return next((name for name, pattern in LANGUAGES if pattern.search(text)), "")
