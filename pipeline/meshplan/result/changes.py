"""Changes as they are shown and written down, without anything secret."""

import re
from collections.abc import Mapping
from typing import Any, assert_never

from meshplan.diff import (
    ABSENT,
    Change,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
    id_of,
)
from meshplan.location import Location


def action_of(change: Change) -> str:
    """The word for a change."""
    match change:
        case Create():
            return "create"
        case Delete():
            return "delete"
        case Update():
            return "update"
        case Replace():
            return "replace"
        case Rename():
            return "rename"
        case _:
            assert_never(change)


def change_to_json(change: Change) -> dict[str, Any]:
    """A change as the result document writes it."""
    before = None if isinstance(change, Create) else change.before
    after = None if isinstance(change, Delete) else change.after
    written = {
        "action": action_of(change),
        "id": id_of(change).to_json(),
        "fields": [_field(entry) for entry in shown_fields(change)],
        "base": _place(before.origin.location() if before else None),
        "head": _place(after.origin.location() if after else None),
    }
    return written | {"was": change.before.id.to_json()} if isinstance(change, Rename) else written


def shown_fields(change: Change) -> tuple[FieldChange, ...]:
    """The changed fields, without anything secret: of a Secret, only which fields changed.

    Every report that shows values takes them from here.
    """
    match change:
        case Update(before, after, fields) | Replace(before, after, fields):
            secret = before.is_secret or after.is_secret
            return tuple(_hide(entry, secret=secret) for entry in fields)
        case _:
            return ()


#: What stands for a value that is not shown.
HIDDEN = "(hidden)"

#: Where a Secret has nothing secret. Annotations are not among it: `kubectl apply` keeps a copy of
#: the whole object in one.
_PUBLIC = re.compile(r"(?:apiVersion|kind|type|immutable|metadata\.(?:name|labels)(?:[.[].*)?)\Z")
#: A list item in a path, which may be named by what it holds; a key in brackets has quotes.
_ITEM = re.compile(r"\[(?!\")[^\]]*\]")


def _hide(entry: FieldChange, *, secret: bool) -> FieldChange:
    if secret and not _PUBLIC.match(entry.path):
        path = _ITEM.sub("[…]", entry.path)
        return FieldChange(path, _keys_only(entry.before), _keys_only(entry.after))
    return FieldChange(
        entry.path, _without_ciphertext(entry.before), _without_ciphertext(entry.after)
    )


def _keys_only(value: Any) -> Any:
    if value is ABSENT:
        return ABSENT
    return dict.fromkeys(value, HIDDEN) if isinstance(value, Mapping) else HIDDEN


def _without_ciphertext(value: Any) -> Any:
    match value:
        case str() if value.startswith("ENC["):
            return HIDDEN
        case Mapping():
            return {key: _without_ciphertext(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_ciphertext(item) for item in value]
        case _:
            return value


def _field(entry: FieldChange) -> dict[str, Any]:
    """A changed field; absent values are left out."""
    shown = {"before": entry.before, "after": entry.after}
    return {"path": entry.path} | {k: v for k, v in shown.items() if v is not ABSENT}


def _place(location: Location | None) -> dict[str, Any] | None:
    return {"path": location.path, "line": location.line} if location else None
