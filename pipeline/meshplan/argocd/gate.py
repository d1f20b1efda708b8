"""The PreSync gate: is the sync that is about to run proven safe? Whatever is not, is refused."""

from collections.abc import Callable

from meshplan.argocd.application import Application, ArgoError
from meshplan.argocd.assess import Assessment, assessed, difference_of, is_safe_if_settled
from meshplan.argocd.manifests import States, live_snapshot, snapshot_of, states_from_git
from meshplan.argocd.server import Applications, ArgoServer
from meshplan.dataclass import dataclass
from meshplan.delivery.http import Clock
from meshplan.deployers import Options
from meshplan.deployers.argocd import OPTIONS
from meshplan.deployers.deployer import words
from meshplan.resource import Snapshot
from meshplan.settings import Settings

#: What a pod can say when it ends: Kubernetes keeps this much.
TERMINATION_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gate is asked about."""

    namespace: str
    name: str
    #: history, live, or auto: the history if it has a full sync, else the live objects.
    before: str = "auto"
    #: How long to wait until Argo CD has said which commit it syncs, in seconds.
    wait: float = 60.0
    #: Whether each group of writes is taken to be in force before the next one is sent off.
    settled: bool = False
    #: Where to fetch commits from, in the place of the Application's own repository.
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the sync may go on."""

    allowed: bool
    #: In one sentence.
    why: str
    hint: str = ""

    @property
    def text(self) -> str:
        """For the log and the termination message."""
        return self.why + (f"\n{self.hint}" if self.hint else "")


def rule(
    asked: Asked, source: Applications, settings: Settings, clock: Clock, say: Callable[[str], None]
) -> Ruling:
    """Prove the sync that runs. Raises ArgoError where it is not known what it will do."""
    found, revision = awaited(asked, source, clock, say)
    say(f"syncing {found.name} to {revision[:9]}")
    states = states_of(asked, found, revision, source, settings)
    after = with_unpruned(found, states)
    say(f"comparing with {states.told}")
    difference = difference_of(states.before, after, settings)
    if not len(difference.changes):
        return Ruling(True, "nothing changes")
    options = options_of(found)
    result = assessed(difference, options, settings)
    if result.is_safe:
        return Ruling(True, f"proven safe: {_measured(result)}")
    if is_safe_if_settled(difference, options, settings):
        if asked.settled:
            return Ruling(True, "proven safe, if proxies take over each group before the next")
        hint = (
            "safe only if proxies take over each group of writes before the next is sent off, and "
            "nothing waits for that; `meshplan argocd stamp` puts barriers in between"
        )
        return Ruling(False, f"not safe: {result.why}", hint)
    hint = "`meshplan argocd stamp` or `apply` may make it safe: see docs/how-to/argo-cd.md"
    return Ruling(False, f"not safe: {result.why}", hint)


def _measured(result: Assessment) -> str:
    classes = result.proof.classes
    return f"looked at {classes} kind{'' if classes == 1 else 's'} of requests"


def awaited(
    asked: Asked, source: Applications, clock: Clock, say: Callable[[str], None]
) -> tuple[Application, str]:
    """The Application and the commit that it is being synced to.

    Argo CD writes the commit down only after the pass that made the hook, so it has to be waited
    for. Raises ArgoError where it does not come.
    """
    end = clock.now() + asked.wait
    while True:
        found = source.application(asked.namespace, asked.name)
        operation = found.operation
        if operation is not None and operation.partial:
            raise ArgoError("the sync is selective or without hooks, so a hook cannot judge it")
        if operation is not None and operation.running and operation.revision:
            return found, operation.revision
        if clock.now() >= end:
            what = "no sync runs" if operation is None or not operation.running else _UNNAMED
            raise ArgoError(
                f"it is not known what {asked.name} is being synced to: {what}",
                hint="the gate is a PreSync hook; by hand, start it while a sync runs",
            )
        say("waiting until Argo CD has said which commit it syncs")
        clock.sleep(2.0)


_UNNAMED = "Argo CD has not written the commit down"


def states_of(
    asked: Asked, found: Application, revision: str, source: Applications, settings: Settings
) -> States:
    """Before and after. Raises ArgoError where either cannot be had."""
    live = asked.before == "live" or (asked.before == "auto" and not found.synced)
    if isinstance(source, ArgoServer):
        return _states_from_server(found, revision, source, live=live)
    if live:
        raise ArgoError(
            f"{found.name} has no full sync in its history to compare with",
            hint="with --server, the live objects can be compared with; or set "
            "revisionHistoryLimit to 1 or more and sync once without the gate",
        )
    found.source  # noqa: B018 - raises where there are several
    return states_from_git(found, found.synced, revision, settings, asked.url)


def _states_from_server(
    found: Application, revision: str, server: ArgoServer, *, live: bool
) -> States:
    found.source  # noqa: B018 - raises where there are several
    namespace = found.destination_namespace
    after = snapshot_of(server.manifests(found, revision), namespace, "the manifests")
    if live:
        before = live_snapshot(server.live(found), after, namespace)
        return States(before, after, "the live objects")
    if not found.synced:
        raise ArgoError(
            f"{found.name} has no full sync in its history to compare with",
            hint="compare with the live objects: --before live",
        )
    before = snapshot_of(server.manifests(found, found.synced), namespace, "the manifests")
    return States(before, after, f"the last sync, {found.synced[:9]}")


def with_unpruned(found: Application, states: States) -> Snapshot:
    """What is there after the sync: with what the sync does not prune."""
    prunes = found.operation is not None and found.operation.prune
    left = [
        resource
        for id_, resource in states.before.items()
        if id_ not in states.after
        and (not prunes or "Prune=false" in words(resource.annotations, OPTIONS))
    ]
    return states.after.with_(*left)


def options_of(found: Application) -> Options:
    """The options of the sync. Raises ArgoError for those that are not understood."""
    options = found.sync_options
    if {"Force=true", "Replace=true"} <= options:
        raise ArgoError(
            f"{found.name} is synced with Force and Replace: everything is deleted first"
        )
    return Options(prune_last="PruneLast=true" in options)
