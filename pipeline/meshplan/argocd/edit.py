"""Set one annotation in the text of a manifest, and leave every other byte as it is.

The places come from ruamel.yaml's nodes; what is written is checked by reading it again.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError

#: How a comment begins that is ours to change.
OURS = "# meshplan:"
_OURS = re.compile(r"[ \t]*# meshplan:[^\r\n]*")
_BOM = "\ufeff"
#: A manifest is rarely longer; the reader that knows places is slow.
MAX_CHARACTERS = 4 * 1024 * 1024


class EditError(MeshplanError):
    """A manifest cannot be edited without changing more than is asked for."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation for one object of a file."""

    #: Which document of the stream, from 0.
    document: int
    #: Where the object is in it, as a JSON pointer.
    pointer: str
    name: str
    value: str
    #: Why, for the end of the line.
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str


def annotated(text: str, path: str, annotations: Sequence[Annotation]) -> str:
    """The text of a file with annotations set. Raises EditError where that cannot be done."""
    if len(text) > MAX_CHARACTERS:
        raise EditError("the file is too long to be edited", path=path)
    bom = _BOM if text.startswith(_BOM) else ""
    body = text.removeprefix(_BOM)
    nodes = list(_nodes(body, path))
    splices = []
    for one in annotations:
        if one.document >= len(nodes) or nodes[one.document] is None:
            raise EditError(f"the file has no document {one.document + 1}", path=path)
        splices.append(_splice(body, path, _object(nodes[one.document], one, path), one))
    edited = body
    for splice in sorted(splices, key=lambda s: s.start, reverse=True):
        edited = edited[: splice.start] + splice.text + edited[splice.end :]
    _check(body, edited, path, annotations)
    return bom + edited


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says about one object."""

    kind: str
    #: The value of the annotation; None where it has none.
    value: str | None
    #: Whether the line of the annotation says that it is ours.
    ours: bool


def written(text: str, path: str, one: Annotation) -> Written:
    """What the file says about the object of an annotation. Raises EditError if it is not there."""
    body = text.removeprefix(_BOM)
    nodes = list(_nodes(body, path))
    if one.document >= len(nodes):
        raise EditError(f"the file has no document {one.document + 1}", path=path)
    node = _object(nodes[one.document], one, path)
    kind = _value(node, "kind")
    entry = _value(_value(_value(node, "metadata"), "annotations"), one.name)
    shown = str(kind.value) if kind is not None else ""
    if entry is None:
        return Written(shown, None, ours=False)
    return Written(shown, str(entry.value), ours=bool(_OURS.match(body, entry.end_mark.index)))


def listed(text: str, path: str, key: str, item: str) -> str:
    """The text of a file with one more item in a list at its top. Raises EditError likewise."""
    body = text.removeprefix(_BOM)
    bom = text[: len(text) - len(body)]
    nodes = [node for node in _nodes(body, path) if node is not None]
    if len(nodes) != 1 or not _is(nodes[0], "map"):
        raise EditError("the file is not one mapping", path=path)
    found = _value(nodes[0], key)
    new = _newline(body)
    if found is None:
        end = "" if body.endswith("\n") else new
        edited = f"{body}{end}{key}:{new}- {item}{new}"
    elif not _is(found, "seq") or found.anchor:
        raise EditError(f"{key} is no list that can be edited", path=path)
    elif any(str(entry.value) == item for entry in found.value):
        return text
    elif found.flow_style:
        place = found.start_mark.index + 1
        edited = f"{body[:place]}{item}{', ' if found.value else ''}{body[place:]}"
    else:
        mark = found.start_mark
        start = mark.index - mark.column
        edited = f"{body[:start]}{' ' * mark.column}- {item}{new}{body[start:]}"
    old = [_plain(node) for node in _nodes(body, path)]
    made = [_plain(node) for node in _nodes(edited, path)]
    items = made[0].get(f"{_STR} {key}", []) if made and isinstance(made[0], dict) else []
    if [one for one in items if one != (_STR, item)] != (old[0].get(f"{_STR} {key}") or []):
        raise EditError(f"{key} cannot be edited without changing more", path=path)
    return bom + edited


def _nodes(text: str, path: str) -> Iterator[Any]:
    # Late: it takes 20 ms to import, and only stamping needs it.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    reader = YAML(pure=True)
    reader.version = (1, 1)
    try:
        yield from reader.compose_all(text)
    except (YAMLError, RecursionError, AttributeError, ValueError) as error:
        raise EditError("the file cannot be read as YAML", path=path) from error


def _object(document: Any, one: Annotation, path: str) -> Any:
    node = document
    for step in one.pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if _is(node, "seq") and key.isdecimal() and int(key) < len(node.value):
            node = node.value[int(key)]
        else:
            node = _value(node, key)
    if not _is(node, "map"):
        raise EditError(f"there is no object at {one.pointer or '/'}", path=path)
    return node


def _is(node: Any, kind: str) -> bool:
    return node is not None and str(getattr(node, "tag", "")) == f"tag:yaml.org,2002:{kind}"


def _value(node: Any, key: str) -> Any:
    """The value of a key of a mapping; None where there is none."""
    pairs = node.value if _is(node, "map") else ()
    return next((value for name, value in pairs if name.value == key), None)


def _pair(node: Any, key: str) -> tuple[Any, Any] | None:
    return next(((n, v) for n, v in node.value if n.value == key), None)


def _splice(text: str, path: str, node: Any, one: Annotation) -> _Splice:
    metadata = _pair(node, "metadata")
    if metadata is None or not _is(metadata[1], "map"):
        raise EditError("the object has no metadata", path=path)
    _own(metadata, path, text)
    inside = _pair(metadata[1], "annotations")
    if inside is None:
        return _first_annotation(text, metadata[1], one, path)
    _own(inside, path, text)
    key, value = inside
    if not _is(value, "map"):
        return _instead_of_nothing(text, key, value, one, path)
    entry = _pair(value, one.name)
    if entry is not None:
        _own(entry, path, text)
        return _other_value(text, value, entry[1], one)
    return _one_more(text, value, one, path)


def _own(pair: tuple[Any, Any], path: str, text: str) -> None:
    """Refuse a value that stands elsewhere: an alias, or what has an anchor for one."""
    key, value = pair
    between = text[key.end_mark.index : value.start_mark.index]
    if value.start_mark.index < key.end_mark.index or "*" in between or value.anchor:
        line = key.start_mark.line + 1
        raise EditError(
            "an alias stands for it, so other places would change too", path=path, line=line
        )


def _line(text: str, one: Annotation, indent: int) -> str:
    comment = f" {OURS} {_words(one.why)}" if one.why else ""
    return f"{' ' * indent}{one.name}: {json.dumps(one.value)}{comment}{_newline(text)}"


def _words(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))[:160]


def _newline(text: str) -> str:
    place = text.find("\n")
    return "\r\n" if place > 0 and text[place - 1] == "\r" else "\n"


def _flow_entry(one: Annotation) -> str:
    return f"{json.dumps(one.name)}: {json.dumps(one.value)}"


def _first_annotation(text: str, metadata: Any, one: Annotation, path: str) -> _Splice:
    if metadata.flow_style:
        more = ", " if metadata.value else ""
        place = metadata.start_mark.index + 1
        return _Splice(place, place, f'"annotations": {{{_flow_entry(one)}}}{more}')
    place, indent = _line_start(text, metadata, path)
    lines = f"{' ' * indent}annotations:{_newline(text)}{_line(text, one, indent + 2)}"
    return _Splice(place, place, lines)


def _one_more(text: str, value: Any, one: Annotation, path: str) -> _Splice:
    if value.flow_style:
        more = ", " if value.value else ""
        place = value.start_mark.index + 1
        return _Splice(place, place, f"{_flow_entry(one)}{more}")
    place, indent = _line_start(text, value, path)
    return _Splice(place, place, _line(text, one, indent))


def _line_start(text: str, mapping: Any, path: str) -> tuple[int, int]:
    """Where the line of the first key of a block mapping begins, and how far it is indented."""
    first = mapping.value[0][0].start_mark
    start = first.index - first.column
    if text[start : first.index].strip(" "):
        raise EditError("the first key is not on a line of its own", path=path, line=first.line + 1)
    return start, first.column


def _instead_of_nothing(text: str, key: Any, value: Any, one: Annotation, path: str) -> _Splice:
    if not _is(value, "null"):
        line = key.start_mark.line + 1
        raise EditError("the annotations are no mapping", path=path, line=line)
    start, end = value.start_mark.index, value.end_mark.index
    if end > start:
        return _Splice(start, end, f"{{{_flow_entry(one)}}}")
    place = text.find(":", key.end_mark.index) + 1
    return _Splice(place, place, f" {{{_flow_entry(one)}}}")


def _other_value(text: str, mapping: Any, value: Any, one: Annotation) -> _Splice:
    start, end = value.start_mark.index, value.end_mark.index
    if mapping.flow_style or value.style in ("|", ">"):
        return _Splice(start, end, json.dumps(one.value))
    ours = _OURS.match(text, end)
    rest = re.compile(r"[ \t]*(?=\r?\n|\Z)").match(text, end)
    comment = f" {OURS} {_words(one.why)}" if one.why and (ours or rest) else ""
    return _Splice(start, ours.end() if ours else end, json.dumps(one.value) + comment)


def _check(before: str, after: str, path: str, annotations: Sequence[Annotation]) -> None:
    """Read both again: nothing but the annotations may differ."""
    old, new = [list(_nodes(text, path)) for text in (before, after)]
    wanted: dict[int, list[Annotation]] = {}
    for one in annotations:
        wanted.setdefault(one.document, []).append(one)
    same = len(old) == len(new)
    for number, (was, now) in enumerate(zip(old, new, strict=False)):
        plain = _plain(was)
        for one in wanted.get(number, ()):
            _set(plain, one)
        same = same and plain == _plain(now)
    if not same:
        raise EditError("it cannot be edited without changing more than its annotations", path=path)


def _plain(node: Any) -> Any:
    """A node as comparable values; scalars with their tag."""
    if _is(node, "map"):
        return {_plain_key(key): _plain(value) for key, value in node.value}
    if _is(node, "seq"):
        return [_plain(value) for value in node.value]
    return None if node is None else (str(node.tag), node.value)


def _plain_key(node: Any) -> str:
    return f"{node.tag} {node.value}"


_STR = "tag:yaml.org,2002:str"


def _set(plain: Any, one: Annotation) -> None:
    for step in one.pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        plain = plain[int(key)] if isinstance(plain, list) else plain[f"{_STR} {key}"]
    metadata = plain[f"{_STR} metadata"]
    found = metadata.get(f"{_STR} annotations")
    if not isinstance(found, Mapping):
        found = {}
    metadata[f"{_STR} annotations"] = {**found, f"{_STR} {one.name}": (_STR, one.value)}
