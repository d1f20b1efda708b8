"""What rules compile to: files that real OPA, conftest and Gatekeeper take."""

import gzip
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from meshplan.errors import UsageError
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.library import Pack
from meshplan.policy.rego.bundle import bundle, inventory, modules
from meshplan.report.yamltext import to_yaml
from meshplan.run.policy.cases import Case, cases_of
from meshplan.run.policy.compile import compiled, placed
from meshplan.run.policy.rules import Chosen, builtin
from meshplan.run.policy.shown import Stage
from meshplan.settings import Settings
from meshplan.source.yaml import parse

RULES = Pack.of(builtin()).rules
TEAM = '''\
from meshplan.policy import Findings, Mesh, at, deny, fqdn, warn
from meshplan.policy.istio import VirtualService
from meshplan.policy.k8s import Service


@deny("TEAM-001")
def named(svc: Service, *, prefix: str = "shop-") -> Findings:
    """Services have the prefix of their team."""
    if not svc.metadata.name.startswith(prefix):
        yield at(svc.metadata.name, f"does not begin with {prefix}", fix=f"{prefix}{svc.metadata.name}")


@warn("TEAM-002")
def routed_service_is_here(vs: VirtualService, mesh: Mesh) -> Findings:
    """Routes lead to Services that are here."""
    known = {fqdn(s.metadata.name, s.metadata.namespace) for s in mesh.services}
    for http in vs.spec.http:
        for route in http.route:
            host = route.destination.host
            if host is not None and fqdn(host, vs.metadata.namespace) not in known:
                yield at(host, f"{host} is not here")
'''
MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: shop-api, namespace: shop}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [web], http: [{route: [{destination: {host: web}}, {destination: {host: nobody}}]}]}
"""
#: What both rules find there.
FOUND = {
    ("TEAM-001", "web", "does not begin with shop-"),
    ("TEAM-002", "web", "nobody is not here"),
}


def names(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        found = [(entry.name, opened.extractfile(entry)) for entry in opened.getmembers()]
        return {name: file.read() for name, file in found if file is not None}


def test_the_same_rules_give_the_same_bytes() -> None:
    data = {"inventory": inventory([{"kind": "Service", "apiVersion": "v1"}])}
    first = bundle(RULES, data)
    assert first == bundle(Pack.of(builtin()).rules, dict(data))
    with tarfile.open(fileobj=io.BytesIO(first), mode="r:gz") as opened:
        entries = opened.getmembers()
    assert [e.name for e in entries] == sorted(e.name for e in entries)
    assert {(e.mtime, e.uid, e.gid, e.uname) for e in entries} == {(0, 0, 0, "")}
    # Bytes 4 to 7 of gzip's header are a time.
    assert first[4:8] == b"\0\0\0\0"
    assert gzip.decompress(first)


def test_a_bundle_owns_what_is_in_it_alone() -> None:
    with_data = json.loads(names(bundle(RULES, {"facts": {}, "inventory": {}}))[".manifest"])
    without = json.loads(names(bundle(RULES, {}))[".manifest"])
    assert set(with_data["roots"]) - set(without["roots"]) == {"facts", "inventory"}
    assert "data.json" not in names(bundle(RULES, {}))
    assert with_data["revision"] != without["revision"]
    assert without["rego_version"] == 1


def test_objects_of_one_name_are_both_kept() -> None:
    one = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "n"}}
    two = {**one, "spec": {}}
    named = inventory([one, two])["namespace"]["n"]["v1"]["Service"]
    assert sorted(map(str, named.values())) == sorted(map(str, (one, two)))


@pytest.mark.parametrize("ids", [("A-1", "A.1"), ("FINDINGS",)])
def test_rules_of_one_package_are_refused(ids: Sequence[str]) -> None:
    text = TEAM.split("@warn", maxsplit=1)[0]
    texts = {
        f"{n}.py": text.replace("TEAM-001", id_).replace("Mesh, ", "") for n, id_ in enumerate(ids)
    }
    rules = Pack.of(texts).rules
    assert len(rules) == len(ids)
    with pytest.raises(UsageError, match="would be the package"):
        modules(rules)


def test_where_rules_run_is_what_is_compiled_for_it() -> None:
    for engine in ("gatekeeper", "conftest"):
        left_out = compiled(RULES, engine, {}).left_out
        assert {one.rule.id for one in placed(RULES) if one.reasons[engine]} == set(left_out)
    assert any("VirtualService" in one.needs.get("gatekeeper", "") for one in placed(RULES))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two rules, their settings, and manifests."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "team.py").write_text(TEAM, "utf-8")
    (tmp_path / "policies" / "test_team.py").write_text("import pytest\n", "utf-8")
    (tmp_path / "app.yaml").write_text(MANIFESTS, "utf-8")
    return tmp_path


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def by_native(capfd: pytest.CaptureFixture[str]) -> set[tuple[str, str, str]]:
    """What `meshplan check` finds with the rules in force."""
    Path(".meshplan.yaml").write_text("rules: {paths: [policies], builtin: false}\n", "utf-8")
    capfd.readouterr()
    main(["check", "app.yaml", "-o", "json"])
    found = json.loads(capfd.readouterr().out)["findings"]
    return {(f["rule"], f["id"]["name"], f["message"]) for f in found}


@pytest.mark.tool("opa")
@pytest.mark.parametrize("to", ["rego", "bundle"])
def test_opa_finds_what_meshplan_finds(
    to: str, repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["policy", "compile", "policies", "--to", to, "-o", "out", "--manifests", "app.yaml"]
    assert main(command) == 0
    where = ["--bundle", "out/bundle.tar.gz"] if to == "bundle" else ["--data", "out"]
    printed = run("opa", "eval", "--format", "values", *where, "data.meshplan.findings")
    found: list[dict[str, Any]] = json.loads(printed)[0]
    there = {(f["rule"], f["object"]["name"], f["violation"]["msg"]) for f in found}
    assert there == FOUND
    assert by_native(capfd) == FOUND


@pytest.mark.tool("opa")
def test_opa_finds_what_the_pack_finds_with_the_facts_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = [
        example.after.replace("namespace: shop", f"namespace: shop{number}")
        for number, rule in enumerate(RULES)
        for example in rule.page.bad
        if not rule.is_change
    ]
    Path("app.yaml").write_text("\n---\n".join(examples), "utf-8")
    command = ["policy", "compile", "--to", "bundle", "-o", "out", "--manifests", "app.yaml"]
    assert main(command) == 0
    capfd.readouterr()
    main(["check", "app.yaml", "-o", "json"])
    ids = {rule.id for rule in RULES}
    here = {
        (f["id"]["kind"], f["id"]["name"], f["message"])
        for f in json.loads(capfd.readouterr().out)["findings"]
        if f["rule"] in ids
    }
    printed = run(
        *("opa", "eval", "--format", "values", "--bundle", "out/bundle.tar.gz"),
        "data.meshplan.findings",
    )
    there = {
        (f["object"]["kind"], f["object"]["name"], f["violation"]["msg"])
        for f in json.loads(printed)[0]
    }
    assert len(here) > 20
    assert there == here


@pytest.mark.tool("opa")
@pytest.mark.parametrize("to", ["rego", "conftest"])
def test_what_is_written_is_clean(to: str, tmp_path: Path) -> None:
    assert main(["policy", "compile", "--to", to, "-o", str(tmp_path)]) == 0
    for command in (["check", "--strict"], ["fmt", "--list"]):
        done = subprocess.run(["opa", *command, str(tmp_path)], capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.tool("opa")
def test_a_bundle_with_tests_passes_them_and_fails_without_its_rules(tmp_path: Path) -> None:
    """The tests hold what is found natively: other Rego does not pass them."""
    command = ["policy", "compile", "-C", str(tmp_path), "--tests", "-o", "out", "--to"]
    assert main([*command, "bundle"]) == 0
    assert main([*command, "rego"]) == 0
    out = tmp_path / "out"
    # Parameters of the settings change what rules find, and not what their tests want.
    printed = run("opa", "test", "--format", "json", "--bundle", str(out / "bundle.tar.gz"))
    passed = json.loads(printed)
    assert len(passed) > 100
    assert not [test for test in passed if test.get("fail") or test.get("error")]
    (out / "bundle.tar.gz").unlink()
    for rule in (out / "meshplan").glob("*_001.rego"):
        text = rule.read_text("utf-8")
        rule.write_text(text.replace('"msg": msg', '"msg": "?"'), "utf-8")
    done = subprocess.run(
        ["opa", "test", "--format", "json", str(out)], capture_output=True, check=False
    )
    assert done.returncode == 2
    failed = [test["package"] for test in json.loads(done.stdout) if test.get("fail")]
    assert len(set(failed)) == len(list((out / "meshplan").glob("*_001.rego")))


@pytest.mark.tool("opa")
def test_parameters_of_the_settings_leave_the_tests_alone(repository: Path) -> None:
    example = MANIFESTS.partition("---")[0].replace("\n", "\n        ")
    page = f'"""Services have the prefix of their team.\n\n    Bad:\n        {example}\n    """'
    text = TEAM.replace('"""Services have the prefix of their team."""', page)
    (repository / "policies" / "team.py").write_text(text, "utf-8")
    (repository / ".meshplan.yaml").write_text(
        "rules: {parameters: {TEAM-001: {prefix: web}}}\n", "utf-8"
    )
    assert main(["policy", "compile", "policies", "--to", "rego", "--tests", "-o", "out"]) == 0
    assert '"prefix": "web"' in Path("out/meshplan/team_001.rego").read_text("utf-8")
    assert json.loads(run("opa", "test", "--format", "json", "out"))[0].get("fail") is None


@pytest.mark.tool("opa")
def test_changes_are_shipped_with_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rule = next(r for r in RULES if r.id == "REF-006")
    for name, text in (("old", rule.page.bad[0].before), ("new", rule.page.bad[0].after)):
        Path(name).mkdir()
        Path(name, "app.yaml").write_text(text, "utf-8")
    ship = ["--manifests", "new", "--before", "old"]
    assert main(["policy", "compile", "--to", "bundle", "-o", "out", *ship]) == 0
    printed = run(
        *("opa", "eval", "--format", "values", "--bundle", "out/bundle.tar.gz"),
        "data.meshplan.ref_006.inventory",
    )
    (found,) = json.loads(printed)[0]
    assert "subset 'v1' of reviews.shop.svc.cluster.local" in found["violation"]["msg"]
    assert found["violation"]["details"]["path"] == ["@old", "spec", "subsets", 0]


@pytest.mark.tool("opa")
@pytest.mark.parametrize("combined", [True, False])
def test_the_adapter_understands_both_inputs(combined: bool, repository: Path) -> None:
    """What conftest does, done by OPA: the document alone, or all of them with their paths."""
    assert main(["policy", "compile", "policies", "--to", "conftest", "-o", "out"]) == 0
    objects = [document.value for document in parse(MANIFESTS.encode(), "app.yaml").documents]
    whole: list[Any] = [[{"path": "app.yaml", "contents": o} for o in [*objects, None, 3]]]
    messages = set()
    for given in whole if combined else [*objects, {}, {"kind": None}]:
        Path("input.json").write_text(json.dumps(given), "utf-8")
        printed = run(
            "opa", "eval", "--format", "values", "-d", "out", "-i", "input.json", "data.main"
        )
        found = json.loads(printed)[0]
        for name in ("deny_team_001", "warn_team_002"):
            messages |= {(name, f["msg"]) for f in found[name]}
    prefix = "app.yaml: " if combined else ""
    alone = {("deny_team_001", f"{prefix}Service/shop/web: does not begin with shop- (TEAM-001)")}
    other = ("warn_team_002", f"{prefix}VirtualService/shop/web: nobody is not here (TEAM-002)")
    assert messages == (alone | {other} if combined else alone)


@pytest.mark.tool("conftest")
def test_conftest_finds_what_meshplan_finds(repository: Path) -> None:
    assert main(["policy", "compile", "policies", "--to", "conftest", "-o", "out"]) == 0
    command = ("conftest", "test", "--policy", "out", "--output", "json", "app.yaml")
    for more, expected in (([], {"TEAM-001"}), (["--combine"], {"TEAM-001", "TEAM-002"})):
        results = json.loads(run(*command, *more))
        kinds = ("failures", "warnings")
        found = [hit for result in results for kind in kinds for hit in result.get(kind, ())]
        assert {hit["metadata"]["rule"] for hit in found} == expected
        assert sum(len(result.get("failures", ())) for result in results) == 1


@pytest.mark.tool("gator")
def test_gatekeeper_takes_the_templates(repository: Path) -> None:
    assert main(["policy", "compile", "policies", "--to", "gatekeeper", "-o", "out"]) == 0
    flags = ["-f", "out/templates", "-f", "out/constraints", "-f", "out/syncset.yaml"]
    found = json.loads(run("gator", "test", *flags, "-f", "app.yaml", "-o", "json"))
    assert {result["msg"] for result in found} == {message for _, _, message in FOUND}


@pytest.mark.tool("gator")
def test_gatekeeper_finds_what_meshplan_finds_in_each_example(tmp_path: Path) -> None:
    """Every rule that Gatekeeper can run, asked by its own engine about each example."""
    assert main(["policy", "compile", "--to", "gatekeeper", "-o", str(tmp_path)]) == 0
    chosen = Chosen(Pack.of(builtin()), Settings(), builtin(), {})
    runs = {one.rule.id for one in placed(RULES) if not one.reasons["gatekeeper"]}
    tests: dict[str, list[Any]] = {}
    for number, case in enumerate(c for c in cases_of(chosen) if c.rule.id in runs):
        tests.setdefault(case.rule.id, []).extend(gator_cases(tmp_path, number, case))
    suite = {
        "apiVersion": "test.gatekeeper.sh/v1alpha1",
        "kind": "Suite",
        "metadata": {"name": "meshplan"},
        "tests": [
            {
                "name": id_,
                "template": f"templates/meshplan{id_.replace('-', '').lower()}.yaml",
                "constraint": f"constraints/meshplan{id_.replace('-', '').lower()}.yaml",
                "cases": cases,
            }
            for id_, cases in tests.items()
        ],
    }
    (tmp_path / "suite.yaml").write_text(to_yaml(suite), "utf-8")
    done = subprocess.run(
        ["gator", "verify", str(tmp_path / "suite.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {len(tests), len(runs)} == {12}
    assert "ok" in done.stdout


def gator_cases(folder: Path, number: int, case: Case) -> Iterator[dict[str, Any]]:
    """What gator is asked about each subject of a case, and what it has to find."""
    stage = Stage(case)
    hits = stage.hits(CompiledRule(case.rule))
    for place, resource in enumerate(stage.mesh.snapshot.values()):
        (folder / f"c{number}-o{place}.yaml").write_text(to_yaml(dict(resource.manifest)), "utf-8")
    inventory_ = [f"c{number}-o{n}.yaml" for n in range(len(stage.mesh.snapshot))]
    for place, ((old, new), found) in enumerate(zip(stage.subjects, hits, strict=True)):
        subject = new or old
        assert subject is not None
        request: dict[str, Any] = {
            "uid": "1",
            "kind": {"group": subject.id.group, "version": "v1", "kind": subject.id.kind},
            "operation": "CREATE" if old is None else "DELETE" if new is None else "UPDATE",
            "name": subject.id.name,
            "namespace": subject.id.namespace or "",
        }
        request |= {"object": dict(new.manifest)} if new is not None else {}
        request |= {"oldObject": dict(old.manifest)} if old is not None else {}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        name = f"c{number}-r{place}.yaml"
        (folder / name).write_text(to_yaml({**review, "request": request}), "utf-8")
        violations = [{"violations": len(found)}]
        violations += [{"violations": 1, "message": f"^{re.escape(h.message)}$"} for h in found]
        yield {
            "name": f"{case.name} {place}",
            "object": name,
            "inventory": inventory_,
            "assertions": violations,
        }


def test_parameters_and_levels_of_the_settings_are_compiled(repository: Path) -> None:
    (repository / ".meshplan.yaml").write_text(
        "rules:\n  parameters: {TEAM-001: {prefix: web}}\n"
        "  levels: [{rules: [TEAM-002], level: 'off'}, {rules: [TEAM-001], level: info}]\n",
        "utf-8",
    )
    assert main(["policy", "compile", "policies", "--to", "gatekeeper", "-o", "out"]) == 0
    assert sorted(p.name for p in Path("out/constraints").iterdir()) == ["meshplanteam001.yaml"]
    text = Path("out/constraints/meshplanteam001.yaml").read_text("utf-8")
    assert "prefix: web" in text
    assert "enforcementAction: dryrun" in text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["list", "nowhere"], "nowhere does not exist"),
        (["list", "app.yaml"], "no rule is at app.yaml"),
        (["compile", "--to", "bundel", "-o", "out"], "is not one of"),
        (["compile", "--to", "conftest", "-o", "out", "--manifests", "app.yaml"], "conftest gets"),
        (["compile", "--to", "rego", "-o", "out", "--before", "app.yaml"], "what is to be there"),
        (["compile", "--to", "rego", "-o", "app.yaml"], "app.yaml"),
        (["compile", "--to", "rego", "-o", "app.yaml/x"], "cannot write app.yaml/x"),
        (["compile", "--to", "rego", "-o", "out", "--manifests", "policies"], "no manifests"),
    ],
)
def test_mistakes_are_one_sentence(
    command: list[str], said: str, repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status = main(["policy", *command])
    error = capfd.readouterr().err
    assert status in (2, 3)
    assert said in error
    assert "Traceback" not in error
    assert error.startswith("error: ")
