"""The command line, in process: what it prints, where, and its exit status."""

import io
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from meshplan.cli import COMMANDS, cli, main
from support.git import Repository
from support.manifests import BASE, HEAD, ROUTE, RULE, SERVICE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(arguments)
        out, err = capfd.readouterr()
        return status, out, err

    return call


@pytest.fixture
def shop(repo: Any, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a change, and the current directory in it."""
    made: Repository = repo(BASE, HEAD)
    monkeypatch.chdir(made.path)
    return made


class TestDiff:
    def test_two_revisions(self, run: Run, shop: Repository) -> None:
        status, out, err = run("diff", "r0..r1")
        assert (status, err) == (0, "")
        assert out.startswith("r0 (")
        assert "2 update" in out
        assert out.index("apply DestinationRule shop/reviews") < out.index(
            "apply VirtualService shop/reviews"
        )
        assert "503 NC" in out

    def test_two_names_are_a_range(self, run: Run, shop: Repository) -> None:
        assert run("diff", "r0", "r1")[1] == run("diff", "r0..r1")[1]

    def test_the_working_tree(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/rule.yaml": RULE, "shop/route.yaml": ROUTE})
        status, out, _ = run("diff")
        assert status == 0
        assert out.splitlines()[0].endswith("→ working tree")
        assert "- spec.subsets[name=v2]" in out

    def test_an_untracked_file_is_part_of_it(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/new.yaml": SERVICE.replace("name: reviews", "name: ratings")})
        assert "create Service shop/ratings" in run("diff")[1]
        assert "ratings" not in run("diff", "--staged")[1]

    def test_the_index(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/rule.yaml": RULE})
        shop.git("add", "--all")
        assert run("diff", "--staged")[1] == run("diff", "--cached")[1]
        assert "→ index" in run("diff", "--staged")[1]

    def test_another_directory(self, run: Run, shop: Repository, tmp_path: Path) -> None:
        os.chdir(tmp_path)
        assert run("diff", "-C", str(shop.path), "r0..r1")[0] == 0

    def test_every_path_is_relative_to_the_other_directory(
        self, run: Run, shop: Repository, tmp_path: Path
    ) -> None:
        os.chdir(tmp_path)
        (shop.path / "mine.yaml").write_text("world: closed\n")
        status, _, _ = run(
            *("diff", "-C", str(shop.path), "r0..r1"),
            *("--config", "mine.yaml", "-o", "json=out.json"),
        )
        assert status == 0
        assert json.loads((shop.path / "out.json").read_text())["base"]["name"] == "r0"
        assert Path.cwd() == tmp_path

    def test_a_clean_tree_gets_a_suggestion(self, run: Run, shop: Repository) -> None:
        shop.git("checkout", "--quiet", "-b", "feature")
        status, out, _ = run("diff")
        assert status == 0
        assert "nothing changed; try `meshplan diff main...`" in out

    def test_a_file_that_moves_is_no_change(self, run: Run, shop: Repository) -> None:
        shop.git("mv", "shop/rule.yaml", "shop/renamed.yaml")
        assert "nothing changes" in run("diff")[1]

    def test_quiet_prints_nothing(self, run: Run, shop: Repository) -> None:
        assert run("diff", "-q", "r0..r1") == (0, "", "")

    def test_the_day_is_an_input(self, run: Run, shop: Repository) -> None:
        _, out, _ = run("diff", "r0..r1", "--as-of", "2030-01-02", "-o", "json")
        assert json.loads(out)["asOf"] == "2030-01-02"

    def test_the_same_input_gives_the_same_bytes(self, run: Run, shop: Repository) -> None:
        one, two = (run("diff", "r0..r1", "-o", "json", "--no-cache")[1] for _ in range(2))
        assert one == two
        assert str(shop.path) not in one

    def test_a_closed_world_is_said(self, run: Run, shop: Repository) -> None:
        _, out, _ = run("diff", "r0..r1", "--closed", "-o", "json")
        facts = json.loads(out)["assumptions"]
        assert {"name": "world", "value": "closed", "source": "command line"} in facts

    def test_one_target(self, run: Run, shop: Repository) -> None:
        _, out, _ = run("diff", "r0..r1", "-o", "json")
        name = json.loads(out)["targets"][0]["name"]
        _, out, _ = run("diff", "r0..r1", "--target", name, "-o", "json")
        assert [found["name"] for found in json.loads(out)["targets"]] == [name]

    def test_an_unknown_target_is_said(self, run: Run, shop: Repository) -> None:
        status, _, err = run("diff", "r0..r1", "--target", "shopp")
        assert status == 2
        assert err.startswith('error: no target "shopp"')


class TestOutput:
    def test_json_satisfies_the_schema(self, run: Run, shop: Repository, root: Path) -> None:
        schema = json.loads((root / "schemas" / "result.schema.json").read_text("utf-8"))
        for arguments in (("diff", "r0..r1"), ("diff",), ("check",), ("check", "--revision", "r0")):
            _, out, _ = run(*arguments, "-o", "json")
            Draft202012Validator(schema).validate(json.loads(out))

    def test_several_at_once(self, run: Run, shop: Repository, tmp_path: Path) -> None:
        status, out, _ = run(
            *("diff", "r0..r1", "-o", f"json={tmp_path}/r.json", "-o", "text"),
            *("-o", f"script={tmp_path}/plan.sh"),
        )
        assert status == 0
        assert "wave 1" in out
        assert json.loads((tmp_path / "r.json").read_text())["summary"]["update"] == 2
        assert (tmp_path / "plan.sh").read_text().startswith("#!/bin/sh\n")
        assert sorted(entry.name for entry in tmp_path.glob(".*")) == []

    def test_a_new_file_has_the_permissions_of_any_other(
        self, run: Run, shop: Repository, tmp_path: Path
    ) -> None:
        run("diff", "-o", f"json={tmp_path}/r.json")
        (tmp_path / "other").touch()
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("r.json", "other")}
        assert len(modes) == 1

    def test_a_link_stays_a_link(self, run: Run, shop: Repository, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "real")
        run("diff", "-o", f"json={tmp_path}/link")
        assert (tmp_path / "link").is_symlink()
        assert json.loads((tmp_path / "real").read_text())

    def test_stdout_by_its_sign(self, run: Run, shop: Repository) -> None:
        assert run("diff", "-o", "json=-")[1] == run("diff", "-o", "json")[1]

    @pytest.mark.parametrize(
        ("specs", "message"),
        [
            (("yaml",), 'no report "yaml"'),
            (("jsn",), 'no report "jsn"; did you mean "json"?'),
            (("json=",), "-o json= names no file"),
            (("json", "text"), "two reports would go to standard output"),
            (("json=nowhere/r.json",), "cannot write nowhere/r.json: the folder nowhere does not"),
            (("json=shop",), "cannot write shop: it is a folder"),
        ],
    )
    def test_what_cannot_be_is_said_first(
        self, specs: tuple[str, ...], message: str, run: Run, shop: Repository
    ) -> None:
        status, out, err = run("diff", *(f"-o{spec}" for spec in specs))
        assert (status, out) == (2, "")
        assert err.startswith(f"error: {message}")
        assert not (shop.path / "nowhere").exists()

    def test_a_full_disk_is_one_sentence(
        self, run: Run, shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        (tmp_path / "r.json").write_text("old")
        monkeypatch.setattr(Path, "replace", full)
        status, _, err = run("diff", "-o", f"json={tmp_path}/r.json")
        assert status == 3
        assert err == f"error: cannot write {tmp_path}/r.json: no space left on device\n"
        assert (tmp_path / "r.json").read_text() == "old"
        assert len(list(tmp_path.glob(".r.json*"))) == 0

    def test_colours_only_when_asked(
        self, run: Run, shop: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "\x1b" not in run("diff", "r0..r1")[1]
        assert "\x1b[" in run("diff", "r0..r1", "--color", "always")[1]
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b[" in run("diff", "r0..r1")[1]
        assert "\x1b" not in run("diff", "r0..r1", "--color", "never")[1]
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in run("diff", "r0..r1")[1]

    def test_ascii_where_there_is_nothing_else(
        self, shop: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding="ascii")
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["diff", "r0..r1"]) == 0
        assert b" -> r1" in raw.getvalue()


class TestCheck:
    def test_the_working_tree(self, run: Run, shop: Repository) -> None:
        status, out, _ = run("check")
        assert status == 0
        assert out.splitlines()[0] == "working tree"
        assert out.splitlines()[1].startswith("checked 1 target")

    def test_broken_yaml_is_found_and_placed(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/broken.yaml": "apiVersion: v1\nkind: [Service\nmetadata: {\n"})
        status, out, _ = run("check")
        assert status == 3
        assert "shop/broken.yaml:3:" in out

    def test_only_the_files_named(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/broken.yaml": "apiVersion: v1\nkind: [Service\n"})
        assert run("check", "shop/rule.yaml")[0] == 0
        assert run("check", "shop/broken.yaml")[0] == 3
        assert run("check", "shop")[0] == 3

    def test_a_folder_outside_of_any_repository(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        (tmp_path / "plain" / "a.yaml").write_text(RULE)
        status, out, _ = run("check", str(tmp_path / "plain"))
        assert status == 0
        assert "1 target" in out

    def test_standard_input(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        text = f"{RULE}---\n{RULE.replace('v1', 'v2')}"
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status, out, _ = run("check", "-")
        assert status == 1
        assert "defined 2 times" in out

    def test_a_path_that_is_not_there(self, run: Run, shop: Repository) -> None:
        status, _, err = run("check", "nowhere.yaml")
        assert status == 2
        assert err == "error: nowhere.yaml does not exist\n"

    def test_a_path_elsewhere(self, run: Run, shop: Repository, tmp_path: Path) -> None:
        status, _, err = run("check", "shop", str(tmp_path))
        assert status == 2
        assert "is outside of" in err


class TestOthers:
    def test_targets(self, run: Run, shop: Repository) -> None:
        status, out, _ = run("targets")
        assert status == 0
        title, first, *_ = out.splitlines()
        assert title.split() == ["TARGET", "KIND", "OBJECTS"]
        assert first.split()[1:] == ["plain", "3"]

    def test_targets_as_json(self, run: Run, shop: Repository) -> None:
        _, out, _ = run("targets", "r0", "-o", "json")
        [found] = json.loads(out)["targets"]
        assert found["objects"] == {"base": None, "head": 3}

    def test_no_targets(self, run: Run, repo: Any) -> None:
        made = repo({"README.md": "nothing"})
        status, out, _ = run("targets", "-C", str(made.path))
        assert (status, out) == (0, "no manifests found in working tree\n")

    def test_graph(self, run: Run, shop: Repository) -> None:
        status, out, _ = run("graph", "r0..r1")
        assert status == 0
        assert out.startswith("flowchart LR\n")
        assert "503 NC" in out
        assert run("graph", "r0..r1", "-o", "dot")[1].startswith("digraph meshplan {")

    def test_graph_draws_no_json(self, run: Run, shop: Repository) -> None:
        status, _, err = run("graph", "-o", "json")
        assert status == 2
        assert "there is mermaid, dot" in err

    @pytest.mark.parametrize("name", ["result", "settings"])
    def test_schema(self, run: Run, name: str) -> None:
        status, out, _ = run("schema", name)
        assert status == 0
        Draft202012Validator.check_schema(json.loads(out))

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_completion(self, run: Run, shell: str) -> None:
        status, out, _ = run("completion", shell)
        assert status == 0
        assert "_MESHPLAN_COMPLETE" in out

    def test_demo(self, run: Run, tmp_path: Path) -> None:
        status, out, err = run("demo", "--keep", str(tmp_path / "demo"))
        assert (status, err) == (0, "")
        assert "base (" in out
        assert f"cd {tmp_path}/demo && meshplan diff base..head" in out
        assert run("diff", "-C", str(tmp_path / "demo"), "base..head")[0] == 0

    def test_demo_leaves_nothing_behind(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert run("demo")[0] == 0
        assert list(tmp_path.iterdir()) == []

    def test_demo_does_not_overwrite(self, run: Run, tmp_path: Path) -> None:
        status, _, err = run("demo", "--keep", str(tmp_path))
        assert status == 2
        assert err.startswith(f"error: {tmp_path} exists already")

    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_every_command_explains_itself(self, run: Run, name: str) -> None:
        status, out, _ = run(name, "--help")
        assert status == 0
        assert out.startswith(f"Usage: meshplan {name}")

    def test_the_list_of_commands(self, run: Run) -> None:
        status, out, _ = run("--help")
        assert status == 0
        assert all(f"  {name}" in out for name in COMMANDS)
        assert set(COMMANDS) == set(cli.list_commands(cli.make_context("x", ["diff"])))


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("diff", "nowhere..r1"), "nowhere"),
            (("diff", "a", "b", "c"), "expected one or two revisions, not 3"),
            (("diff", "a..b", "c"), "a range and a revision"),
            (("diff", "--as-of", "yesterday"), "is no date"),
            (("diff", "--fail-on", "evil"), "evil"),
            (("diff", "-C", "nowhere"), "cannot go to nowhere: no such file or directory"),
            (("diff", "--config", "nowhere"), "nowhere"),
            (("dif",), 'no command "dif"; did you mean "diff"?'),
            (("diff", "--nonsense"), "--nonsense"),
        ],
    )
    def test_usage(
        self, arguments: tuple[str, ...], message: str, run: Run, shop: Repository
    ) -> None:
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert message in err
        assert "Traceback" not in err

    def test_no_repository(self, run: Run, tmp_path: Path) -> None:
        status, _, err = run("diff", "-C", str(tmp_path))
        assert status == 2
        assert err.startswith(f"error: {tmp_path} is not inside a Git repository\nhint: ")

    def test_an_empty_repository(self, run: Run, repo: Any) -> None:
        status, _, err = run("diff", "-C", str(repo().path))
        assert status == 2
        assert err.startswith("error: ")

    @pytest.mark.parametrize(
        ("error", "status", "message"),
        [
            (KeyError("hunter2"), 3, "meshplan itself failed (KeyError)"),
            (RecursionError(), 3, "meshplan itself failed (RecursionError)"),
            (MemoryError(), 3, "meshplan itself failed (MemoryError)"),
            (PermissionError(13, "Permission denied", "x"), 3, "error: x: permission denied"),
            (KeyboardInterrupt(), 130, "interrupted\n"),
        ],
    )
    def test_whatever_happens_is_one_sentence(
        self,
        error: BaseException,
        status: int,
        message: str,
        run: Run,
        shop: Repository,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("meshplan.run.compare.open_revisions", fail)
        found, out, err = run("diff")
        assert (found, out) == (status, "")
        assert message in err
        assert "Traceback" not in err
        assert "hunter2" not in err

    def test_the_traceback_can_be_had(
        self, run: Run, shop: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise KeyError

        monkeypatch.setattr("meshplan.run.compare.open_revisions", fail)
        monkeypatch.setenv("MESHPLAN_DEBUG", "1")
        assert "Traceback" in run("diff")[2]


class TestExitStatus:
    BROKEN = "apiVersion: v1\nkind: [Service\n"
    #: The same object again, with another meaning.
    TWICE = RULE.replace("v1}", "v9}")

    def test_a_new_error_is_1(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/twice.yaml": self.TWICE})
        assert run("diff")[0] == 1
        assert run("diff", "--exit-zero")[0] == 0
        assert "held back: 2 errors" in run("diff")[1]

    def test_an_old_error_is_0(self, run: Run, repo: Any) -> None:
        made = repo(BASE | {"shop/twice.yaml": self.TWICE}, {"shop/service.yaml": SERVICE + " "})
        status, out, _ = run("diff", "-C", str(made.path), "r0..r1")
        assert status == 0
        assert "1 error there before" in out

    def test_an_error_that_goes_is_told(self, run: Run, repo: Any) -> None:
        made = repo(BASE | {"shop/twice.yaml": self.TWICE}, {"shop/twice.yaml": None})
        status, out, _ = run("diff", "-C", str(made.path), "r0..r1")
        assert status == 0
        assert "1 error fixed by this change" in out

    def test_the_threshold_can_be_lowered(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/twice.yaml": (shop.path / "shop/rule.yaml").read_text()})
        assert run("diff")[0] == 0
        assert run("diff", "--fail-on", "info")[0] == 1

    def test_what_changed_and_cannot_be_read_is_3(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/broken.yaml": self.BROKEN})
        status, out, _ = run("diff", "--exit-zero")
        assert status == 3
        assert "incomplete: 1 thing that changed could not be read" in out

    def test_the_document_says_the_same(self, run: Run, shop: Repository) -> None:
        shop.write({"shop/twice.yaml": self.TWICE})
        status, out, _ = run("diff", "-o", "json")
        assert json.loads(out)["exitStatus"] == status == 1
