"""What happens to a request: one of a few small classes, each with the objects that decided."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, assert_never

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId

#: The details of a connection that a server does not take.
REFUSED = "connection refused by mutual TLS"


@dataclass(frozen=True, slots=True)
class Reason:
    """One object that had a say, and what it said."""

    id: ResourceId | None
    text: str

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it."""
        return {"id": self.id.to_json() if self.id else None, "text": self.text}


class Transport(StrEnum):
    """What a proxy speaks to an endpoint."""

    PLAINTEXT = "plaintext"
    #: With certificates of the mesh on both sides.
    MTLS = "mtls"
    #: As a DestinationRule says: SIMPLE or MUTUAL.
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a request may end up: one endpoint of one destination, or a failure to reach it."""

    #: Address and port, or the workload and port where addresses are not known; "" for a failure.
    endpoint: str
    host: str
    subset: str
    port: int
    #: Share of the destination among those of its route, of the sum of all weights.
    weight: int
    path: str
    authority: str
    transport: Transport = Transport.PLAINTEXT
    #: served, error or denied.
    kind: str = "served"
    status: int | None = 200
    flag: str = "-"

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it."""
        return {
            "endpoint": self.endpoint,
            "host": self.host,
            "subset": self.subset,
            "port": self.port,
            "weight": self.weight,
            "path": self.path,
            "authority": self.authority,
            "tls": str(self.transport),
            "kind": self.kind,
            "status": self.status,
            "flag": self.flag,
        }


#: Timeouts, retries and the like: name to canonical text.
Policy = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Served:
    """The request reaches a backend, one of several by weight; some may be failures."""

    backends: tuple[Backend, ...]
    policy: Policy = field(default_factory=dict, compare=False)
    why: tuple[Reason, ...] = field(default=(), compare=False)

    @property
    def wholly(self) -> bool:
        """Whether every such request is served."""
        return all(backend.kind == "served" for backend in self.backends)


@dataclass(frozen=True, slots=True)
class Passthrough:
    """The request goes to where the client dialled, and the mesh has no say in it."""

    host: str
    port: int
    why: tuple[Reason, ...] = field(default=(), compare=False)
    #: Whether a ServiceEntry without resolution declares the host: there is a cluster to be found.
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """The client is sent elsewhere."""

    status: int
    location: str
    why: tuple[Reason, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Direct:
    """The proxy itself answers, as a rule wants it."""

    status: int
    why: tuple[Reason, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Denied:
    """An AuthorizationPolicy refuses the request."""

    status: int
    #: Policy and rule as the access log names them, `none` if no ALLOW rule matched.
    policy: str
    why: tuple[Reason, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The request fails. Without a status the connection itself does."""

    status: int | None
    #: RESPONSE_FLAGS of the access log: NC, NR, UH, UF, UC …, `-` for none.
    flag: str
    #: RESPONSE_CODE_DETAILS of the access log, as far as it is known.
    details: str = field(default="", compare=False)
    backends: tuple[Backend, ...] = ()
    why: tuple[Reason, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What happens cannot be decided."""

    #: The reason, as a sentence without a full stop.
    reason: str
    #: Objects that are not modelled and have a say; empty if something else is the reason.
    opaque: tuple[ResourceId, ...] = ()
    #: What would happen if those objects had no say; None where that is not known either.
    otherwise: "Decided | None" = None
    why: tuple[Reason, ...] = field(default=(), compare=False)


Decided = Served | Passthrough | Redirect | Direct | Denied | Failed
Outcome = Decided | Unknown


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as `meshplan trace` writes it."""
    base: dict[str, Any] = {
        "kind": "",
        "status": None,
        "flag": "-",
        "location": None,
        "mtls": None,
        "backends": [],
    }
    match outcome:
        case Served(backends):
            mtls = {b.transport is Transport.MTLS for b in backends if b.kind == "served"}
            return base | {
                "kind": "served",
                "status": 200,
                "mtls": mtls.pop() if len(mtls) == 1 else None,
                "backends": [backend.to_json() for backend in backends],
            }
        case Passthrough(host, port):
            return base | {"kind": "passthrough", "host": host, "port": port}
        case Redirect(status, location):
            return base | {"kind": "redirect", "status": status, "location": location}
        case Direct(status):
            return base | {"kind": "direct", "status": status}
        case Denied(status, policy):
            return base | {"kind": "denied", "status": status, "policy": policy}
        case Failed(status, flag):
            return base | {
                "kind": "error",
                "status": status,
                "flag": flag,
                "backends": [backend.to_json() for backend in outcome.backends],
            }
        case Unknown(reason):
            return base | {"kind": "unknown", "reason": reason}
        case _:
            assert_never(outcome)
