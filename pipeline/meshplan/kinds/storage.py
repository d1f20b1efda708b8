"""PersistentVolumeClaim, PersistentVolume and StorageClass."""

from meshplan.kinds.kind import Kind

PERSISTENT_VOLUME_CLAIM = Kind(
    group="",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    scope="Namespaced",
    versions=("v1",),
)

PERSISTENT_VOLUME = Kind(
    group="",
    kind="PersistentVolume",
    plural="persistentvolumes",
    scope="Cluster",
    versions=("v1",),
)

STORAGE_CLASS = Kind(
    group="storage.k8s.io",
    kind="StorageClass",
    plural="storageclasses",
    scope="Cluster",
    versions=("v1", "v1beta1"),
)
