"""A bundle with the manifests of real repositories: OPA finds in it what meshplan finds."""

import json
import subprocess
from pathlib import Path

import pytest

from meshplan.policy.judge import Judge
from meshplan.policy.library import Pack
from meshplan.policy.rego.bundle import bundle
from meshplan.run.policy.rules import builtin
from meshplan.run.policy.shipped import shipped
from meshplan.run.request import mesh_of
from meshplan.settings import RuleSettings, Settings
from support.corpus import snapshots

PACK = Pack.of(builtin())
#: One in so many cases.
SHARE = 8
#: With Deployments of an API that is gone, and with changes that rules are about.
ALWAYS = ("istio-bookinfo-gateway-split", "kf-istio-namespace-overlay")


@pytest.mark.corpus
@pytest.mark.tool("opa")
def test_opa_finds_the_same_in_real_repositories(corpora: Path, tmp_path: Path) -> None:
    judge = Judge(PACK.compiled, RuleSettings())
    cases = sorted((corpora / "cases").iterdir())
    chosen = [c for n, c in enumerate(cases) if n % SHARE == 0 or c.name in ALWAYS]
    assert {c.name for c in chosen} >= set(ALWAYS)
    file = tmp_path / "bundle.tar.gz"
    count = 0
    for case in chosen:
        base, head = (mesh_of(side, Settings())[0] for side in snapshots(case))
        file.write_bytes(bundle(PACK.rules, shipped(PACK.rules, head, base.snapshot)))
        done = subprocess.run(
            ["opa", "eval", "--format", "values", "--bundle", str(file), "data.meshplan.findings"],
            capture_output=True,
            check=True,
        )
        there = {
            (f["object"]["kind"], f["object"]["name"], f["violation"]["msg"])
            for f in json.loads(done.stdout)[0]
        }
        found = (*judge.state(head, ""), *judge.change(base, head, ""))
        here = {(f.id.kind, f.id.name, f.message) for f in found if f.id is not None}
        assert there == here, case.name
        count += len(here)
    assert count > 50
