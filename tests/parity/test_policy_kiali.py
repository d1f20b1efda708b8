"""The rule about subsets finds what Kiali's own test cases expect, where Kiali is right."""

import json
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
from support.python_rules import python_rules

#: Cases in which Kiali finds nothing and every request is lost: istiod reads `reviews.bookinfo` as
#: it stands, and looks for a DestinationRule in the namespaces of client, host and mesh alone.
LENIENT = {
    "subset-presence-matching-subsets-half-fqdn.yaml",
    "subset-presence-matching-subsets-diff-ns-fqdn.yaml",
}


@pytest.mark.corpus
def test_subsets_are_missing_where_kiali_says_so(corpora: Path) -> None:
    (rule,) = python_rules(data_path("policies") / "subset_exists.py")
    lenient = set()
    checked = 0
    for case in cases(corpora):
        (name,) = case["inputs"]
        documents = parse((corpora / "kiali-validations" / name).read_bytes(), name).documents
        found = resources_of(documents, default_namespace="default", scope_of=scope_of)
        snapshot = Snapshot(found.resources)
        model, _ = mesh_of(snapshot, Settings(world=World.CLOSED))
        ours = {".".join(map(str, (hit.place or ())[1:5])) for hit in rule.run(model)}
        theirs = {place(entry["path"]) for entry in case["expected"]}
        checked += 1
        assert theirs <= ours, name
        if ours != theirs:
            lenient.add(Path(name).name)
    assert checked > 7
    assert lenient == LENIENT


def cases(corpora: Path) -> Iterator[Mapping[str, Any]]:
    document = json.loads((corpora / "kiali-validations" / "cases.json").read_text("utf-8"))
    for case in document["cases"]:
        if case["checker"] == "virtualservices.SubsetPresenceChecker":
            yield case


def place(path: str) -> str:
    """`spec/http[0]/route[0]/destination` as `http.0.route.0`."""
    steps = path.replace("[", "/").replace("]", "").split("/")
    return ".".join(steps[1:5])
