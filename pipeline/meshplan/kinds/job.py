"""Job and CronJob: pods that run to their end."""

from meshplan.kinds.kind import Kind

JOB = Kind(
    group="batch",
    kind="Job",
    plural="jobs",
    scope="Namespaced",
    versions=("v1",),
)

CRON_JOB = Kind(
    group="batch",
    kind="CronJob",
    plural="cronjobs",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v2alpha1"),
)
