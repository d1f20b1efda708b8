"""ConfigMap and Secret."""

import base64
from collections.abc import Iterable, Mapping

from meshplan.kinds.kind import Kind
from meshplan.resource import Manifest


def _locked(before: Manifest, _after: Manifest) -> Iterable[str]:
    """What is marked as immutable stays so until it is deleted."""
    return (
        ("data", "binaryData", "stringData", "immutable") if before.get("immutable") is True else ()
    )


def _encoded(manifest: Manifest) -> Manifest:
    """The API server moves `stringData` into `data`, where it wins."""
    plain, data = manifest.get("stringData"), manifest.get("data") or {}
    if not isinstance(plain, Mapping) or not isinstance(data, Mapping):
        return manifest
    if not all(isinstance(value, str) for value in plain.values()):
        return manifest
    moved = {key: base64.b64encode(_bytes(value)).decode() for key, value in plain.items()}
    rest = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**rest, "data": {**data, **moved}}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


CONFIG_MAP = Kind(
    group="",
    kind="ConfigMap",
    plural="configmaps",
    scope="Namespaced",
    versions=("v1",),
    defaults={"data": {}, "binaryData": {}, "immutable": False},
    locked=_locked,
)

SECRET = Kind(
    group="",
    kind="Secret",
    plural="secrets",
    scope="Namespaced",
    versions=("v1",),
    defaults={"data": {}, "type": "Opaque", "immutable": False},
    immutable=("type",),
    locked=_locked,
    rewrite=_encoded,
)
