"""Variables as Flux substitutes them after a build (`postBuild`): `${name}`, with shell's defaults.

Flux writes every object as YAML, replaces the variables in the text, and reads it again. So a
scalar that YAML writes without quotes takes the type of what is put in, and one that needs quotes
stays a string. `$${name}` stands for `${name}`; `$name` without braces is left alone.
"""

import re
from collections.abc import Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.source.yaml import read

_DISABLED = "kustomize.toolkit.fluxcd.io/substitute"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = re.compile(r"\$?\$\{(" + _NAME + r")((?:[^{}]|\$\{[^{}]*\})*)\}")
#: Texts for which a YAML writer needs quotes, or a block of lines.
_QUOTED = re.compile(r"^[\s\-?:,\[\]{}#&*!|>'\"%@`]|: |:$| #|\n|\s$")


@dataclass(frozen=True, slots=True)
class Substitution:
    """Values by name, and whether names without a value are empty or simply not known here."""

    values: Mapping[str, str]
    #: False where some values are in Secrets or outside the repository: `${name}` stays then.
    complete: bool = True

    def apply(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """An object with its variables substituted; the same object if it has none."""
        if _switched_off(value):
            return value
        changed = self._value(value)
        return changed if isinstance(changed, Mapping) else value

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._scalar(value) if "${" in value else value
        if isinstance(value, Mapping):
            pairs = {self._text(k) if "${" in k else k: self._value(v) for k, v in value.items()}
            same = all(pairs.get(key) is inner for key, inner in value.items())
            return value if same else pairs
        if isinstance(value, list):
            items = [self._value(item) for item in value]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
        return value

    def _scalar(self, text: str) -> Any:
        replaced = self._text(text)
        if replaced == text or _QUOTED.search(text):
            return replaced
        documents = read(replaced.encode("utf-8", "surrogateescape")).documents
        return documents[0].value if len(documents) == 1 else replaced or None

    def _text(self, text: str) -> str:
        return _VARIABLE.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        whole, name, operation = found[0], found[1], found[2]
        if whole.startswith("$$"):
            return whole[1:]
        value = self.values.get(name)
        if value is None and not self.complete:
            return whole
        default = _default(value, operation)
        if default is not None:
            # Only what is written may hold variables again; what is put in is taken as it is.
            return self._text(default)
        result = _operated(value or "", operation)
        return whole if result is None else result


def _default(value: str | None, operation: str) -> str | None:
    """What stands for a value that is missing; None if it is not, or if nothing does."""
    for sign in (":-", ":=", "-", "="):
        if operation.startswith(sign):
            missing = not value if sign.startswith(":") else value is None
            return operation[len(sign) :] if missing else None
    return None


def _operated(text: str, operation: str) -> str | None:
    """The value after the operation behind its name; None for an operation that is not known."""
    if not operation or operation.startswith((":-", ":=", "-", "=")):
        return text
    simple = {"^^": text.upper(), ",,": text.lower(), "^": text.capitalize()}
    if operation in simple:
        return simple[operation]
    return _cut(text, operation)


def _cut(text: str, operation: str) -> str | None:
    part = re.fullmatch(r":(\d+)(?::(\d+))?", operation)
    if part:
        start = int(part[1])
        return text[start : start + int(part[2])] if part[2] else text[start:]
    replaced = re.fullmatch(r"(//?)([^/]+)/([^/]*)", operation)
    if replaced:
        return text.replace(replaced[2], replaced[3], -1 if replaced[1] == "//" else 1)
    return None


def _switched_off(value: Mapping[str, Any]) -> bool:
    metadata = value.get("metadata")
    for field in ("annotations", "labels"):
        marks = metadata.get(field) if isinstance(metadata, Mapping) else None
        if isinstance(marks, Mapping) and marks.get(_DISABLED) == "disabled":
            return True
    return False
