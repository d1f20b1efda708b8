"""Kustomize: the same objects as from the tool itself, led back to their files, and what is refused."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from meshplan.result import CoverageStatus
from meshplan.settings import RenderSettings, Settings
from meshplan.source.cache import Cache
from meshplan.source.render import kustomize
from meshplan.source.yaml import parse
from support.git import Repository
from support.loading import (
    changed,
    config_map,
    heads,
    kustomization,
    load,
    only_target,
    service,
    told,
)

MakeRepository = Callable[..., Repository]

BASE = {
    "base/kustomization.yaml": kustomization("web.yaml", "more.yaml"),
    "base/web.yaml": "# first line\n\n" + service("web"),
    "base/more.yaml": config_map("one", a="1") + "---\n" + config_map("two", b="2"),
}
PROD = {
    "prod/kustomization.yaml": kustomization(
        "../base", namespace="shop", namePrefix="prod-", patches="[{path: patch.yaml}]"
    )
    + "configMapGenerator: [{name: made, files: [conf/app.properties, key=conf/b.txt]}]\n",
    "prod/patch.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    "spec: {type: ClusterIP}\n",
    "prod/conf/app.properties": "a=b\n",
    "prod/conf/b.txt": "text\n",
}


def by_the_tool(repository: Path, folder: str) -> list[Any]:
    """What `kubectl kustomize` gives in the working tree, without any help of meshplan."""
    done = subprocess.run(
        ["kubectl", "kustomize", folder], cwd=repository, capture_output=True, check=True
    )
    return [document.value for document in parse(done.stdout, "out.yaml").documents]


@pytest.mark.tool("kubectl")
@pytest.mark.parametrize("folder", ["base", "prod"])
def test_objects_are_those_of_the_tool(repo: MakeRepository, folder: str) -> None:
    made = repo({**BASE, **(PROD if folder == "prod" else {})})
    found = [r.manifest for r in only_target(load(made, "r0")).head.values()]
    expected = by_the_tool(made.path, folder)
    for value in expected:
        value["metadata"].setdefault("namespace", "default")
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.tool("kubectl")
def test_objects_are_led_back_to_their_files(repo: MakeRepository) -> None:
    head = only_target(load(repo({**BASE, **PROD}), "r0")).head
    places = {r.id.name.partition("-")[2][:4]: r.origin for r in head.values()}
    assert {name: (o.path, o.line) for name, o in places.items()} == {
        "web": ("base/web.yaml", 3),
        "one": ("base/more.yaml", 1),
        "two": ("base/more.yaml", 7),
        "made": ("prod/kustomization.yaml", 1),
    }
    assert {origin.via for origin in places.values()} == {"kustomize prod"}


@pytest.mark.tool("kubectl")
def test_metadata_that_the_user_asks_for_is_kept(repo: MakeRepository) -> None:
    fields = {"buildMetadata": "[originAnnotations, managedByLabel]", "namePrefix": "x-"}
    made = repo({"kustomization.yaml": kustomization("a.yaml", **fields), "a.yaml": service("a")})
    (found,) = only_target(load(made, "r0")).head.values()
    assert "config.kubernetes.io/origin" in found.annotations
    assert found.labels["app.kubernetes.io/managed-by"].startswith("kustomize")


@pytest.mark.tool("kubectl")
def test_an_unchanged_root_is_built_once_for_both_revisions(repo: MakeRepository) -> None:
    made = repo({**BASE, **PROD, "README.md": "1"}, {"README.md": "2"})
    target = only_target(load(made))
    assert len(target.head) == 4
    assert all(target.head[found] is target.base[found] for found in target.head)


@pytest.mark.tool("kubectl")
def test_a_change_in_a_base_is_a_change_of_the_overlay(repo: MakeRepository) -> None:
    made = repo({**BASE, **PROD}, {"base/web.yaml": service("web", 81)})
    assert changed(only_target(load(made))) == ["~ Service shop/prod-web"]


@pytest.mark.tool("kubectl")
def test_files_behind_symbolic_links_are_there(repo: MakeRepository) -> None:
    made = repo({**BASE, "prod/kustomization.yaml": kustomization("../linked", namePrefix="p-")})
    (made.path / "linked").symlink_to("base")
    made.commit()
    assert "Service default/p-web" in heads(load(made, "HEAD"))["prod"]


REFUSED = [
    ("resources", "['https://github.com/a/b//deploy?ref=main']", "is outside the repository"),
    ("resources", "[github.com/a/b/deploy]", "is outside the repository"),
    ("resources", '["git@github.com:a/b.git"]', "is outside the repository"),
    ("resources", "[https://example.com/x.yaml]", "is outside the repository"),
    ("components", "[oci://example.com/a]", "is outside the repository"),
    ("patches", "[{path: 'https://example.com/p.yaml'}]", "is outside the repository"),
    ("crds", "['https://example.com/crd.json']", "is outside the repository"),
    ("helmCharts", "[{name: x, repo: 'https://example.com'}]", "has helmCharts"),
    ("transformers", "[plugin.yaml]", "needs a plugin"),
    ("generators", '["apiVersion: v1\\nkind: Exec\\nmetadata: {name: x}"]', "needs a plugin"),
]


@pytest.mark.parametrize(("field", "value", "why"), REFUSED)
@pytest.mark.parametrize("base", [False, True], ids=["root", "base"])
def test_what_is_outside_or_runs_is_skipped(
    repo: MakeRepository, field: str, value: str, why: str, base: bool
) -> None:
    files = {
        "k/kustomization.yaml": kustomization(**{field: value}),
        "k/plugin.yaml": "apiVersion: example.com/v1\nkind: Plugin\nmetadata: {name: p}\n",
    }
    if base:
        files["top/kustomization.yaml"] = kustomization("../k")
    entry = told(load(repo(files), "r0"), "top" if base else "k")
    assert entry.status is CoverageStatus.SKIPPED
    assert why in entry.why


def test_a_url_is_told_without_its_password(repo: MakeRepository) -> None:
    made = repo({"k/kustomization.yaml": kustomization("https://me:hush@example.com/x.yaml")})
    why = told(load(made, "r0"), "k").why
    assert "https://example.com/x.yaml" in why
    assert "hush" not in why


BROKEN = [
    ({"k": ["../../outside"]}, "refers to ../../outside, a path that leaves the repository"),
    ({"k": ["/etc/passwd"]}, "refers to /etc/passwd, a path that leaves the repository"),
    ({"k": ["gone.yaml"]}, "refers to gone.yaml, which is not there"),
    ({"k": ["../a"], "a": ["../b"], "b": ["../a"]}, "in a circle: a -> b -> a"),
    ({"k": ["."]}, "in a circle: k -> k"),
]

TRANSFORMER = (
    "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\n%s: /etc/hostname\n"
)


@pytest.mark.parametrize("field", ["path", "Path"])
@pytest.mark.parametrize("inline", [False, True], ids=["file", "inline"])
def test_a_transformer_reads_nothing_outside(
    repo: MakeRepository, field: str, inline: bool
) -> None:
    text = TRANSFORMER % field
    listed = json.dumps([text]) if inline else "[t.yaml]"
    made = repo({"k/kustomization.yaml": kustomization(transformers=listed), "k/t.yaml": text})
    entry = told(load(made, "r0"), "k")
    assert entry.status is CoverageStatus.FAILED
    assert entry.why.endswith("refers to /etc/hostname, a path that leaves the repository")


SPELLINGS = [
    ("Resources", "[/etc/hostname]", "has Resources, which is spelled resources"),
    (
        "configMapGenerator",
        "[{name: x, Files: [/etc/hostname]}]",
        "has Files, which is spelled files",
    ),
    ("patches", "[{PATH: /etc/hostname}]", "has PATH, which is spelled path"),
]


@pytest.mark.parametrize(("field", "value", "why"), SPELLINGS)
def test_fields_in_other_spellings_cannot_hide_a_path(
    repo: MakeRepository, field: str, value: str, why: str
) -> None:
    made = repo({"k/kustomization.yaml": kustomization(**{field: value})})
    entry = told(load(made, "r0"), "k")
    assert entry.status is CoverageStatus.FAILED
    assert why in entry.why


@pytest.mark.tool("kubectl")
def test_labels_may_be_named_like_fields(repo: MakeRepository) -> None:
    fields = {"commonLabels": "{Path: a, env: b}"}
    made = repo(
        {"k/kustomization.yaml": kustomization("x.yaml", **fields), "k/x.yaml": service("x")}
    )
    (found,) = only_target(load(made, "r0")).head.values()
    assert found.labels == {"Path": "a", "env": "b"}


@pytest.mark.parametrize(("folders", "why"), BROKEN)
def test_what_no_kustomize_could_build_is_one_sentence(
    repo: MakeRepository, folders: dict[str, list[str]], why: str
) -> None:
    files = {f"{f}/kustomization.yaml": kustomization(*refs) for f, refs in folders.items()}
    loaded = load(repo({"k/x.yaml": service("x")}, files))
    (entry,) = [e for e in loaded.coverage if e.status is CoverageStatus.FAILED]
    assert entry.why.endswith(why)
    assert entry.changed


def test_kustomizations_that_only_refer_to_each_other_are_told(repo: MakeRepository) -> None:
    made = repo(
        {"x.yaml": service("x")},
        {
            "a/kustomization.yaml": kustomization("../b"),
            "b/kustomization.yaml": kustomization("../a"),
        },
    )
    (entry,) = [e for e in load(made).coverage if e.status is CoverageStatus.FAILED]
    assert entry.why.endswith("in a circle: a -> b -> a")


@pytest.mark.tool("kubectl")
def test_a_file_beside_the_folder_is_refused_as_kustomize_does(repo: MakeRepository) -> None:
    made = repo(
        {"x.yaml": service("x")},
        {"k/kustomization.yaml": kustomization("../x.yaml", namePrefix="p-")},
    )
    entry = told(load(made), "k")
    assert entry.status is CoverageStatus.FAILED
    assert "is not in or below 'k'" in entry.why
    assert "/tmp" not in entry.why


@pytest.mark.tool("kubectl")
def test_a_root_that_breaks_deletes_nothing(repo: MakeRepository) -> None:
    made = repo({**BASE, **PROD}, {"prod/patch.yaml": "nonsense: true\n"})
    loaded = load(made)
    assert changed(only_target(loaded)) == []
    assert (told(loaded, "prod").status, told(loaded, "prod").changed) == (
        CoverageStatus.FAILED,
        True,
    )


def test_without_the_tool_the_root_is_skipped(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = repo({**BASE, **PROD}, {"base/web.yaml": service("web", 81)})
    git = tmp_path / "bin"
    git.mkdir()
    (git / "git").symlink_to(subprocess.check_output(["which", "git"], text=True).strip())
    monkeypatch.setenv("PATH", str(git))
    entry = told(load(made), "prod")
    assert (entry.status, entry.changed) == (CoverageStatus.SKIPPED, True)
    assert entry.why == "kustomize or kubectl is not on PATH: install it to have this rendered"


def test_lists_of_files_need_no_tool(repo: MakeRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshplan.source.render.renderer.find_kustomize", lambda: None)
    assert heads(load(repo(BASE), "r0")) == {
        "base": ["ConfigMap default/one", "ConfigMap default/two", "Service default/web"]
    }


def test_rendering_can_be_switched_off(repo: MakeRepository) -> None:
    settings = Settings(render=RenderSettings(enabled=False))
    entry = told(load(repo({**BASE, **PROD}), "r0", settings=settings), "prod")
    assert entry.why == "rendering is switched off in the settings"


def test_a_renderer_that_hangs_is_one_sentence(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "kustomize"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    settings = Settings(render=RenderSettings(timeout_seconds=0.5))
    entry = told(load(repo({**BASE, **PROD}), "r0", settings=settings), "prod")
    assert entry.status is CoverageStatus.FAILED
    assert entry.why.startswith("kustomize did not finish within 0.5 seconds; ")


def test_a_full_disk_is_one_sentence(repo: MakeRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    made = repo({**BASE, **PROD})
    monkeypatch.setattr(Path, "write_bytes", full)
    entry = told(load(made, "r0"), "prod")
    assert entry.status is CoverageStatus.FAILED
    assert entry.why.startswith("no space left for the temporary copy that is rendered")


def test_nothing_is_left_behind(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = repo({**BASE, **PROD})
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    load(made, "r0")
    assert list(scratch.iterdir()) == []


@pytest.mark.tool("kubectl")
def test_what_was_rendered_before_is_not_rendered_again(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repo({**BASE, **PROD}, {"base/web.yaml": service("web", 81)})
    first = only_target(load(made, cache=Cache.open()))
    run = Mock(side_effect=kustomize.run)
    monkeypatch.setattr(kustomize, "run", run)
    again = only_target(load(made, cache=Cache.open()))
    assert run.call_count == 0
    assert {i: (r.manifest, r.origin) for i, r in again.head.items()} == {
        i: (r.manifest, r.origin) for i, r in first.head.items()
    }
    assert changed(again) == ["~ Service shop/prod-web"]


@pytest.mark.tool("kubectl")
def test_secrets_are_rendered_each_time(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"secretGenerator": "[{name: s, literals: [password=hush]}]"}
    made = repo({"kustomization.yaml": kustomization(**fields)})
    load(made, "r0", cache=Cache.open())
    run = Mock(side_effect=kustomize.run)
    monkeypatch.setattr(kustomize, "run", run)
    load(made, "r0", cache=Cache.open())
    assert run.call_count == 1
