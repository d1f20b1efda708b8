"""Pods that are not in the tree, of which nobody knows whether a policy is for them."""

from collections.abc import Mapping

from meshplan.mesh.read import at, labels
from meshplan.mesh.workload import matches_labels
from meshplan.proof.index import Index, selector_of
from meshplan.proof.surroundings import Surroundings
from meshplan.resource import Resource
from meshplan.settings import World


def unsure_of_mutual_tls(around: Surroundings, index: Index, world: World) -> str:
    """Why it is not known by which mode of mutual TLS a Service is reached; "" where it is.

    Its pods have the labels of its selector, and may have those of another one: then some of them
    take other connections than the rest. What is asked of a server alone is asked of both sorts.
    """
    if world is World.CLOSED:
        return ""
    for service in around.resources():
        selector, where = _selector(service), service.id.namespace
        for policy in index.choosy.get(where, ()) if selector else ():
            own = selector_of(policy)
            may_be = matches_labels(own, {**own, **selector}) and not matches_labels(own, selector)
            if may_be and not any(True for _ in index.pods(where, selector)):
                pods = f"pods of {service.id} is not known, as they are not in the tree"
                return f"whether {policy.id} is for {pods}"
    return ""


def _selector(service: Resource) -> Mapping[str, str]:
    match service.id.kind:
        case "Service":
            return labels(service.spec.get("selector"))
        case "ServiceEntry":
            return labels(at(service.spec, "workloadSelector", "labels"))
        case _:
            return {}
