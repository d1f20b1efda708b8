"""Targets of small repositories: what goes into one cluster, and what does not go anywhere."""

from collections.abc import Callable

import pytest

from meshplan.errors import SettingsError
from meshplan.finding import Severity, Status
from meshplan.result import CoverageStatus
from meshplan.settings import Settings, TargetSettings
from support.git import Repository
from support.loading import (
    changed,
    config_map,
    destination_rule,
    heads,
    kustomization,
    load,
    only_target,
    service,
    told,
    virtual_service,
)

MakeRepository = Callable[..., Repository]
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "port: 80\n",
    "charts/web/templates/service.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        "spec: {ports: [{port: {{ .Values.port }}}]}\n"
    ),
}


def test_a_repository_without_contradictions_is_one_target(repo: MakeRepository) -> None:
    made = repo({"a/x.yaml": service("x"), "b/y.yaml": service("yy")}, {"c.yaml": service("z")})
    target = only_target(load(made))
    assert (target.name, target.kind) == (".", "plain")
    assert changed(target) == ["+ Service default/z"]


def test_a_file_that_moves_is_no_change(repo: MakeRepository) -> None:
    text = service("x")
    made = repo({"a/x.yaml": text, "b/y.yaml": service("yy")}, {"a/x.yaml": None, "b/x.yaml": text})
    assert changed(only_target(load(made))) == []


def test_environments_are_targets_that_share_what_they_refer_to(repo: MakeRepository) -> None:
    made = repo(
        {
            "common/rule.yaml": destination_rule("web", "web"),
            "dev/service.yaml": service("web", 8080),
            "dev/route.yaml": virtual_service("web", "web"),
            "prod/service.yaml": service("web"),
            "prod/route.yaml": virtual_service("web", "web"),
            "tools/job.yaml": config_map("tool"),
        },
        {"common/rule.yaml": destination_rule("web", "web", ("v1", "v2"))},
    )
    loaded = load(made)
    everything = [
        "DestinationRule default/web",
        "Service default/web",
        "VirtualService default/web",
    ]
    assert heads(loaded) == {
        "tools": ["ConfigMap default/tool"],
        "dev": everything,
        "prod": everything,
    }
    assert [changed(target) for target in loaded.targets] == [
        ["~ DestinationRule default/web"],
        ["~ DestinationRule default/web"],
        [],
    ]


def test_copies_that_are_equal_do_not_split_a_repository(repo: MakeRepository) -> None:
    made = repo({"a/x.yaml": service("x"), "b/x.yaml": service("x")})
    loaded = load(made, "r0")
    assert heads(loaded) == {".": ["Service default/x"]}
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("duplicate-object", Severity.INFO)


def test_the_same_object_twice_in_a_folder_is_a_finding(repo: MakeRepository) -> None:
    made = repo(
        {"mesh/1.yaml": service("x", 1), "mesh/2.yaml": service("x", 2)},
        {"mesh/3.yaml": service("yy", 1), "mesh/4.yaml": service("yy", 2)},
    )
    loaded = load(made)
    x, y = loaded.findings
    assert (x.rule, x.severity, x.status) == ("duplicate-object", Severity.ERROR, Status.EXISTING)
    assert (y.rule, y.severity, y.status) == ("duplicate-object", Severity.ERROR, Status.NEW)
    assert [str(place) for place in y.locations] == ["mesh/4.yaml:1", "mesh/3.yaml:1"]
    (winner,) = [r for r in only_target(loaded).head.values() if r.id.name == "x"]
    assert winner.spec["ports"][0]["port"] == 2


def test_the_same_object_in_two_targets_is_none(repo: MakeRepository) -> None:
    made = repo({"dev/x.yaml": service("x", 1), "prod/x.yaml": service("x", 2)})
    assert load(made, "r0").findings == ()


def test_files_of_other_tools_are_no_manifests(repo: MakeRepository) -> None:
    workflow = "apiVersion: v1\nkind: Service\nmetadata: {name: no}\n"
    made = repo(
        {
            ".github/workflows/x.yaml": workflow,
            "node_modules/a/x.yaml": workflow,
            "docker-compose.yaml": workflow,
            "skaffold.yaml": "apiVersion: skaffold/v4beta1\nkind: Config\nmetadata: {name: no}\n",
            "kubeconfig.yaml": "apiVersion: v1\nkind: Config\nclusters: []\n",
            "notes.yaml": "just: text\n",
            "list.json": '{"apiVersion": "v1", "kind": "List", "items": ['
            '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "yes"}}]}',
        }
    )
    assert heads(load(made, "r0")) == {".": ["Service default/yes"]}


