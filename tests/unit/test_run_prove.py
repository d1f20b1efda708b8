"""What is proven of a plan, how it is said, and what it does to the exit status."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from meshplan.cli import main
from meshplan.cli.options import DEPLOYERS as NAMES
from meshplan.data import data_path
from meshplan.deployers import DEPLOYERS
from meshplan.proof.meter import Meter
from support.manifests import BASE, HEAD
from support.scenarios import FOLDER

Files = Mapping[str, str]
Diff = Callable[..., Any]


@pytest.fixture
def diff(repo: Any, capfd: pytest.CaptureFixture[str]) -> Diff:
    """Compare two revisions, hold the document to its schema, and give it."""
    schema = json.loads((data_path("schemas") / "result.schema.json").read_text("utf-8"))
    validator = Draft202012Validator(schema)

    def call(base: Files, head: Files, *options: str) -> Any:
        made = repo(base, head)
        capfd.readouterr()
        status = main(("diff", "-C", str(made.path), "r0..r1", "-o", "json", *options))
        result = json.loads(capfd.readouterr().out)
        validator.validate(result)
        assert result["exitStatus"] == status
        return result

    return call


def scenario(name: str, **more: str) -> tuple[Files, Files]:
    """Base and head of a scenario as files; `more` is in both."""
    return _side(name, "before") | more, _side(name, "after") | more


def _side(name: str, side: str) -> dict[str, str]:
    found = sorted((FOLDER / name / side).glob("*.yaml"))
    return {path.name: path.read_text("utf-8") for path in found}


def settings(text: str) -> dict[str, str]:
    return {".meshplan.yaml": text}


class TestVerdict:
    def test_one_wave_is_safe_in_any_order(self, diff: Diff) -> None:
        result = diff(*scenario("weights-shifted"))
        assert (result["verdict"], result["exitStatus"]) == ("safe", 0)
        [target] = result["targets"]
        assert target["proof"]["classes"] > 0
        assert target["proof"]["counterexamples"] == target["proof"]["unknowns"] == []
        assert target["plan"]["reversible"] is True
        assert target["plan"]["irreversible"] is None

    def test_several_waves_are_safe_in_order(self, diff: Diff) -> None:
        result = diff(*scenario("subset-added"))
        assert (result["verdict"], result["exitStatus"]) == ("safe-in-order", 0)

    def test_a_bridge_is_marked(self, diff: Diff) -> None:
        result = diff(*scenario("subset-swap"))
        [target] = result["targets"]
        assert (target["verdict"], target["plan"]["bridges"]) == ("safe-in-order", 1)
        steps = [step for wave in target["plan"]["waves"] for step in wave["steps"]]
        [bridge] = [step for step in steps if step["bridge"]]
        assert bridge["id"]["kind"] == "DestinationRule"

    def test_what_cannot_be_has_a_witness(self, diff: Diff) -> None:
        result = diff(*scenario("passthrough-to-simple"))
        assert (result["verdict"], result["exitStatus"]) == ("unsafe", 1)
        [target] = result["targets"]
        witness = target["proof"]["impossible"]["witness"]
        assert witness["during"]["kind"] != witness["before"]["kind"]
        assert target["plan"]["reversible"] is False
        assert target["plan"]["irreversible"]

    def test_what_is_not_modelled_is_unknown(self, diff: Diff) -> None:
        result = diff(*scenario("envoyfilter-meets-change"))
        assert (result["verdict"], result["exitStatus"]) == ("unknown", 1)
        unknowns = result["targets"][0]["proof"]["unknowns"]
        assert any("EnvoyFilter shop/lua" in unknown["why"] for unknown in unknowns)

    def test_the_settings_say_which_verdicts_count(self, diff: Diff) -> None:
        lenient = settings("failOnVerdicts: [unsafe]\n")
        assert diff(*scenario("envoyfilter-meets-change", **lenient))["exitStatus"] == 0
        assert diff(*scenario("passthrough-to-simple", **lenient))["exitStatus"] == 1
        strict = settings("failOnVerdicts: [safe-in-order]\n")
        assert diff(*scenario("subset-added", **strict))["exitStatus"] == 1

    def test_requests_that_the_change_ends_are_listed(self, diff: Diff) -> None:
        [target] = diff(*scenario("route-to-nowhere"))["targets"]
        assert target["verdict"] == "safe"
        assert {lost["before"]["kind"] for lost in target["lost"]} == {"served"}
        assert "served" not in {lost["after"]["kind"] for lost in target["lost"]}


class TestWithoutProof:
    @pytest.mark.parametrize("how", ["option", "settings"])
    def test_it_is_unknown_and_holds_nothing_back(self, how: str, diff: Diff) -> None:
        more = settings("proof: {enabled: false}\n") if how == "settings" else {}
        options = ("--no-proof",) if how == "option" else ()
        result = diff(*scenario("passthrough-to-simple", **more), *options)
        assert (result["verdict"], result["exitStatus"]) == ("unknown", 0)
        [target] = result["targets"]
        assert target["proof"] is None
        assert target["plan"]["waves"]

    def test_the_option_wins(self, diff: Diff) -> None:
        more = settings("proof: {enabled: false}\n")
        assert diff(*scenario("weights-shifted", **more), "--proof")["verdict"] == "safe"


class TestFaults:
    """Whatever happens in the prover, the plan is not lost."""

    def test_a_crash(self, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object, **__: object) -> None:
            raise KeyError("what a manifest says")

        monkeypatch.setattr("meshplan.planner.solve.solve", crash)
        result = diff(BASE, HEAD)
        assert (result["verdict"], result["exitStatus"]) == ("unknown", 1)
        [target] = result["targets"]
        [unknown] = target["proof"]["unknowns"]
        assert "the prover itself failed (KeyError)" in unknown["why"]
        assert "manifest says" not in json.dumps(result)
        assert [len(wave["steps"]) for wave in target["plan"]["waves"]] == [1, 1]

    def test_no_end(self, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
        def forever(*_: object, **__: object) -> None:
            while True:
                pass

        monkeypatch.setattr("meshplan.planner.solve.solve", forever)
        soon = settings("proof: {timeoutSeconds: 0.2}\n")
        [target] = diff({**BASE, **soon}, HEAD)["targets"]
        [unknown] = target["proof"]["unknowns"]
        assert unknown["why"] == "proving it takes longer than 0.2 s"
        assert target["plan"]["waves"]

    def test_more_work_than_may_be_done(self, diff: Diff) -> None:
        little = settings("proof: {work: 3}\n")
        [target] = diff({**BASE, **little}, HEAD, "--deployer", "helm")["targets"]
        [unknown] = target["proof"]["unknowns"]
        assert unknown["why"] == "proving it takes more than 3 steps of work"
        assert target["verdict"] == "unknown"
        assert target["plan"]["waves"]
        [deployer] = target["deployers"]
        assert deployer["unknowns"][0]["why"] == unknown["why"]

    def test_a_crash_over_a_deployer(self, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
        class Crashing:
            meter = Meter(1)

            def __init__(self, *_: object, **__: object) -> None:
                pass

            def check(self, *_: object) -> None:
                raise RecursionError

        monkeypatch.setattr("meshplan.run.prove._prover", Crashing)
        [target] = diff(BASE, HEAD, "--deployer", "helm")["targets"]
        assert target["verdict"] == "safe-in-order"
        [deployer] = target["deployers"]
        assert deployer["verdict"] == "unknown"
        assert "RecursionError" in deployer["unknowns"][0]["why"]


class TestDeployers:
    def test_names_are_the_same_everywhere(self) -> None:
        names = tuple(deployer.name for deployer in DEPLOYERS)
        assert names == NAMES
        schema = json.loads((data_path("schemas") / "settings.schema.json").read_text("utf-8"))
        assert set(schema["$defs"]["deployerName"]["enum"]) == set(names)

    def test_one_that_is_asked_about(self, diff: Diff) -> None:
        result = diff(*scenario("subset-removed"), "--deployer", "helm")
        assert result["exitStatus"] == 0
        [deployer] = result["targets"][0]["deployers"]
        assert (deployer["name"], deployer["configured"]) == ("helm", False)
        assert deployer["verdict"] == "unsafe"
        assert deployer["plan"]["waves"]
        example = deployer["counterexamples"][0]
        assert (example["invariant"], example["during"]["kind"]) == ("I1", "error")

    def test_one_that_is_in_use_holds_the_change_back(self, diff: Diff) -> None:
        more = settings("deployers: [helm, kubectl]\n")
        result = diff(*scenario("subset-removed", **more))
        assert (result["verdict"], result["exitStatus"]) == ("safe-in-order", 1)
        deployers = result["targets"][0]["deployers"]
        assert [found["name"] for found in deployers] == ["helm", "kubectl"]
        assert all(found["configured"] for found in deployers)

    def test_one_that_is_safe_does_not(self, diff: Diff) -> None:
        more = settings("deployers: [helm]\n")
        result = diff(*scenario("virtualservice-renamed", **more))
        assert result["exitStatus"] == 0
        assert result["targets"][0]["deployers"][0]["verdict"] == "safe"

    def test_its_options_count(self, diff: Diff) -> None:
        first = settings("deployers: [argocd]\n")
        last = settings("deployers: [{name: argocd, pruneLast: true}]\n")
        verdicts = [
            diff(*scenario("virtualservice-renamed", **more))["targets"][0]["deployers"][0][
                "verdict"
            ]
            for more in (first, last)
        ]
        assert verdicts == ["unsafe", "safe"]

    def test_wrong_options(self, repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
        made = repo({**BASE, **settings("deployers: [{name: argo}]\n")}, HEAD)
        assert main(("diff", "-C", str(made.path), "r0..r1")) == 2
        assert "argo" in capfd.readouterr().err


class TestText:
    @pytest.fixture
    def told(self, repo: Any, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
        def call(base: Files, head: Files, *options: str) -> str:
            made = repo(base, head)
            capfd.readouterr()
            main(("diff", "-C", str(made.path), "r0..r1", *options))
            return capfd.readouterr().out

        return call

    def test_the_deployer_in_use(self, told: Callable[..., str]) -> None:
        text = told(*scenario("subset-removed", **settings("deployers: [argocd]\n")))
        assert text.splitlines()[1] == "held back: Argo CD as configured loses requests"
        assert "✗ Argo CD as configured loses these requests:" in text
        assert (
            "at step 1 of 1, writing DestinationRule shop/reviews and VirtualService shop/reviews "
            "(Argo CD's wave 0, by kind, then name): GET "
        ) in text

    def test_what_is_impossible(self, told: Callable[..., str]) -> None:
        text = told(*scenario("passthrough-to-simple"))
        assert text.splitlines()[1] == "held back: no order is safe"
        assert "✗ no order is safe, with or without bridges:" in text

    def test_a_proven_plan_says_how_it_was_proven(self, told: Callable[..., str]) -> None:
        text = told(*scenario("subset-swap"))
        assert text.splitlines()[1] == "proven safe in this order, with a bridge"
        assert "apply bridge DestinationRule shop/reviews" in text
        assert "; the way back is proven as well" in text
        assert "no order is safe" not in text
        assert "wait for another" not in text

    def test_no_way_back_is_explained(self, told: Callable[..., str]) -> None:
        text = told(*scenario("https-gateway-renamed"))
        assert "; no proven way back: on the way back: GET shop.example.com/" in text

    def test_what_is_not_decided(self, told: Callable[..., str]) -> None:
        text = told(*scenario("envoyfilter-meets-change"))
        assert text.splitlines()[1] == "held back: not proven"
        assert "? not decided:" in text
        assert "EnvoyFilter shop/lua" in text

    def test_a_pull_request_gets_the_same(self, told: Callable[..., str]) -> None:
        more = settings("deployers: [argocd]\n")
        text = told(*scenario("subset-removed", **more), "-o", "markdown")
        assert text.startswith("## ❌ meshplan: held back: Argo CD as configured loses requests\n")
        assert "> [!CAUTION]" in text
