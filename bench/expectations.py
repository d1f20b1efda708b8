"""What has to come out of the cases of the corpora, and the exceptions, each with its reason."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

MESH_GROUPS = ("networking.istio.io", "security.istio.io", "gateway.networking.k8s.io")


@dataclass(frozen=True, slots=True)
class Hint:
    """A naive guess of the corpora: one object of a pair has to go before the other."""

    first: str
    then: str
    host: str
    subset: str

    @property
    def key(self) -> str:
        """What names the hint within its case."""
        return f"{self.first} < {self.then}: {self.subset}"

    def __str__(self) -> str:
        return f"{self.key} of {self.host}"

    def is_in(self, document: Document) -> bool:
        """Whether an edge of some target says the same, in the same direction."""
        return any(
            _is(edge["first"], self.first) and _is(edge["then"], self.then)
            for target in document.get("targets", ())
            for edge in target["edges"]
        )


def _is(found: Mapping[str, Any], name: str) -> bool:
    """Whether an id is what a hint calls "Kind namespace/name", where the namespace may lack."""
    kind, _, rest = name.partition(" ")
    namespace, _, plain = rest.partition("/")
    return (
        found["kind"] == kind
        and found["name"] == plain
        and (not namespace or found["namespace"] == namespace)
    )


def hints(case: Mapping[str, Any]) -> tuple[Hint, ...]:
    """The hints of a case.json that both revisions can answer.

    A reference that is dangling in one of them is broken there in any order.
    """
    order = case["change"]["subset_order"]
    broken = {
        (entry["host"], entry["subset"])
        for entry in (*order["dangling_base"], *order["dangling_head"])
    }
    before = [
        _hint(entry, "destination_rule", "virtual_service") for entry in order["dr_before_vs"]
    ]
    after = [_hint(entry, "virtual_service", "destination_rule") for entry in order["vs_before_dr"]]
    return tuple(hint for hint in (*before, *after) if (hint.host, hint.subset) not in broken)


def _hint(entry: Mapping[str, str], first: str, then: str) -> Hint:
    return Hint(entry[first], entry[then], entry["host"], entry["subset"])


_OTHER_VERSION = (
    "the VirtualService is written several times with different content in one folder; of these the "
    "last one counts, and it does not use the subset (the hints take all versions together)"
)

#: Hints that are no edge, by case and hint, with the reason.
NO_EDGE: Mapping[tuple[str, str], str] = {
    (case, f"DestinationRule {rule} < VirtualService {route}: {subset}"): _OTHER_VERSION
    for case, rule, route, subset in (
        ("ae-subset-added-dubbo", "/dubbo-sample-provider", "/test-dubbo-route", "batchjob"),
        ("ae-subset-added-dubbo", "/dubbo-sample-provider", "/test-dubbo-route", "user"),
        ("du-routing-v3", "/userprofile", "/userprofile", "v3"),
        ("du-subset-added-tls", "/userprofile", "/userprofile", "v3"),
        ("rs-egress-refactor", *["tutorial/recommendation"] * 2, "version-v3"),
    )
}

_LEFT_OUT = "a Kustomization lists a file that is not in the tree: the corpora leave out "

#: Cases with a `failed` entry in their coverage, with the reason.
FAILED: Mapping[str, str] = {
    "bb-gateway-jaeger": "a Kustomization lists a file that the repository does not have",
    "kf-istio-19-upgrade": f"{_LEFT_OUT}secret_params.env",
    "kf-seaweedfs-dr-host": f"{_LEFT_OUT}the folder that its base refers to",
    "perf-kubeflow-2024-2026": f"{_LEFT_OUT}CRDs and files of settings",
}


def _steps(document: Document) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for target in document["targets"]:
        for number, wave in enumerate((target["plan"] or {"waves": ()})["waves"]):
            for step in wave["steps"]:
                yield number, step


def _four_subsets_in_a_cycle(document: Document) -> Iterator[str]:
    whys = [cycle["why"] for target in document["targets"] for cycle in target["cycles"]]
    if not any(all(subset in why for subset in ("v1", "v2", "v3", "v4")) for why in whys):
        yield f"no cycle that names subsets v1 to v4: {whys}"


def _no_mesh_step(document: Document) -> Iterator[str]:
    for _, step in _steps(document):
        if step["id"]["group"] in MESH_GROUPS:
            yield f"a mesh step: {step['action']} {step['id']['kind']} {step['id']['name']}"
            return


def _egress_is_ordered(document: Document) -> Iterator[str]:
    kinds = {"ServiceEntry", "VirtualService"}
    edges = [edge for target in document["targets"] for edge in target["edges"]]
    if not any({edge["first"]["kind"], edge["then"]["kind"]} == kinds for edge in edges):
        yield "no edge between ServiceEntry and VirtualService"


def _created_before_deleted(document: Document) -> Iterator[str]:
    """The new ServiceEntries are there before the old ones of the same hosts go."""
    waves: dict[tuple[str, str], list[int]] = {}
    for number, step in _steps(document):
        if step["id"]["kind"] == "ServiceEntry":
            name = step["id"]["name"].removeprefix("whitelist-").removeprefix("allow-")
            waves.setdefault((name, step["action"]), []).append(number)
    renamed = {name for name, action in waves if action == "remove"}
    if not renamed:
        yield "no ServiceEntry is removed"
    for name in renamed:
        if max(waves.get((name, "apply"), [99])) >= min(waves[name, "remove"]):
            yield f"ServiceEntry …{name} is not created before the old one goes"


def _no_order(document: Document) -> Iterator[str]:
    if edges := [edge for target in document["targets"] for edge in target["edges"]]:
        yield f"an order where none is needed: {edges[0]['why']}"


def _fields_outside_spec(document: Document) -> Iterator[str]:
    found = [finding for finding in document["findings"] if finding["status"] == "fixed"]
    for name in ("hosts", "http"):
        if not any(name in finding["message"].split() for finding in found):
            yield f"the field {name} outside spec is not reported as fixed"


NAMED: Mapping[str, Callable[[Document], Iterator[str]]] = {
    "step-istio-503-subset-swap": _four_subsets_in_a_cycle,
    "perf-xg-massive-refactor": _no_mesh_step,
    "cns-egress-host-swap": _egress_is_ordered,
    "md-serviceentry-rename": _created_before_deleted,
    "sa-short-host-names": _no_order,
    "sc-vs-formatting": _fields_outside_spec,
}
