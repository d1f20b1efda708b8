"""What changes between two snapshots of one target."""

from meshplan.diff.change import (
    ABSENT,
    Absent,
    Change,
    ChangeSet,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
    id_of,
)
from meshplan.diff.objects import diff

__all__ = [
    "ABSENT",
    "Absent",
    "Change",
    "ChangeSet",
    "Create",
    "Delete",
    "FieldChange",
    "Rename",
    "Replace",
    "Update",
    "diff",
    "id_of",
]
