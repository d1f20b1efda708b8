"""What rules may ask the mesh, as data: the compiler, the stubs and the documentation read it.

A fact is asked with texts and whole numbers, and answers with plain JSON, so that the answers can
be shipped to OPA. What may live elsewhere is never called missing: `known`, `missing` and neither.
"""

from meshplan.dataclass import dataclass
from meshplan.policy.catalog import FieldType, Leaf, ListOf, Part, Scalar

_TEXT = Leaf(Scalar.TEXT)
_WHOLE = Leaf(Scalar.INTEGER)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a fact."""

    name: str
    type: Leaf
    sentence: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that only the model of the mesh can tell; written `mesh.<name>(…)`."""

    name: str
    parameters: tuple[Parameter, ...]
    result: FieldType
    sentence: str


_NAMESPACE = Parameter("namespace", _TEXT, "the namespace of the object that asks")
_HOST = Parameter("host", _TEXT, "a host as the object writes it")
_PORT = Parameter("port", _WHOLE, "a port of the host, 0 for all of them")
_SUBSET = Parameter("subset", _TEXT, 'a subset, "" for none')
_NAME = Parameter("name", _TEXT, "the name of the object")
_KIND = Parameter("kind", _TEXT, "its kind, such as Deployment")

#: The types of answers, in the notation of the catalog: each field has a default, so that an
#: answer that was not shipped reads like one about something of which nothing is known.
RECORDS: dict[str, dict[str, str]] = {
    "facts.Config": {
        "autoMtls": "b=true",
        "closed": "b=false",
        "clusterDomain": 's="cluster.local"',
        "dnsAddresses": "b=false",
        "dnsCapture": "b=false",
        "drainSeconds": "i=5",
        "exitsOnZero": "b=false",
        "holdApplication": "b=false",
        "istioMinor": "i=0",
        "kubernetesMinor": "i=0",
        "nativeSidecars": 's="unknown"',
        "outboundTrafficPolicy": 's="ALLOW_ANY"',
        "rootNamespace": 's="istio-system"',
        "tracing": 's="unknown"',
        "trustDomain": 's="cluster.local"',
    },
    "facts.Host": {
        "endpoints": "i=0",
        "external": "b=false",
        "full": 's=""',
        "hidden": "b=false",
        "known": "b=false",
        "missing": "b=false",
        "namespace": 's=""',
        "ports": "[facts.HostPort]",
        "resolution": 's=""',
    },
    "facts.HostPort": {
        "name": 's=""',
        "number": "i=0",
        "protocol": 's=""',
        "target": 's=""',
    },
    "facts.Subset": {
        "endpoints": 's="unknown"',
        "known": "b=false",
        "missing": "b=false",
        "others": "[s]",
        "rule": 's=""',
    },
    "facts.Connection": {
        "client": 's="unknown"',
        "policy": 's=""',
        "rule": 's=""',
        "server": 's="unknown"',
        "works": 's="unknown"',
    },
    "facts.PeerMode": {"mode": 's="PERMISSIVE"', "policy": 's=""'},
    "facts.Workload": {
        "gateway": "b=false",
        "injected": 's="unknown"',
        "known": "b=false",
        "services": "[s]",
    },
    "facts.HostConflict": {
        "first": 's="unknown"',
        "gateway": 's=""',
        "host": 's=""',
        "merged": "b=false",
        "other": 's=""',
    },
    "facts.Gateway": {
        "full": 's=""',
        "known": "b=false",
        "missing": "b=false",
    },
    "facts.GatewayPort": {
        "bindable": 's="unknown"',
        "exposed": 's="unknown"',
        "services": "[s]",
        "skipped": 's=""',
        "target": "i=0",
        "workloads": "[s]",
    },
    "facts.Delegate": {
        "chained": "b=false",
        "exported": "b=false",
        "hosts": "b=false",
        "known": "b=false",
        "missing": "b=false",
        "shadowed": "i=0",
    },
    "facts.Call": {
        "host": 's=""',
        "known": "b=false",
        "missing": "b=false",
        "port": "i=0",
        "scheme": 's=""',
    },
}

FACTS: tuple[Fact, ...] = (
    Fact("config", (), Part("facts.Config"), "The settings of the mesh that this run assumes."),
    Fact(
        "host",
        (_HOST, _NAMESPACE),
        Part("facts.Host"),
        "The Service or ServiceEntry that clients of a namespace mean by a host.",
    ),
    Fact(
        "subset",
        (_HOST, _SUBSET, _NAMESPACE),
        Part("facts.Subset"),
        "A subset of a host, as the DestinationRules that clients of a namespace use define it.",
    ),
    Fact(
        "connection",
        (_HOST, _PORT, _SUBSET, _NAMESPACE),
        Part("facts.Connection"),
        "What sidecars of a namespace speak to a host, what its pods accept, and whether they meet.",
    ),
    Fact(
        "peer_mode",
        (
            _KIND,
            _NAMESPACE,
            _NAME,
            Parameter("port", _TEXT, 'number or name of a port of the pods, "" for none'),
        ),
        Part("facts.PeerMode"),
        "What the PeerAuthentications make the pods of a workload accept.",
    ),
    Fact(
        "workload",
        (_KIND, _NAMESPACE, _NAME),
        Part("facts.Workload"),
        "What the mesh makes of a workload: its sidecar, its Services, whether it is a gateway.",
    ),
    Fact(
        "host_conflicts",
        (_NAMESPACE, _NAME),
        ListOf(Part("facts.HostConflict")),
        "Other VirtualServices with a host of this one on the same gateway.",
    ),
    Fact(
        "gateway",
        (Parameter("gateway", _TEXT, "a gateway as the object writes it"), _NAMESPACE),
        Part("facts.Gateway"),
        "The Gateway that an object of a namespace means.",
    ),
    Fact(
        "gateway_serves",
        (
            Parameter("gateway", _TEXT, "a gateway as the object writes it"),
            _NAMESPACE,
            _HOST,
        ),
        _TEXT,
        "Whether a Gateway lets VirtualServices of a namespace use a host: yes, no, unknown.",
    ),
    Fact(
        "gateway_port",
        (_NAMESPACE, _NAME, Parameter("port", _WHOLE, "a port of one of its servers")),
        Part("facts.GatewayPort"),
        "Whether a port of a Gateway is reachable, and its pods can listen on it.",
    ),
    Fact(
        "delegate",
        (
            Parameter("delegate_namespace", _TEXT, 'that of the delegate, "" for the same'),
            Parameter("delegate_name", _TEXT, "that of the delegate"),
            _NAMESPACE,
            _NAME,
        ),
        Part("facts.Delegate"),
        "The delegate that a VirtualService names.",
    ),
    Fact(
        "calls",
        (
            Parameter("text", _TEXT, "a text such as the value of an environment variable"),
            _NAMESPACE,
        ),
        ListOf(Part("facts.Call")),
        "The hosts of URLs in a text, and whether the mesh knows them.",
    ),
)

BY_NAME = {fact.name: fact for fact in FACTS}
