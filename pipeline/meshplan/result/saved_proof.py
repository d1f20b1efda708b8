"""What a document says about the proof; how far it is to be trusted is told in `saved.py`."""

from collections.abc import Iterable, Mapping
from typing import Any

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.proof import Client, Counterexample, Invariant, Lost, Proof, RequestClass, Undecided
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import (
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Redirect,
    Served,
    Unknown,
)
from meshplan.traffic.request import request_of

Json = Mapping[str, Any]


def ids_from(values: Iterable[Any]) -> tuple[ResourceId, ...]:
    """Several ids."""
    return tuple(ResourceId.from_json(value) for value in values)


def proof_from(value: Json) -> Proof:
    """What was proven."""
    return Proof(
        classes=value["classes"],
        views=value["views"],
        counterexamples=tuple(counterexample_from(entry) for entry in value["counterexamples"]),
        unknowns=tuple(undecided_from(entry) for entry in value["unknowns"]),
        warnings=tuple(counterexample_from(entry) for entry in value["warnings"]),
    )


def counterexample_from(value: Json) -> Counterexample:
    """A view that breaks an invariant."""
    return Counterexample(
        wave=value["wave"],
        visible=ids_from(value["visible"]),
        invariant=Invariant(value["invariant"]),
        request=_class(value["request"]),
        before=_outcome(value["before"]),
        during=_outcome(value["during"]),
        after=_outcome(value["after"]),
        sentence=str(value.get("sentence", "")),
        culprits=ids_from(value.get("culprits", ())),
    )


def undecided_from(value: Json) -> Undecided:
    """What could not be decided."""
    request = _class(value["request"]) if value["request"] else None
    return Undecided(value["why"], request, value.get("wave"), ids_from(value.get("ids", ())))


def lost_from(value: Json) -> Lost:
    """Requests that are not served any more."""
    return Lost(
        _class(value["request"]),
        _outcome(value["before"]),
        _outcome(value["after"]),
        str(value.get("sentence", "")),
    )


def _class(value: Json) -> RequestClass:
    to = value.get("to")
    server = Server(str(to["namespace"]), _texts(to["labels"]), int(to["port"])) if to else None
    asked = request_of({k: v for k, v in value.items() if v is not None})
    assumed = tuple(str(text) for text in value.get("assumed", ()))
    return RequestClass(_client(value.get("from") or {}), asked, server, assumed)


def _client(value: Json) -> Client:
    kind = value.get("kind")
    if kind not in tuple(ProxyKind):
        return Client()
    namespace = value.get("namespace")
    proxy = Proxy(ProxyKind(kind), str(namespace or ""), _texts(value.get("labels") or {}))
    return Client(proxy, anywhere=namespace is None)


def _texts(value: Json) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()}


def _outcome(value: Json) -> Outcome:
    status = value.get("status") or 0
    match value["kind"]:
        case "served":
            return Served(())
        case "passthrough":
            return Passthrough(str(value.get("host", "")), int(value.get("port") or 0))
        case "redirect":
            return Redirect(status, str(value.get("location") or ""))
        case "direct":
            return Direct(status)
        case "denied":
            return Denied(status, str(value.get("policy", "")))
        case "error":
            return Failed(value.get("status"), str(value.get("flag") or "-"))
        case _:
            return Unknown(str(value.get("reason", "")))
