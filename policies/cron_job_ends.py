"""What holds for a Job holds for those that a CronJob makes."""

from meshplan.policy import Findings, Mesh, at, warn
from meshplan.policy.k8s import CronJob


@warn("LIFE-006", severity="high")
def cron_job_ends(cron: CronJob, mesh: Mesh) -> Findings:
    """The sidecar of the Jobs of a CronJob ends with them.

    Why: The pod of a Job is complete when all of its containers have ended. A sidecar that is an
        ordinary container does not end: the Job runs until its deadline, the next one of a CronJob is
        not started, Argo CD waits for its hook. Native sidecars (see LIFE-001) do not count. No flag
        shows it, as no request fails.
    Fix: Use native sidecars, leave the sidecar out (`sidecar.istio.io/inject: "false"`), or let the
        last command call `POST localhost:15020/quitquitquit`.
    See: https://istio.io/latest/docs/ops/common-problems/injection/

    Good:
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: report, namespace: shop}
        spec:
          schedule: "0 4 * * *"
          jobTemplate:
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
        kind: CronJob
        metadata: {name: report, namespace: shop}
        spec:
          schedule: "0 4 * * *"
          jobTemplate:
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
    meta = cron.spec.jobTemplate.spec.template.metadata
    config = mesh.config()
    stated = meta.annotations.get("sidecar.istio.io/nativeSidecar", config.nativeSidecars)
    native = stated if config.istioMinor >= 24 else config.nativeSidecars
    if native not in {"no", "false"}:
        return
    if mesh.workload("CronJob", cron.metadata.namespace, cron.metadata.name).injected != "yes":
        return
    texts = [
        " ".join(c.command + c.args) for c in cron.spec.jobTemplate.spec.template.spec.containers
    ]
    if not any("quitquitquit" in text for text in texts):
        yield at(
            cron.spec.jobTemplate.spec.template,
            f"the sidecar of the Jobs of {cron.metadata.name} does not end, so they do not either",
        )
