"""Pod, and what all kinds with a pod template share.

Lists in a pod are ordered even where their items have names: another order is another template,
and a controller rolls it out.
"""

from collections.abc import Mapping
from typing import Any

from meshplan.kinds.kind import Default, Kind, paths_under, under
from meshplan.kinds.readings import quantities
from meshplan.kinds.storage import CLAIM_DEFAULTS, CLAIM_READINGS, SOURCE_DEFAULTS

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_PROBES = paths_under(_CONTAINERS, ("livenessProbe", "readinessProbe", "startupProbe"))
_HOOKS = paths_under(_CONTAINERS, ("lifecycle.postStart", "lifecycle.preStop"))
_CLAIM = "volumes.ephemeral.volumeClaimTemplate.spec"


def _pull_policy(container: Mapping[str, Any]) -> str | None:
    """An image without tag or digest, or with the tag latest, is pulled each time."""
    image = container.get("image")
    if not isinstance(image, str):
        return None
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    return "IfNotPresent" if digest or tag not in {"", "latest"} else "Always"


def _empty_value(variable: Mapping[str, Any]) -> str | None:
    return None if variable.get("valueFrom") else ""


def _empty_dir(volume: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return {} if set(volume) <= {"name", "emptyDir"} else None


#: Fields of a pod's spec, from the root of that spec.
POD_KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_CONTAINERS, ("name",)),
    **under(
        _CONTAINERS,
        {
            "env": ("name",),
            "ports": ("containerPort", "protocol"),
            "volumeMounts": ("mountPath",),
            "volumeDevices": ("devicePath",),
            "resizePolicy": ("resourceName",),
            "resources.claims": ("name",),
            "restartPolicyRules.exitCodes.values": (),
            "volumeMounts.bindMountOptions": (),
        },
    ),
    "volumes": ("name",),
    "volumes.configMap.items": ("key",),
    "volumes.secret.items": ("key",),
    "volumes.downwardAPI.items": ("path",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "readinessGates": ("conditionType",),
    "schedulingGates": ("name",),
    "resourceClaims": ("name",),
    "securityContext.sysctls": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "evictionResponders": ("name",),
    "resources.claims": ("name",),
}

POD_DEFAULTS: Mapping[str, Default] = {
    "dnsPolicy": "ClusterFirst",
    "enableServiceLinks": True,
    "hostIPC": False,
    "hostNetwork": False,
    "hostPID": False,
    "nodeSelector": {},
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    # The old name of the field: the API server keeps both alike.
    "serviceAccount": lambda spec: spec.get("serviceAccountName"),
    "serviceAccountName": lambda spec: spec.get("serviceAccount"),
    "terminationGracePeriodSeconds": 30,
    **under(
        _CONTAINERS,
        {
            "imagePullPolicy": _pull_policy,
            "resources": {},
            "resources.limits": {},
            "resources.requests": {},
            "stdin": False,
            "stdinOnce": False,
            "tty": False,
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "env.value": _empty_value,
            "env.valueFrom.fieldRef.apiVersion": "v1",
            "env.valueFrom.fileKeyRef.optional": False,
            "ports.protocol": "TCP",
            "volumeMounts.readOnly": False,
            "volumeMounts.subPath": "",
        },
    ),
    **under(
        _PROBES,
        {
            "failureThreshold": 3,
            "initialDelaySeconds": 0,
            "periodSeconds": 10,
            "successThreshold": 1,
            "timeoutSeconds": 1,
            "grpc.service": "",
        },
    ),
    **under((*_PROBES, *_HOOKS), {"httpGet.path": "/", "httpGet.scheme": "HTTP"}),
    "volumes.emptyDir": _empty_dir,
    "volumes.emptyDir.medium": "",
    "volumes.configMap.defaultMode": 0o644,
    "volumes.secret.defaultMode": 0o644,
    "volumes.projected.defaultMode": 0o644,
    "volumes.downwardAPI.defaultMode": 0o644,
    "volumes.downwardAPI.items.fieldRef.apiVersion": "v1",
    "volumes.projected.sources.downwardAPI.items.fieldRef.apiVersion": "v1",
    "volumes.projected.sources.serviceAccountToken.expirationSeconds": 3600,
    **under("volumes", SOURCE_DEFAULTS),
    "volumes.nfs.readOnly": False,
    "volumes.persistentVolumeClaim.readOnly": False,
    **under(_CLAIM, CLAIM_DEFAULTS),
}

POD_READINGS = {
    **quantities(
        "overhead.*", "resources.limits.*", "resources.requests.*", "volumes.emptyDir.sizeLimit"
    ),
    **under(
        _CONTAINERS,
        quantities(
            "env.valueFrom.resourceFieldRef.divisor",
            "resources.limits.*",
            "resources.requests.*",
        ),
    ),
    **under(
        ("volumes", "volumes.projected.sources"),
        quantities("downwardAPI.items.resourceFieldRef.divisor"),
    ),
    **under(_CLAIM, CLAIM_READINGS),
}

#: What the `metadata` of a template assumes.
TEMPLATE_DEFAULTS: Mapping[str, Default] = {
    "metadata": {},
    "metadata.labels": {},
    "metadata.annotations": {},
    **under("spec", POD_DEFAULTS),
}

POD = Kind(
    group="",
    kind="Pod",
    plural="pods",
    scope="Namespaced",
    versions=("v1",),
    list_keys=under("spec", POD_KEYS),
    defaults=under("spec", POD_DEFAULTS),
    readings=under("spec", POD_READINGS),
    immutable=("spec",),
    mutable=(
        "spec.activeDeadlineSeconds",
        "spec.containers.image",
        "spec.initContainers.image",
        "spec.terminationGracePeriodSeconds",
        "spec.tolerations",
    ),
)
