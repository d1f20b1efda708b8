"""Results that are put together by hand, for tests of reports."""

from typing import Any

from meshplan.diff import ABSENT, ChangeSet, Create, Delete, FieldChange, Rename, Replace, Update
from meshplan.finding import Finding, Severity, Status
from meshplan.graph import Cycle, Edge
from meshplan.identity import ResourceId
from meshplan.location import Location
from meshplan.mesh.proxy import sidecar
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Wave
from meshplan.proof import Client, Counterexample, Invariant, Lost, Proof, RequestClass, Undecided
from meshplan.resource import Origin, Resource
from meshplan.result import (
    Coverage,
    CoverageStatus,
    DeployerResult,
    Result,
    RevisionName,
    TargetResult,
    Verdict,
)
from meshplan.settings import Assumption
from meshplan.traffic import Request
from meshplan.traffic.outcome import Direct, Redirect, Unknown

ISTIO = "networking.istio.io"
NO_GATE = Gate(GateKind.NONE, "")


def resource(
    kind: str = "VirtualService",
    name: str = "reviews",
    namespace: str = "shop",
    *,
    group: str = ISTIO,
    path: str = "shop/reviews.yaml",
    line: int = 1,
    via: str = "",
    **body: Any,
) -> Resource:
    """An object with its manifest."""
    version = f"{group}/v1" if group else "v1"
    metadata: dict[str, str] = {"name": name} | ({"namespace": namespace} if namespace else {})
    manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    found = ResourceId(group, kind, namespace, name)
    return Resource(found, version, manifest, Origin(path, line, via=via))


def secret(name: str = "password", **body: Any) -> Resource:
    """A Secret, in the second document of a file."""
    return resource("Secret", name, group="", path="shop/secret.yaml", line=9, **body)


def result(*targets: TargetResult, **fields: Any) -> Result:
    """A result that compares main with HEAD."""
    values: dict[str, Any] = {
        "base": RevisionName("main", "a" * 40),
        "head": RevisionName("HEAD", "b" * 40),
        "as_of": "2026-11-20",
    }
    return Result(**values | {"targets": targets} | fields)


def target(name: str = "shop", **fields: Any) -> TargetResult:
    """A target whose order is not proven."""
    verdict = Verdict.UNKNOWN if fields.get("changes") else Verdict.UNCHANGED
    return TargetResult(name, verdict, "plain", 3, 3, **fields)


def example() -> Result:
    """A bit of everything."""
    rule_before = resource("DestinationRule", spec={"host": "reviews"})
    rule = resource("DestinationRule", spec={"host": "reviews", "subsets": [{"name": "v2"}]})
    service = resource(spec={"hosts": ["reviews"]})
    old = resource("ServiceEntry", "old", path="egress.yaml", line=7)
    was = resource("Gateway", "edge-old", path="edge.yaml")
    now = resource("Gateway", "edge", path="edge.yaml")
    job_before = resource("Job", "seed", group="batch", spec={"template": 1})
    job = resource("Job", "seed", group="batch", spec={"template": 2})
    subset = FieldChange("spec.subsets[name=v2]", ABSENT, {"name": "v2"})
    template = FieldChange("spec.template", 1, 2)
    edge = Edge(rule.id, service.id, "http[0] sends requests to subset v2", "503 NC")
    changes = ChangeSet(
        (
            Update(rule_before, rule, (subset,)),
            Create(service),
            Delete(old),
            Rename(was, now),
            Replace(job_before, job, (template,), ("spec.template",)),
        )
    )
    waves = (
        Wave(
            (Apply(rule, "adds subset v2"), Apply(now, "the new name first")),
            Gate(GateKind.PROXIES, "the clusters have to be there", (rule.id,)),
        ),
        Wave((Apply(service, "uses subset v2"),), Gate(GateKind.DRAINED, "", (service.id,))),
        Wave(
            (
                Remove(old.id, old.api_version, "nothing uses it"),
                Remove(was.id, was.api_version, ""),
                Remove(job_before.id, "batch/v1", ""),
            ),
            Gate(GateKind.GONE, "it is created again", (job.id,)),
        ),
        Wave((Apply(job, "again"),), NO_GATE),
    )
    return result(
        target(
            changes=changes,
            edges=(edge,),
            cycles=(Cycle((rule.id, service.id), (edge,), "both need the other first"),),
            plan=Plan(waves),
        ),
        target("quiet"),
        findings=(
            finding("no such gateway", Status.NEW),
            finding("an old story", Status.EXISTING),
            finding("no longer so", Status.FIXED),
        ),
        coverage=(
            Coverage("shop", "shop", "plain", CoverageStatus.RENDERED),
            Coverage("charts/x", "charts/x", "helm", CoverageStatus.SKIPPED, "a remote chart"),
        ),
        assumptions=(Assumption("outboundTrafficPolicy", "ALLOW_ANY", "default"),),
    )


def finding(message: str, status: Status = Status.NEW, **fields: Any) -> Finding:
    """An error in line 3 of a file."""
    values: dict[str, Any] = {
        "locations": (Location("shop/reviews.yaml", 3, 5, 3, 9, "/spec/gateways/0"),),
        "id": resource().id,
        "help": "name one that exists",
        "target": "shop",
    }
    return Finding("no-gateway", Severity.ERROR, message, status=status, **{**values, **fields})


def hostile(text: str) -> Result:
    """A result in which everything that a repository can say is `text`."""
    found = resource(
        "VirtualService", text, text, path=text, spec={text: text, "list": [text, {text: text}]}
    )
    other = resource(text, text, text, path=text)
    field = FieldChange(f"spec.{text}", text, {text: text})
    lines = FieldChange(f"data.{text}", f"a\n{text}\nb\n", f"a\n{text}{text}\nb\n")
    edge = Edge(found.id, other.id, text, text)
    step = Apply(found, text)
    waves = (
        Wave((step,), Gate(GateKind.READY, text, (found.id,))),
        Wave((Remove(other.id, text, text),), Gate(GateKind.GONE, text, (other.id,))),
        Wave((Apply(secret(text, data={text: text}), text),), NO_GATE),
    )
    asked = RequestClass(
        Client(sidecar(text, {text: text})), Request(text, text, text, {text: text})
    )
    refuted = Counterexample(
        0,
        (found.id,),
        Invariant.AVAILABILITY,
        asked,
        Direct(200),
        Unknown(text, (found.id,)),
        Redirect(301, text),
        f"{text} → {text}",
        (found.id,),
    )
    return result(
        target(
            text,
            changes=ChangeSet((Update(found, found, (field, lines)), Delete(other))),
            edges=(edge,),
            cycles=(Cycle((found.id, other.id), (edge,), text),),
            plan=Plan(waves),
            proof=Proof(
                unknowns=(Undecided(text, asked), Undecided(f"{text} too", wave=1)),
                warnings=(refuted,),
                counterexamples=(refuted,),
            ),
            tried=text,
            irreversible=text,
            lost=(Lost(asked, refuted.before, refuted.after, text),),
            deployers=(
                DeployerResult(
                    text, text, True, Verdict.UNSAFE, Plan(waves), (refuted,), (Undecided(text),)
                ),
            ),
        ),
        base=RevisionName(text, None),
        head=RevisionName(text, "b" * 40),
        findings=(finding(text, id=found.id),),
        coverage=(Coverage(text, text, "helm", CoverageStatus.FAILED, text),),
        assumptions=(Assumption(text, text, text),),
    )
