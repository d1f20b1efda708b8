"""Which settings are in force, and what a wrong one is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from meshplan.errors import SettingsError
from meshplan.finding import Severity
from meshplan.settings import DeployerSettings, Settings, TargetSettings, World
from meshplan.source.settings import checked_settings
from support.manifests import BASE, HEAD

Run = Callable[..., Any]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> Any:
        capfd.readouterr()
        main([*arguments, "-o", "json"])
        return json.loads(capfd.readouterr().out)

    return call


def facts(result: Any) -> dict[str, tuple[str, str]]:
    return {fact["name"]: (fact["value"], fact["source"]) for fact in result["assumptions"]}


class TestTrust:
    """A pull request cannot change the rules that judge it."""

    CLOSED = "world: closed\n"

    def test_between_commits_those_of_the_base_hold(self, run: Run, repo: Any) -> None:
        made = repo(BASE | {".meshplan.yaml": self.CLOSED}, HEAD | {".meshplan.yaml": None})
        found = facts(run("diff", "-C", str(made.path), "r0..r1"))
        assert found["settings"] == (".meshplan.yaml", "r0")
        assert found["world"] == ("closed", ".meshplan.yaml")

    def test_those_of_the_head_are_reported_and_not_used(self, run: Run, repo: Any) -> None:
        made = repo(BASE, HEAD | {".meshplan.yaml": self.CLOSED})
        result = run("diff", "-C", str(made.path), "r0..r1")
        assert "world" not in facts(result)
        [finding] = [f for f in result["findings"] if f["rule"] == "settings-changed"]
        assert finding["severity"] == "info"
        assert finding["locations"][0]["path"] == ".meshplan.yaml"

    def test_a_fault_in_those_of_the_head_is_found_before_it_is_merged(
        self, run: Run, repo: Any
    ) -> None:
        made = repo(BASE, HEAD | {".meshplan.yaml": "wrold: closed\n"})
        result = run("diff", "-C", str(made.path), "r0..r1")
        [finding] = [f for f in result["findings"] if f["rule"] == "settings"]
        assert finding["message"] == 'unknown key "wrold"; did you mean "world"?'
        assert result["exitStatus"] == 1

    def test_on_a_laptop_those_at_hand_hold(self, run: Run, repo: Any) -> None:
        made = repo(BASE)
        made.write({".meshplan.yaml": self.CLOSED})
        found = facts(run("diff", "-C", str(made.path)))
        assert found["settings"] == (".meshplan.yaml", "working tree")

    def test_the_index_has_its_own(self, run: Run, repo: Any) -> None:
        made = repo(BASE)
        made.write({".meshplan.yaml": self.CLOSED})
        assert "settings" not in facts(run("diff", "-C", str(made.path), "--staged"))
        made.git("add", "--all")
        found = facts(run("diff", "-C", str(made.path), "--staged"))
        assert found["settings"] == (".meshplan.yaml", "index")

    def test_a_file_of_the_users_holds_above_all(self, run: Run, repo: Any, tmp_path: Path) -> None:
        made = repo(BASE | {".meshplan.yaml": self.CLOSED}, HEAD)
        (tmp_path / "mine.yaml").write_text("world: open\n")
        found = facts(
            run("diff", "-C", str(made.path), "r0..r1", "--config", f"{tmp_path}/mine.yaml")
        )
        assert found["settings"][1] == "command line"
        assert "world" not in found


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("wrold: open", 1, 'unknown key "wrold"; did you mean "world"?'),
            (
                "\n\nworld: opne",
                3,
                'world: "opne" is not one of "open", "closed"; did you mean "open"?',
            ),
            ("mesh:\n  enableAutoMtls: maybe", 2, "mesh.enableAutoMtls: "),
            ("targets:\n  - name: a\n  - paths: [x]", 2, "targets.0: missing"),
            ("targets: [{name: a, paths: []}]", 1, "targets.0.paths: is empty"),
            ("- a", 1, "a list, expected a mapping"),
            ("a: 1\n---\nb: 2", 3, "a second document"),
            ("world: open\nworld: closed", 2, ""),
            ("render: {timeoutSeconds: 0}", 1, "render.timeoutSeconds: "),
            ("failOn: {", 1, ""),
        ],
    )
    def test_a_fault_has_its_place(self, text: str, line: int, message: str) -> None:
        with pytest.raises(SettingsError) as caught:
            checked_settings(text.encode(), ".meshplan.yaml")
        assert caught.value.exit_status == 2
        assert caught.value.sentence.startswith(".meshplan.yaml:")
        assert message in caught.value.message
        assert caught.value.line is None or caught.value.line >= line

    def test_all_faults_are_told_at_once(self) -> None:
        with pytest.raises(SettingsError) as caught:
            checked_settings(b"a: 1\nb: 2\n", "s.yaml")
        assert str(caught.value).count("unknown key") == 2

    def test_the_command_exits_with_2(self, repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
        made = repo(BASE | {".meshplan.yaml": "wrold: open\n"}, HEAD)
        assert main(["diff", "-C", str(made.path), "r0..r1"]) == 2
        err = capfd.readouterr().err
        assert err.startswith(
            'error: .meshplan.yaml:1:8: unknown key "wrold"; did you mean "world"?'
        )
        assert "meshplan schema settings" in err

    def test_two_files_are_one_too_many(self, repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
        made = repo({".meshplan.yaml": "{}", ".meshplan.yml": "{}"})
        assert main(["check", "-C", str(made.path)]) == 2
        assert ".meshplan.yaml and .meshplan.yml are both there" in capfd.readouterr().err

    def test_a_link_is_not_followed(self, repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
        made = repo(BASE)
        (made.path / ".meshplan.yaml").symlink_to("/etc/passwd")
        assert main(["check", "-C", str(made.path)]) == 2
        assert "symbolic link" in capfd.readouterr().err


class TestValues:
    def test_an_empty_file_is_the_defaults(self) -> None:
        assert checked_settings(b"# nothing\n", "s") == Settings(source="s")

    def test_every_key_is_read(self) -> None:
        text = b"""
