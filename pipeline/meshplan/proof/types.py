"""What a proof says: request classes, counterexamples, and what could not be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from math import prod
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Outcome, outcome_to_json
from meshplan.traffic.request import Request


class BudgetError(Exception):
    """More would have to be looked at than may be; the message says of what, as a phrase."""


class CrowdError(BudgetError):
    """So many steps of one wave meet that not every subset of them is looked at."""

    def __init__(self, wave: int, moves: Sequence[tuple[int, tuple[int, ...]]]):
        states = prod(len(versions) + 1 for _, versions in moves)
        super().__init__(f"{len(moves)} steps of one wave meet, which makes {states} states")
        self.wave = wave
        #: Positions in the scope.
        self.positions = tuple(position for position, _ in moves)


class Invariant(StrEnum):
    """What has to be true of every request class in every view."""

    #: Served before and after: served.
    AVAILABILITY = "I1"
    #: Backends are some of those before or after.
    NO_THIRD_BACKEND = "I2"
    #: Denied before and after: denied.
    NO_OPENING = "I3"
    #: One switch from the old to the new outcome at most.
    NO_FLAPPING = "I4"
    #: Timeouts, retries and the like are those before or after.
    POLICY = "I5"


@dataclass(frozen=True, slots=True)
class Client:
    """Clients that the mesh cannot tell apart: a class of proxies, or peers without one."""

    #: The proxy through which requests leave; None for a peer that has no sidecar.
    proxy: Proxy | None = None
    #: Whether it stands for all namespaces that no object names.
    anywhere: bool = False

    @property
    def is_gateway(self) -> bool:
        """Whether requests come in from outside through this proxy."""
        return self.proxy is not None and self.proxy.kind is ProxyKind.GATEWAY

    def __str__(self) -> str:
        if self.proxy is None:
            return "a client without a sidecar"
        shown = ",".join(f"{k}={v}" for k, v in sorted(self.proxy.labels.items()))
        if self.is_gateway:
            return f"gateway {self.proxy.namespace}/{shown}"
        if self.anywhere:
            return "any other namespace"
        return f"namespace {self.proxy.namespace}" + (f" ({shown})" if shown else "")

    def to_json(self) -> dict[str, Any]:
        """As a part of a request in the result document."""
        if self.proxy is None:
            return {"kind": "outside"}
        return {
            "kind": str(self.proxy.kind),
            "namespace": None if self.anywhere else self.proxy.namespace,
            "labels": dict(self.proxy.labels),
        }


class TopicKind(StrEnum):
    """Where requests enter."""

    #: At the sidecar of a client.
    MESH = "mesh"
    #: At a gateway.
    GATEWAY = "gateway"
    #: At a workload itself, from a peer without a sidecar.
    SERVER = "server"


@dataclass(frozen=True, slots=True, order=True)
class Topic:
    """What requests are about: a host, or the pods that they go to directly."""

    kind: TopicKind
    #: In full and in lower case; a wildcard stands for a name that nobody else has.
    host: str = ""
    #: Of the pods that requests go to directly, or of those of one gateway that they enter by.
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def is_of_one_gateway(self) -> bool:
        """Whether it is about the pods of one gateway alone."""
        return self.kind is TopicKind.GATEWAY and bool(self.namespace)


def short(host: str) -> str:
    """A host as people write it: `reviews.shop` for a Service."""
    stem = host.partition(".svc.")[0]
    return stem if stem.count(".") == 1 else host


@dataclass(frozen=True, slots=True)
class RequestClass:
    """Requests that no version at hand tells apart, with one of them.

    Every member has the outcome of `request` in every view; `assumed` lists the truth that was
    taken for what cannot be decided (a pattern, a claim), so that there may be no such request.
    """

    client: Client
    #: One of the requests.
    request: Request
    #: Only for a peer that goes to a workload directly: the workload.
    server: Server | None = None
    #: Conditions whose truth was assumed, in words.
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        request = self.request
        where = short(request.host)
        if request.is_connection:
            what = f"{request.scheme.upper()} {where}:{request.dialled_port}"
        else:
            what = f"{request.method} {where}{request.path}"
        with_ = ", ".join(f"{k}: {v}" for k, v in sorted(request.headers.items()))
        return f"{what}{f' ({with_})' if with_ else ''} from {self.client}"

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        out = self.request.to_json() | {"from": self.client.to_json()}
        if self.server is not None:
            out["to"] = {
                "namespace": self.server.namespace,
                "labels": dict(self.server.labels),
                "port": self.server.port,
            }
        return out | ({"assumed": list(self.assumed)} if self.assumed else {})


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A request that a wave may break, and what the proxies see when it does."""

    #: Number of the wave, from 0.
    wave: int
    #: The steps of the wave that have been taken where it happens, of those that matter.
    visible: tuple[ResourceId, ...]
    invariant: Invariant
    request: RequestClass
    before: Outcome
    during: Outcome
    after: Outcome
    #: In words, as in "GET reviews.shop/ from namespace web → 503 NC: …".
    sentence: str
    #: The steps of the wave on which it depends: of these not all may be in one wave as they are.
    culprits: tuple[ResourceId, ...] = ()
    #: The steps seen by each stage: routes, clusters, servers.
    stages: Mapping[str, tuple[ResourceId, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "wave": self.wave,
            "visible": [found.to_json() for found in self.visible],
            "invariant": str(self.invariant),
            "request": self.request.to_json(),
            "before": outcome_to_json(self.before),
            "during": outcome_to_json(self.during),
            "after": outcome_to_json(self.after),
            "sentence": self.sentence,
            "culprits": [found.to_json() for found in self.culprits],
        }


@dataclass(frozen=True, slots=True)
class Undecided:
    """A request class, or a part of the plan, about which nothing can be proven."""

    why: str
    request: RequestClass | None = None
    wave: int | None = None
    #: The objects that are to blame: opaque ones, or those whose ages matter.
    ids: tuple[ResourceId, ...] = ()
    #: Steps of the wave that meet them.
    culprits: tuple[ResourceId, ...] = ()
    #: Whether it would be known if fewer of these steps were in one wave.
    crowded: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "request": self.request.to_json() if self.request else None,
            "why": self.why,
            "wave": self.wave,
            "ids": [found.to_json() for found in self.ids],
        }


