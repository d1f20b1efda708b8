"""The rules that have a counterpart in `istioctl analyze` find what its own test cases expect."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meshplan.data import data_path
from meshplan.kinds import scope_of
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings, World
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse
from support.python_rules import all_python_rules

#: Our rules for the messages of each analyzer.
RULES = {
    "gateway.IngressGatewayPortAnalyzer": {"IST0162": ("GW-001",)},
    "gateway.ConflictingGatewayAnalyzer": {"IST0145": ("GW-003",)},
    "service.PortNameAnalyzer": {"IST0118": ("PORT-001",)},
    "serviceentry.Analyzer": {"IST0134": ("EGR-009",)},
    "virtualservice.ConflictingMeshGatewayHostsAnalyzer": {"IST0109": ("HOST-001",)},
    "virtualservice.DestinationHostAnalyzer": {"IST0101": ("REF-003",), "IST0112": ("REF-004",)},
    "virtualservice.DestinationRuleAnalyzer": {"IST0101": ("REF-001",)},
    "virtualservice.GatewayAnalyzer": {"IST0101": ("REF-005",), "IST0132": ("GW-004", "GW-005")},
}

#: What istioctl says and we do not, with the reason.
THEIRS = {
    # It names both Gateways. We name the one that istiod leaves out.
    ("conflicting gateways detect", "IST0145", "alpha"),
    ("conflicting gateways detect by sub selector", "IST0145", "alpha"),
    ("Analyze conflicting gateway with list type", "IST0145", "alpha"),
    # Of a Gateway that does not exist it says as well that it serves nothing.
    ("virtualServiceGateways", "IST0132", "httpbin-bogus"),
}

#: What we say and istioctl does not.
OURS = {
    # It reads the addresses from the status, which no manifest has; without a resolution istiod
    # assigns none.
    ("ServiceEntry Addresses Allocated", "IST0134", "address-allocated"),
}


def cases(corpora: Path) -> Iterator[Mapping[str, Any]]:
    document = json.loads((corpora / "istio-analyze" / "cases.json").read_text("utf-8"))
    for case in document["cases"]:
        if case["analyzer"] in RULES and not case.get("omitted_inputs"):
            yield case


@pytest.mark.corpus
def test_rules_find_what_istioctl_finds(corpora: Path) -> None:
    rules = {rule.id: rule for rule in all_python_rules(data_path("policies"))}
    theirs, ours = set(), set()
    checked = 0
    for case in cases(corpora):
        model, _ = mesh_of(state(corpora / "istio-analyze", case), Settings(world=World.CLOSED))
        for code, ids in RULES[case["analyzer"]].items():
            checked += 1
            hits = [hit for id_ in ids for hit in rules[id_].run(model)]
            ours |= {(case["name"], code, hit.id.name) for hit in hits}
            expected = [entry for entry in case["expected"] if entry["code"] == code]
            theirs |= {(case["name"], code, entry["name"]) for entry in expected}
    assert checked > 20
    assert len(theirs) > 20
    assert ours - theirs == OURS
    assert theirs - ours == THEIRS


@pytest.mark.corpus
def test_rules_refer_to_messages_that_exist(corpora: Path) -> None:
    messages = (corpora / "istio-analyze" / "messages.yaml").read_text("utf-8")
    checks = (corpora / "kiali-validations" / "check-descriptors.json").read_text("utf-8")
    for path in data_path("policies").glob("*.py"):
        for code in re.findall(r'"((?:IST|KIA)\d{4})"', path.read_text("utf-8")):
            assert code in (messages if code.startswith("IST") else checks), (path.name, code)


def state(folder: Path, case: Mapping[str, Any]) -> Snapshot:
    """The objects of a case, and the settings of the mesh as a cluster holds them."""
    documents = [
        document
        for name in case["inputs"]
        for document in parse((folder / name).read_bytes(), name).documents
    ]
    if "mesh_config" in case:
        mesh = json.dumps((folder / case["mesh_config"]).read_text("utf-8"))
        text = (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
            f"data: {{mesh: {mesh}}}\n"
        )
        documents += parse(text.encode(), "mesh.yaml").documents
    found = resources_of(documents, default_namespace="default", scope_of=scope_of)
    return Snapshot(found.resources)