world: closed
failOn: warning
failOnVerdicts: [unsafe]
defaultNamespace: apps
ignore: ["docs/**"]
deployers: [{name: argocd, pruneLast: true}, flux]
targets:
  - {name: prod, paths: [overlays/prod], kind: kustomize, namespace: shop}
  - {name: chart, paths: [charts/x], kind: helm, values: [a.yaml], release: x}
mesh: {outboundTrafficPolicy: REGISTRY_ONLY, enableAutoMtls: false, rootNamespace: mesh,
       trustDomain: td, clusterDomain: c.local, istioVersion: 1.29.1, kubernetesVersion: "1.33"}
render: {enabled: false, timeoutSeconds: 5, maxOutputBytes: 4096}
proof: {enabled: false, timeoutSeconds: 9}
"""
        found = checked_settings(text, "s")
        assert found.world is World.CLOSED
        assert found.fail_on is Severity.WARNING
        assert found.fail_on_verdicts == ("unsafe",)
        assert found.default_namespace == "apps"
        assert found.ignore == ("docs/**",)
        assert found.deployers == (
            DeployerSettings("argocd", prune_last=True),
            DeployerSettings("flux"),
        )
        assert (found.proof.enabled, found.proof.timeout_seconds) == (False, 9.0)
        assert found.targets == (
            TargetSettings("prod", ("overlays/prod",), "kustomize", "shop"),
            TargetSettings("chart", ("charts/x",), "helm", None, ("a.yaml",), "x"),
        )
        assert found.mesh.enable_auto_mtls is False
        assert found.mesh.kubernetes_version == "1.33"
        assert (found.render.enabled, found.render.timeout_seconds) == (False, 5.0)

    def test_the_schema_knows_every_setting(self, root: Path) -> None:
        schema = json.loads((root / "schemas" / "settings.schema.json").read_text("utf-8"))
        known = {_camel(name) for name in Settings.__dataclass_fields__} - {"source"}
        assert set(schema["properties"]) == known


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