@dataclass(frozen=True, slots=True)
class Lost:
    """Requests that are served before and not after: what the head revision wants (I6)."""

    request: RequestClass
    before: Outcome
    after: Outcome
    sentence: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {
            "request": self.request.to_json(),
            "before": outcome_to_json(self.before),
            "after": outcome_to_json(self.after),
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is looked at before the answer is `unknown`; counts, so that runs are repeatable."""

    #: States of one stage of one class in one wave.
    states: int = 1024
    #: Request classes of one host, client and port.
    classes: int = 4096
    #: Request classes of the whole proof.
    total: int = 1_000_000
    #: Work for all that one plan takes to find and to prove, in the units of `Meter`.
    work: int = 400_000


DEFAULT_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, and what was found; nothing found means proven."""

    classes: int = 0
    views: int = 0
    counterexamples: tuple[Counterexample, ...] = ()
    unknowns: tuple[Undecided, ...] = ()
    warnings: tuple[Counterexample, ...] = ()
    lost: tuple[Lost, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether it is a proof."""
        return not self.counterexamples and not self.unknowns

    @property
    def verdict(self) -> str:
        """safe, unsafe or unknown."""
        if self.counterexamples:
            return "unsafe"
        return "unknown" if self.unknowns else "safe"

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it; `lost` is told beside the proof."""
        return {
            "classes": self.classes,
            "views": self.views,
            "counterexamples": [found.to_json() for found in self.counterexamples],
            "unknowns": [found.to_json() for found in self.unknowns],
            "warnings": [found.to_json() for found in self.warnings],
        }
