"""The grace period is for the preStop hook and the end of the process together."""

import re

from meshplan.policy import Findings, at, warn
from meshplan.policy.k8s import DaemonSet, Deployment, StatefulSet


@warn("LIFE-004", severity="medium")
def grace_period_long_enough(app: Deployment | StatefulSet | DaemonSet) -> Findings:
    """The grace period of a pod is longer than its preStop hooks sleep.

    Why: After `terminationGracePeriodSeconds` (30) everything in the pod is killed, the sidecar too.
        What is open then ends in 503 with the flag `UC`, or in a reset.
    Fix: Raise `terminationGracePeriodSeconds` above the sleep plus the time that requests take.
    See: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination

    Good:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              terminationGracePeriodSeconds: 90
              containers:
              - name: web
                image: web:1
                lifecycle: {preStop: {sleep: {seconds: 60}}}

    Bad:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: web:1
                lifecycle: {preStop: {sleep: {seconds: 60}}}
    """
    grace = app.spec.template.spec.terminationGracePeriodSeconds
    for container in app.spec.template.spec.containers:
        seconds = container.lifecycle.preStop.sleep.seconds or 0
        command = " ".join(container.lifecycle.preStop.exec.command)
        if seconds > 0 and seconds >= grace:
            yield at(
                container.lifecycle.preStop,
                f"container '{container.name}' sleeps {seconds}s before it stops, and the pod is killed after {grace}s",
            )
        elif grace <= 30 and re.search(r"sleep\s+([3-9][0-9]|[1-9][0-9]{2,})", command):
            yield at(
                container.lifecycle.preStop,
                f"container '{container.name}' sleeps as long before it stops as the {grace}s after which the pod is killed, or longer",
            )
