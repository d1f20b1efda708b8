"""The PreSync Job that carries out what a sync cannot, and then lets the sync go on."""

from collections.abc import Callable

from meshplan.argocd.application import ArgoError
from meshplan.argocd.assess import difference_of
from meshplan.argocd.carry import Carrier, Waits
from meshplan.argocd.gate import Asked, Ruling, awaited, options_of, states_of, with_unpruned
from meshplan.argocd.kubernetes import Kubernetes
from meshplan.argocd.prelude import Prelude, prelude, states
from meshplan.argocd.server import Applications
from meshplan.dataclass import dataclass
from meshplan.delivery.http import Clock, Http
from meshplan.plan import Apply
from meshplan.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """What a Job works with."""

    source: Applications
    cluster: Http
    clock: Clock
    waits: Waits
    say: Callable[[str], None]


def carry_out(asked: Asked, means: Means, settings: Settings, *, dry_run: bool) -> Ruling:
    """Carry out the waves that have to come before the sync that runs.

    All is decided before the first write. Raises ArgoError where something cannot be known or done.
    """
    found, revision = awaited(asked, means.source, means.clock, means.say)
    means.say(f"syncing {found.name} to {revision[:9]}")
    taken = states_of(asked, found, revision, means.source, settings)
    after = with_unpruned(found, taken)
    means.say(f"comparing with {taken.told}")
    difference = difference_of(taken.before, after, settings)
    if not len(difference.changes):
        return Ruling(True, "nothing changes")
    # Such a sync leaves out what it takes to be in sync already: leave nothing to it.
    whole = "ApplyOutOfSyncOnly=true" in found.sync_options
    made = prelude(found.name, difference, options_of(found), settings, whole=whole)
    if made.refused:
        return Ruling(False, made.refused, "split the change into two that are safe")
    _expect_writable(made)
    if not made.waves:
        return Ruling(True, "the sync is safe as it is")
    number = len(made.waves)
    told = f"{number} wave{'' if number == 1 else 's'} before the sync, {made.left} left for it"
    if dry_run:
        return Ruling(True, f"would carry out {told}")
    means.say(f"carrying out {told}")
    cluster = Kubernetes(means.cluster, "ServerSideApply=true" in found.sync_options)
    carrier = Carrier(cluster, means.clock, means.waits, means.say)
    carrier.carry_out(made.waves, states(made.waves, taken.before))
    return Ruling(True, f"carried out {told}: the sync is safe now")


def _expect_writable(made: Prelude) -> None:
    """Argo CD hides the values of Secrets, so what it gives must not be written."""
    steps = (step for wave in made.waves for step in wave.steps)
    for step in steps:
        if isinstance(step, Apply) and step.resource.is_secret:
            raise ArgoError(
                f"{step.id} would have to be written before the sync, and its values are not known",
                hint="put the Secret into a sync wave of its own, or into a change of its own",
            )
