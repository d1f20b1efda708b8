"""Barriers: Jobs between two waves of a sync that hold it until proxies have taken over.

A Job that is a hook of the phase Sync runs in its wave, and Argo CD begins the next wave when it has
ended well. The barrier waits a stated time: that proxies are up to date by then is an assumption,
and is told as one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.resource import Resource

MANAGED_BY = "app.kubernetes.io/managed-by"
PART = "meshplan.dev/part"
HEADER = "# Written by `meshplan argocd stamp` for one change; the next one writes it anew."
FILE = "meshplan-barriers.yaml"
IMAGE = "docker.io/library/busybox:1.37.0"
#: Ten times what an istiod of a thousand services needs to push a change.
SETTLE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Barriers:
    """How barriers are made."""

    seconds: int = SETTLE_SECONDS
    image: str = IMAGE


def is_barrier(resource: Resource) -> bool:
    """Whether an object is a Job that holds a sync, as this module writes them.

    Its labels alone do not make it one: it has to wait, and to be made anew in every sync.
    """
    annotations = resource.annotations
    policy = str(annotations.get("argocd.argoproj.io/hook-delete-policy", ""))
    return (
        (resource.id.group, resource.id.kind) == ("batch", "Job")
        and resource.labels.get(MANAGED_BY) == "meshplan"
        and resource.labels.get(PART) == "barrier"
        and str(annotations.get("argocd.argoproj.io/hook", "")) == "Sync"
        and "BeforeHookCreation" in policy.split(",")
        and _seconds(resource.spec) > 0
    )


def _seconds(spec: Mapping[str, Any]) -> int:
    """How long a Job sleeps; 0 if it does anything else."""
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, Mapping) else None
    containers = pod.get("containers") if isinstance(pod, Mapping) else None
    if not isinstance(containers, list) or len(containers) != 1 or spec.get("suspend"):
        return 0
    first = containers[0]
    command = first.get("command") if isinstance(first, Mapping) else None
    match command:
        case ["sleep", str(text)] if text.isascii() and text.isdecimal() and not first.get("args"):
            return int(text)
        case _:
            return 0


def barrier_file(waits: Sequence[tuple[int, str]], namespace: str, how: Barriers) -> str:
    """The manifests of barriers: for each, its wave and what it waits for."""
    documents = [
        _TEMPLATE.format(
            number=number,
            namespace=f"\n  namespace: {namespace}" if namespace else "",
            wave=wave,
            why=_comment(why),
            image=how.image,
            seconds=how.seconds,
            deadline=how.seconds + 300,
        )
        for number, (wave, why) in enumerate(waits, 1)
    ]
    return f"{HEADER}\n" + "---\n".join(documents)


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))[:200]


_TEMPLATE = """\
# {why}
apiVersion: batch/v1
kind: Job
metadata:
  name: meshplan-barrier-{number}{namespace}
  labels:
    app.kubernetes.io/managed-by: meshplan
    meshplan.dev/part: barrier
  annotations:
    argocd.argoproj.io/hook: Sync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation,HookSucceeded
    argocd.argoproj.io/sync-wave: "{wave}"
spec:
  backoffLimit: 0
  activeDeadlineSeconds: {deadline}
  template:
    metadata:
      labels:
        app.kubernetes.io/managed-by: meshplan
        sidecar.istio.io/inject: "false"
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: wait
          image: {image}
          command: ["sleep", "{seconds}"]
          resources:
            requests:
              cpu: 10m
              memory: 16Mi
            limits:
              memory: 16Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
"""