def test_ignored_paths_are_not_read(repo: MakeRepository) -> None:
    made = repo({"a.yaml": service("a"), "old/b.yaml": "]", "x/old/c.yaml": service("c")})
    loaded = load(made, "r0", settings=Settings(ignore=("old/",)))
    assert heads(loaded) == {".": ["Service default/a"]}
    assert loaded.findings == ()


def test_kustomize_roots_are_targets_and_bases_are_not(repo: MakeRepository) -> None:
    made = repo(
        {
            "base/kustomization.yaml": kustomization("web.yaml"),
            "base/web.yaml": service("web"),
            "overlays/dev/kustomization.yml": kustomization("../../base"),
            "overlays/prod/Kustomization": kustomization("../../base", "more.yaml"),
            "overlays/prod/more.yaml": config_map("more"),
            "part/kustomization.yaml": (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                "resources: [x.yaml]\n"
            ),
            "part/x.yaml": service("x"),
            "plain.yaml": service("plain"),
        }
    )
    loaded = load(made, "r0")
    assert heads(loaded) == {
        ".": ["Service default/plain"],
        "overlays/dev": ["Service default/web"],
        "overlays/prod": ["ConfigMap default/more", "Service default/web"],
    }
    assert {target.kind for target in loaded.targets} == {"plain", "kustomize"}


def test_a_kustomize_root_that_moves_stays_one_target(repo: MakeRepository) -> None:
    files = {"kustomization.yaml": kustomization("web.yaml"), "web.yaml": service("web")}
    made = repo(
        {f"apps/web/{name}": text for name, text in files.items()},
        {f"apps/web/{name}": None for name in files}
        | {f"applications/web/{name}": text for name, text in files.items()},
    )
    target = only_target(load(made))
    assert (target.name, changed(target)) == ("applications/web", [])


def test_a_root_that_becomes_a_base_is_not_deleted(repo: MakeRepository) -> None:
    made = repo(
        {
            "one/kustomization.yaml": kustomization("x.yaml"),
            "one/x.yaml": service("x"),
            "all/kustomization.yaml": kustomization("y.yaml", "z.yaml"),
            "all/y.yaml": service("yy"),
            "all/z.yaml": service("z"),
        },
        {"all/kustomization.yaml": kustomization("y.yaml", "z.yaml", "../one")},
    )
    target = only_target(load(made))
    assert (target.name, changed(target)) == ("all", ["+ Service default/x"])


def test_manifests_beside_a_kustomization_are_told_once(repo: MakeRepository) -> None:
    made = repo(
        {
            "app/kustomization.yaml": kustomization("a.yaml"),
            "app/a.yaml": service("a"),
            "app/forgotten.yaml": service("b"),
            "app/values.yaml": "x: 1\n",
        }
    )
    loaded = load(made, "r0")
    assert heads(loaded) == {"app": ["Service default/a"]}
    (entry,) = [e for e in loaded.coverage if e.status is CoverageStatus.SKIPPED]
    assert entry.why.startswith("app/forgotten.yaml: beside a kustomization")


def test_chart_templates_are_no_plain_manifests(repo: MakeRepository) -> None:
    made = repo({**CHART, "plain.yaml": service("plain")})
    loaded = load(made, "r0")
    assert heads(loaded)["."] == ["Service default/plain"]
    assert loaded.findings == ()


def test_crds_of_the_repository_say_where_objects_live(repo: MakeRepository) -> None:
    made = repo(
        {
            "crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
            "metadata: {name: things.example.com}\n"
            "spec: {group: example.com, scope: Cluster, names: {kind: Thing, plural: things}}\n",
            "thing.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n",
        }
    )
    assert "Thing t" in heads(load(made, "r0"))["."]


def stated(*targets: TargetSettings) -> Settings:
    """Settings with these targets."""
    return Settings(targets=targets, source=".meshplan.yaml")


