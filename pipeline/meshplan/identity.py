"""Who a Kubernetes object is, whatever its version says."""

from collections.abc import Mapping
from typing import Self

from meshplan.dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """Group, kind, namespace and name: the identity of an object in one cluster.

    There is no API version in it: `v1beta1` and `v1` of one object are the same object.
    `group` is "" for the core group; `namespace` is "" for cluster-scoped objects.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"

    def to_json(self) -> dict[str, str | None]:
        """The identity as the result document writes it."""
        return {
            "group": self.group,
            "kind": self.kind,
            "namespace": self.namespace or None,
            "name": self.name,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, str | None]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            value["group"] or "", value["kind"] or "", value["namespace"] or "", value["name"] or ""
        )
