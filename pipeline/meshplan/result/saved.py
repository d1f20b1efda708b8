"""The result that a document describes: what `Result.to_json` wrote, for every report to read again.

A document comes from another machine and may have been made by anybody: it is validated against
`schemas/result.schema.json`, its digests are computed again, and what the schema leaves open is
read with care. What a document does not hold (the manifests of unchanged and of deleted objects,
the values of Secrets) is empty in the result.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff import (
    ABSENT,
    Change,
    ChangeSet,
    Create,
    Delete,
    FieldChange,
    Rename,
    Replace,
    Update,
)
from meshplan.errors import UsageError
from meshplan.finding import Finding, Fix, Severity, Status, Waiver
from meshplan.graph import Cycle, Edge
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave, canonical_json
from meshplan.resource import Origin, Resource
from meshplan.result.coverage import Coverage, CoverageStatus, Problem
from meshplan.result.document import DeployerResult, Result, RevisionName, TargetResult, Verdict
from meshplan.result.saved_proof import (
    Json,
    counterexample_from,
    ids_from,
    lost_from,
    proof_from,
    undecided_from,
)
from meshplan.schema import validate
from meshplan.settings import Assumption, Settings

#: A document of a fleet of a thousand services that all change is a tenth of it.
MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SavedPlan(Plan):
    """A plan with the digest that it had when Secrets were still in it."""

    said: str = ""

    @property
    def digest(self) -> str:
        """As the document says, and as was checked."""
        return self.said


def saved_document(content: bytes, name: str) -> Json:
    """The document in a file. Raises UsageError unless it is a result of meshplan."""
    if len(content) > MAX_BYTES:
        raise UsageError(f"{name} is longer than {MAX_BYTES // 1024 // 1024} MB")
    try:
        document = json.loads(content)
        problems = validate("result", document)
    except (ValueError, RecursionError):
        raise UsageError(
            f"{name} is no JSON document", hint="save one with `meshplan diff -o json=FILE`"
        ) from None
    if problems:
        first = problems[0]
        raise UsageError(
            f"{name} is no result of meshplan: {first.pointer or '/'}: {first.message[:200]}"
        )
    found: Json = document
    return found


def saved_result(document: Json, name: str = "the document") -> Result:
    """The result that a valid document describes. Raises UsageError where it contradicts itself."""
    _check_digests(document, name)
    try:
        result = _result(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{name} is no result of meshplan ({type(error).__name__})") from error
    if str(result.verdict) != document["verdict"] or result.exit_status != document["exitStatus"]:
        raise UsageError(f"{name} contradicts itself: its verdict does not follow from its targets")
    return result


def plan_digest(document: Json) -> str:
    """One digest for the plans of all targets: that of the plan, where there is one target."""
    plans = {t["name"]: t["plan"]["digest"] for t in document["targets"] if t["plan"] is not None}
    if len(plans) == 1:
        return str(next(iter(plans.values())))
    import hashlib  # noqa: PLC0415 - at hand already, through `plan`

    return "sha256:" + hashlib.sha256(canonical_json(plans)).hexdigest()


def _check_digests(document: Json, name: str) -> None:
    import hashlib  # noqa: PLC0415 - at hand already, through `plan`

    for target in document["targets"]:
        for plan in (target["plan"], *(one["plan"] for one in target["deployers"])):
            if plan is None:
                continue
            digest = "sha256:" + hashlib.sha256(canonical_json(plan["waves"])).hexdigest()
            if digest != plan["digest"]:
                raise UsageError(f"{name} has a plan that its digest does not belong to")


def _result(value: Json) -> Result:
    judged = value.get("judgement") or {}
    default = Settings()
    return Result(
        base=_revision(value["base"]) if value["base"] else None,
        head=_revision(value["head"]),
        as_of=value["asOf"],
        targets=tuple(_target(entry) for entry in value["targets"]),
        findings=tuple(_finding(entry) for entry in value["findings"]),
        coverage=tuple(_coverage(entry) for entry in value["coverage"]),
        assumptions=tuple(
            Assumption(entry["name"], entry["value"], entry["source"])
            for entry in value["assumptions"]
        ),
        problems=tuple(
            Problem(entry["message"], entry["path"], entry["line"]) for entry in value["errors"]
        ),
        settings=default.with_(
            fail_on=Severity(judged.get("failOn", default.fail_on)),
            fail_on_verdicts=tuple(judged.get("failOnVerdicts", default.fail_on_verdicts)),
        ),
        rules=value["tool"]["rules"],
    )


def _revision(value: Json) -> RevisionName:
    return RevisionName(value["name"], value["commit"])


def _target(value: Json) -> TargetResult:
    edges = tuple(_edge(entry) for entry in value["edges"])
    plan, proof = value["plan"], value["proof"]
    manifests = _manifests(plan)
    witness = (proof.get("impossible") or {}).get("witness") if proof else None
    return TargetResult(
        name=value["name"],
        verdict=Verdict(value["verdict"]),
        kind=value["kind"],
        before=value["objects"]["base"],
        after=value["objects"]["head"],
        changes=ChangeSet(tuple(_change(entry, manifests) for entry in value["changes"])),
        edges=edges,
        cycles=tuple(_cycle(entry, edges) for entry in value["cycles"]),
        plan=_plan(plan) if plan is not None else None,
        reversible=bool(plan and plan["reversible"]),
        irreversible=(plan.get("irreversible") or "") if plan else "",
        proof=proof_from(proof) if proof is not None else None,
        impossible=counterexample_from(witness) if witness else None,
        tried=(proof.get("tried") or "") if proof else "",
        lost=tuple(lost_from(entry) for entry in value["lost"]),
        deployers=tuple(_deployer(entry) for entry in value["deployers"]),
    )


def _deployer(value: Json) -> DeployerResult:
    return DeployerResult(
        value["name"],
        value.get("title", value["name"]),
        value["configured"],
        Verdict(value["verdict"]),
        _plan(value["plan"]),
        tuple(counterexample_from(entry) for entry in value["counterexamples"]),
        tuple(undecided_from(entry) for entry in value.get("unknowns", ())),
    )


def _id(value: Any) -> ResourceId:
    return ResourceId.from_json(value)


def _manifests(plan: Any) -> Mapping[ResourceId, tuple[str, Json]]:
    """What the plan writes last of each object."""
    steps = [step for wave in plan["waves"] for step in wave["steps"]] if plan else []
    return {
        _id(step["id"]): (step["apiVersion"], step["manifest"] or {})
        for step in steps
        if step["action"] == "apply"
    }


def _change(value: Json, manifests: Mapping[ResourceId, tuple[str, Json]]) -> Change:
    found = _id(value["id"])
    version, manifest = manifests.get(found, ("", {}))
    before = Resource(
        _id(value["was"]) if "was" in value else found, version, {}, _origin(value["base"])
    )
    after = Resource(found, version, manifest, _origin(value["head"]))
    fields = tuple(
        FieldChange(f["path"], f.get("before", ABSENT), f.get("after", ABSENT))
        for f in value["fields"]
    )
    match value["action"]:
        case "create":
            return Create(after)
        case "delete":
            return Delete(before)
        case "rename":
            return Rename(before, after)
        case "replace":
            return Replace(before, after, fields, ())
        case _:
            return Update(before, after, fields)


def _origin(place: Any) -> Origin:
    return Origin(place["path"], place["line"]) if place else Origin("")


def _edge(value: Json) -> Edge:
    return Edge(_id(value["first"]), _id(value["then"]), value["why"], value["failure"])


def _cycle(value: Json, edges: Sequence[Edge]) -> Cycle:
    ids = ids_from(value["ids"])
    among = tuple(edge for edge in edges if edge.first in ids and edge.then in ids)
    return Cycle(ids, among, value["why"])


def _plan(value: Json) -> Plan:
    return SavedPlan(
        tuple(
            Wave(
                tuple(_step(step) for step in wave["steps"]),
                Gate(
                    GateKind(wave["gate"]["kind"]),
                    wave["gate"]["why"],
                    ids_from(wave["gate"].get("ids", ())),
                ),
            )
            for wave in value["waves"]
        ),
        value["digest"],
    )


def _step(value: Json) -> Step:
    found = _id(value["id"])
    if value["action"] == "remove":
        return Remove(found, value["apiVersion"], value["why"], value["bridge"])
    written = Resource(found, value["apiVersion"], value["manifest"] or {}, Origin(""))
    return Apply(written, value["why"], value["bridge"])


def _finding(value: Json) -> Finding:
    return Finding(
        rule=value["rule"],
        severity=Severity(value["severity"]),
        message=value["message"],
        locations=tuple(_location(entry) for entry in value["locations"]),
        id=_id(value["id"]) if value["id"] else None,
        status=Status(value["status"]),
        target=value["target"],
        help=value["help"],
        refs=tuple(value["refs"]),
        wave=value["wave"],
        fix=_fix(value["fix"]) if value["fix"] else None,
        waiver=_waiver(value) if value["waiver"] else None,
        known_fingerprint=value["fingerprint"],
    )


def _fix(value: Json) -> Fix:
    return Fix(str(value["path"]), value["value"])


def _waiver(value: Json) -> Waiver:
    told = value["waiver"]
    return Waiver(
        rule=value["rule"],
        resource="",
        reason=str(told["reason"]),
        owner=str(told["owner"]),
        expires=str(told["expires"]),
        source=_written(told["source"]) if told.get("source") else None,
    )


def _written(place: str) -> Location:
    """A place from `path:line:column`."""
    path, *numbers = place.rsplit(":", 2)
    line, column = ([int(n) for n in numbers if n.isdecimal()] + [None, None])[:2]
    return Location(path, line, column)


def _location(value: Json) -> Location:
    return Location(
        value["path"],
        value["line"],
        value["column"],
        value["endLine"],
        value["endColumn"],
        value["pointer"],
        Side(value["revision"]),
        Role(value["role"]),
    )


def _coverage(value: Json) -> Coverage:
    status = CoverageStatus(value["status"])
    changed = bool(value.get("changed", False))
    return Coverage(value["target"], value["path"], value["kind"], status, value["why"], changed)