def test_stated_targets_take_the_place_of_those_found(repo: MakeRepository) -> None:
    made = repo(
        {
            "clusters/a/x.yaml": service("x"),
            "clusters/b/y.yaml": service("yy"),
            "shared/z.yaml": service("z"),
            "other/o.yaml": service("o"),
        }
    )
    settings = stated(
        TargetSettings("a", ("clusters/a", "shared")),
        TargetSettings("b", ("clusters/b/*.yaml", "shared/**"), namespace="mesh"),
    )
    assert heads(load(made, "r0", settings=settings)) == {
        "a": ["Service default/x", "Service default/z"],
        "b": ["Service mesh/yy", "Service mesh/z"],
    }


def test_files_outside_the_stated_targets_are_nobodys_business(repo: MakeRepository) -> None:
    made = repo({"a/x.yaml": service("x"), "b/broken.yaml": "apiVersion: v1\nkind: [}\n"})
    loaded = load(made, "r0", settings=stated(TargetSettings("a", ("a",))))
    assert loaded.findings == ()


def test_a_stated_target_may_build_a_base(repo: MakeRepository) -> None:
    made = repo(
        {
            "base/kustomization.yaml": kustomization("x.yaml"),
            "base/x.yaml": service("x"),
            "top/kustomization.yaml": kustomization("../base"),
        }
    )
    settings = stated(TargetSettings("bare", ("base",), kind="kustomize"))
    assert heads(load(made, "r0", settings=settings)) == {"bare": ["Service default/x"]}


def test_a_stated_plain_target_takes_files_as_they_are(repo: MakeRepository) -> None:
    made = repo(
        {
            "app/kustomization.yaml": kustomization("x.yaml", namePrefix="dev-"),
            "app/x.yaml": service("x"),
            "app/y.yaml": service("yy"),
        }
    )
    settings = stated(TargetSettings("app", ("app",), kind="plain"))
    assert heads(load(made, "r0", settings=settings)) == {
        "app": ["Service default/x", "Service default/yy"]
    }


@pytest.mark.tool("helm")
def test_a_stated_chart_gets_its_values(repo: MakeRepository) -> None:
    made = repo({**CHART, "env/prod.yaml": "port: 443\n"})
    target = TargetSettings(
        "web", ("charts/web",), kind="helm", namespace="shop", values=("env/prod.yaml",)
    )
    (found,) = only_target(load(made, "r0", settings=stated(target))).head.values()
    assert (str(found.id), found.spec["ports"]) == ("Service shop/web", [{"port": 443}])


def test_a_stated_target_without_manifests_is_an_error_of_the_settings(
    repo: MakeRepository,
) -> None:
    made = repo({"x.yaml": service("x")})
    with pytest.raises(SettingsError, match="the target gone has no manifests") as caught:
        load(made, "r0", settings=stated(TargetSettings("gone", ("nowhere",))))
    assert caught.value.path == ".meshplan.yaml"


def test_templates_and_broken_files_are_told(repo: MakeRepository) -> None:
    template = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n"
    made = repo(
        {"a.yaml": service("a"), "t/1.yaml": template, "t/2.yaml": template, "t/3.yaml": template},
        {"t/3.yaml": template + "# changed\n", "b.yaml": "apiVersion: v1\nkind: [}\n"},
    )
    loaded = load(made)
    together = told(loaded, "t")
    assert (together.status, together.changed) == (CoverageStatus.SKIPPED, False)
    assert together.why.startswith("2 files of this folder: each is a Go template, and is not read")
    assert (told(loaded, "t/3.yaml").status, told(loaded, "t/3.yaml").changed) == (
        CoverageStatus.SKIPPED,
        True,
    )
    assert (told(loaded, "b.yaml").status, told(loaded, "b.yaml").changed) == (
        CoverageStatus.FAILED,
        True,
    )


def test_a_submodule_is_told_and_not_entered(repo: MakeRepository) -> None:
    inner = repo({"x.yaml": service("x")})
    made = repo({"a.yaml": service("a")})
    commit = inner.git("rev-parse", "HEAD")
    made.git("update-index", "--add", "--cacheinfo", f"160000,{commit},modules/inner")
    made.git("commit", "--quiet", "--message=module")
    loaded = load(made, "r0..HEAD")
    entry = told(loaded, "modules/inner")
    assert (entry.status, entry.changed) == (CoverageStatus.SKIPPED, True)
    assert "submodule" in entry.why
