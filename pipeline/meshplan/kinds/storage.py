"""PersistentVolumeClaim, PersistentVolume and StorageClass."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from meshplan.kinds.kind import Kind, under
from meshplan.kinds.readings import quantities, quantity
from meshplan.resource import Manifest

#: The spec of a claim; a StatefulSet and a Pod can hold one as well.
CLAIM_KEYS: Mapping[str, tuple[str, ...]] = {"accessModes": ()}
CLAIM_DEFAULTS: Mapping[str, object] = {"volumeMode": "Filesystem"}
CLAIM_READINGS = quantities("resources.requests.*", "resources.limits.*")

#: What a Pod and a PersistentVolume assume about what a volume is on.
SOURCE_DEFAULTS: Mapping[str, object] = {
    "azureDisk.cachingMode": "ReadWrite",
    "azureDisk.fsType": "ext4",
    "azureDisk.kind": "Shared",
    "azureDisk.readOnly": False,
    "hostPath.type": "",
    "iscsi.iscsiInterface": "default",
    "rbd.keyring": "/etc/ceph/keyring",
    "rbd.pool": "rbd",
    "rbd.user": "admin",
    "scaleIO.fsType": "xfs",
    "scaleIO.storageMode": "ThinProvisioned",
}

#: What a volume is on can never change.
_SOURCES = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)


def _locked(before: Manifest, after: Manifest) -> Iterable[str]:
    """A claim may grow, where its class allows it, but never shrink."""
    old, new = (_requested(manifest) for manifest in (before, after))
    if isinstance(old, Fraction) and isinstance(new, Fraction) and new >= old:
        return ()
    return ("spec.resources.requests.storage",)


def _requested(manifest: Manifest) -> Any:
    value: Any = manifest
    for name in ("spec", "resources", "requests", "storage"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return quantity(value)


PERSISTENT_VOLUME_CLAIM = Kind(
    group="",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    scope="Namespaced",
    versions=("v1",),
    list_keys=under("spec", CLAIM_KEYS),
    defaults=under("spec", CLAIM_DEFAULTS),
    readings=under("spec", CLAIM_READINGS),
    immutable=(
        "spec.accessModes",
        "spec.dataSource",
        "spec.dataSourceRef",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeMode",
        "spec.volumeName",
    ),
    locked=_locked,
)

PERSISTENT_VOLUME = Kind(
    group="",
    kind="PersistentVolume",
    plural="persistentvolumes",
    scope="Cluster",
    versions=("v1",),
    list_keys={"spec.accessModes": ()},
    defaults={
        "spec.persistentVolumeReclaimPolicy": "Retain",
        "spec.volumeMode": "Filesystem",
        **under("spec", SOURCE_DEFAULTS),
    },
    readings=quantities("spec.capacity.*"),
    immutable=("spec.volumeMode", *(f"spec.{source}" for source in _SOURCES)),
)

STORAGE_CLASS = Kind(
    group="storage.k8s.io",
    kind="StorageClass",
    plural="storageclasses",
    scope="Cluster",
    versions=("v1", "v1beta1"),
    defaults={
        "parameters": {},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    },
    immutable=("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
)
