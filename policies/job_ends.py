"""A Job is done when all of its containers are, and a sidecar never is."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import Job


@warn("LIFE-005", severity="high")
def job_ends(job: Job, mesh: Mesh) -> Findings:
    """The sidecar of a Job ends with it.

    Why: The pod of a Job is complete when all of its containers have ended. A sidecar that is an
        ordinary container does not end: the Job runs until its deadline, the next one of a CronJob is
        not started, Argo CD waits for its hook. Native sidecars (see LIFE-001) do not count. No flag
        shows it, as no request fails.
    Fix: Use native sidecars, leave the sidecar out (`sidecar.istio.io/inject: "false"`), or let the
        last command call `POST localhost:15020/quitquitquit`.
    See: https://istio.io/latest/docs/ops/common-problems/injection/

    Good:
        apiVersion: batch/v1
        kind: Job
        metadata: {name: report, namespace: shop}
        spec:
          template:
            metadata: {labels: {app: report, sidecar.istio.io/inject: "true"}}
            spec:
              restartPolicy: Never
              containers:
              - name: report
                image: report:1
                command: [sh, -c, "report; curl -sf -XPOST localhost:15020/quitquitquit"]
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}

    Bad:
        apiVersion: batch/v1
        kind: Job
        metadata: {name: report, namespace: shop}
        spec:
          template:
            metadata: {labels: {app: report, sidecar.istio.io/inject: "true"}}
            spec:
              restartPolicy: Never
              containers:
              - {name: report, image: "report:1"}
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: istio, namespace: istio-system}
        spec: {tag: 1.24.0}
    """
    meta = job.spec.template.metadata
    config = mesh.config()
    stated = meta.annotations.get("sidecar.istio.io/nativeSidecar", config.nativeSidecars)
    native = stated if config.istioMinor >= 24 else config.nativeSidecars
    if native not in {"no", "false"}:
        return
    if mesh.workload("Job", job.metadata.namespace, job.metadata.name).injected != "yes":
        return
    texts = [" ".join(c.command + c.args) for c in job.spec.template.spec.containers]
    if not any("quitquitquit" in text for text in texts):
        yield at(
            job.spec.template,
            f"the sidecar of Job {job.metadata.name} does not end, so the Job does not either",
        )
