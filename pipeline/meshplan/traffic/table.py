"""Routes as proxies hold them (RDS): data, from which classes of requests can be derived."""

from collections.abc import Mapping
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.traffic.condition import ANY_PATH, Condition, PathCondition, Prefix, Regex


@dataclass(frozen=True, slots=True)
class ClusterName:
    """`outbound|port|subset|host`."""

    host: str
    port: int
    subset: str = ""

    def __str__(self) -> str:
        return f"outbound|{self.port}|{self.subset}|{self.host}"


@dataclass(frozen=True, slots=True)
class Target:
    """One of the clusters of a route."""

    cluster: ClusterName
    weight: int
    #: The authority that requests for this cluster get; "" for that of the route.
    authority: str = ""
    #: Why there can be no such cluster: only for routes of the Gateway API.
    invalid: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """How the path changes on its way."""

    #: What takes the place of the part that the route matched; None for no change.
    prefix: str | None = None
    #: A pattern of RE2 and what takes the place of its matches.
    regex: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """A fault that is injected: an answer of the proxy for some of the requests."""

    #: HTTP status; for a gRPC fault 200.
    status: int
    #: Percent of the requests, 0 to 100.
    percent: float


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request to one of some clusters."""

    targets: tuple[Target, ...]
    rewrite: Rewrite = Rewrite()
    authority: str = ""
    #: The status where a cluster does not exist.
    not_found: int = 503
    #: What is tried again, as `retryOn` names it.
    retry_on: frozenset[str] = frozenset()
    abort: Abort | None = None
    #: Origins that are allowed, where there is a CORS policy.
    cors: Mapping[str, object] | None = None
    policy: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendElsewhere:
    """Redirect."""

    status: int
    scheme: str = ""
    authority: str = ""
    #: 0 for none.
    port: int = 0
    #: The new path; "" keeps the old one.
    path: str = ""
    #: What takes the place of the matched prefix; None for no such change.
    prefix: str | None = None
    abort: Abort | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer directly."""

    status: int
    abort: Abort | None = None


@dataclass(frozen=True, slots=True)
class PassOn:
    """To the original destination (`PassthroughCluster`)."""


@dataclass(frozen=True, slots=True)
class Block:
    """502, for hosts that nobody declares (`block_all`)."""


Action = Forward | SendElsewhere | Answer | PassOn | Block


@dataclass(frozen=True, slots=True)
class Route:
    """What to do with the requests that meet all conditions."""

    conditions: tuple[Condition, ...]
    action: Action
    #: The object that makes it, and where in it; None for what istiod adds by itself.
    source: ResourceId | None
    pointer: str = ""

    @property
    def is_catch_all(self) -> bool:
        """Whether istiod counts it as matching everything (`IsCatchAllRoute`)."""
        if len(self.conditions) != 1 or not isinstance(self.conditions[0], PathCondition):
            return False
        text = self.conditions[0].text
        match text:
            case Prefix(value):
                return value == "/"
            case Regex(pattern):
                return pattern == ".*"
            case _:
                return False


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """The routes for a domain; the first that matches is taken."""

    domain: str
    routes: tuple[Route, ...]
    #: Whether requests without TLS are redirected to https.
    require_tls: bool = False


CATCH_ALL = (ANY_PATH,)

#: What a sidecar does with hosts that nobody declares.
ALLOW_ANY = VirtualHost("*", (Route(CATCH_ALL, PassOn(), None),))
REGISTRY_ONLY = VirtualHost("*", (Route(CATCH_ALL, Block(), None),))
