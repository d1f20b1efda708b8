"""Job and CronJob: pods that run to their end."""

from collections.abc import Mapping

from meshplan.kinds.kind import Default, Kind, under
from meshplan.kinds.pod import POD_KEYS, POD_READINGS, TEMPLATE_DEFAULTS

_KEYS: Mapping[str, tuple[str, ...]] = {
    **under("spec.template.spec", POD_KEYS),
    "spec.podFailurePolicy.rules.onExitCodes.values": (),
    "spec.scheduling.resourceClaims": ("name",),
}
_READINGS = under("spec.template.spec", POD_READINGS)
_DEFAULTS: Mapping[str, Default] = {
    **under("spec.template", TEMPLATE_DEFAULTS),
    "spec.backoffLimit": 6,
    "spec.completionMode": "NonIndexed",
    "spec.completions": lambda spec: None if spec.get("parallelism") is not None else 1,
    "spec.manualSelector": False,
    "spec.parallelism": 1,
    "spec.suspend": False,
}
_JOB = "spec.jobTemplate"

JOB = Kind(
    group="batch",
    kind="Job",
    plural="jobs",
    scope="Namespaced",
    versions=("v1",),
    list_keys=_KEYS,
    defaults=_DEFAULTS,
    readings=_READINGS,
    immutable=(
        "spec.backoffLimitPerIndex",
        "spec.completionMode",
        "spec.completions",
        "spec.managedBy",
        "spec.manualSelector",
        "spec.podFailurePolicy",
        "spec.podReplacementPolicy",
        "spec.selector",
        "spec.successPolicy",
        "spec.template",
    ),
)

CRON_JOB = Kind(
    group="batch",
    kind="CronJob",
    plural="cronjobs",
    scope="Namespaced",
    versions=("v1", "v1beta1"),
    list_keys=under(_JOB, _KEYS),
    defaults={
        "spec.concurrencyPolicy": "Allow",
        "spec.failedJobsHistoryLimit": 1,
        "spec.successfulJobsHistoryLimit": 3,
        "spec.suspend": False,
        f"{_JOB}.metadata": {},
        f"{_JOB}.metadata.labels": {},
        f"{_JOB}.metadata.annotations": {},
        **under(_JOB, _DEFAULTS),
    },
    readings=under(_JOB, _READINGS),
)
