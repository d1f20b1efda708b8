"""Helm: the same objects as from the tool itself, led back to their templates, and what is skipped."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from meshplan.result import CoverageStatus
from meshplan.settings import MeshSettings, Settings, TargetSettings
from meshplan.source.yaml import parse
from support.git import Repository
from support.loading import changed, heads, load, only_target, service, told

MakeRepository = Callable[..., Repository]

CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "charts/web/values.yaml": "port: 80\nkube: false\n",
    "charts/web/crds/thing.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: things.example.com}\nspec: {group: example.com, scope: Namespaced}\n"
    ),
    "charts/web/templates/_helpers.tpl": '{{ define "name" }}{{ .Release.Name }}-web{{ end }}\n',
    "charts/web/templates/service.yaml": (
        "# a comment\n{{- if .Values.port }}\napiVersion: v1\nkind: Service\n"
        'metadata: {name: {{ include "name" . }}}\nspec: {ports: [{port: {{ .Values.port }}}]}\n'
        "{{- end }}\n{{- if .Values.kube }}\n---\napiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: kube}\ndata: {version: {{ .Capabilities.KubeVersion }}}\n{{- end }}\n"
    ),
    "charts/web/templates/tests/test.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n"
    ),
}

pytestmark = pytest.mark.tool("helm")


def by_the_tool(repository: Repository, *arguments: str) -> list[Any]:
    """What `helm template` gives in the working tree, without any help of meshplan."""
    command = ["helm", "template", "web", "charts/web", "--skip-tests", "--include-crds"]
    done = subprocess.run(
        [*command, *arguments], cwd=repository.path, capture_output=True, check=True
    )
    return [document.value for document in parse(done.stdout, "out.yaml").documents]


def test_objects_are_those_of_the_tool(repo: MakeRepository) -> None:
    made = repo(CHART)
    found = [r.manifest for r in only_target(load(made, "r0")).head.values()]
    expected = by_the_tool(made)
    for value in expected:
        if value["kind"] == "Service":
            value["metadata"]["namespace"] = "default"
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_objects_are_led_back_to_their_templates(repo: MakeRepository) -> None:
    head = only_target(load(repo(CHART), "r0")).head
    assert {r.id.kind: (r.origin.path, r.origin.line, r.origin.via) for r in head.values()} == {
        "Service": ("charts/web/templates/service.yaml", 3, "helm charts/web"),
        "CustomResourceDefinition": ("charts/web/crds/thing.yaml", 1, "helm charts/web"),
    }


def test_each_values_file_shows_a_release(repo: MakeRepository) -> None:
    made = repo(
        {**CHART, "charts/web/values-prod.yaml": "port: 443\n", "charts/web/ci/a-values.yaml": ""},
        {"charts/web/values-prod.yaml": "port: 8443\n"},
    )
    found = {target.name: changed(target) for target in load(made).targets}
    assert found == {
        "charts/web": [],
        "charts/web (ci/a-values.yaml)": [],
        "charts/web (values-prod.yaml)": ["~ Service default/web-web"],
    }


def test_a_readme_of_a_chart_changes_nothing(repo: MakeRepository) -> None:
    made = repo(CHART, {"charts/web/README.md": "hello\n"})
    assert changed(only_target(load(made))) == []


def test_the_version_of_the_cluster_is_passed_on(repo: MakeRepository) -> None:
    made = repo({**CHART, "charts/web/values.yaml": "port: 80\nkube: true\n"})
    settings = Settings(mesh=MeshSettings(kubernetes_version="1.29.3"))
    (found,) = [
        r
        for r in only_target(load(made, "r0", settings=settings)).head.values()
        if r.id.kind == "ConfigMap"
    ]
    assert found.manifest["data"] == {"version": "v1.29.3"}


DEPENDENT = {
    "charts/top/Chart.yaml": (
        "apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n"
        "- {name: shop, version: 1.0.0, repository: 'file://../web'}\n"
    ),
    "charts/top/templates/own.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n",
}


def test_a_dependency_in_the_repository_is_put_in_place(repo: MakeRepository) -> None:
    made = repo({**CHART, **DEPENDENT}, {"charts/web/values.yaml": "port: 81\n"})
    loaded = load(made)
    (top,) = [target for target in loaded.targets if target.name == "charts/top"]
    assert changed(top) == ["~ Service default/top-web"]
    (found,) = [r for r in top.head.values() if r.id.kind == "Service"]
    assert found.origin.path == "charts/web/templates/service.yaml"


def test_a_dependency_from_elsewhere_is_a_reason_to_skip(repo: MakeRepository) -> None:
    chart = (
        "apiVersion: v2\nname: top\nversion: 1.0.0\ndependencies:\n"
        "- {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n"
    )
    made = repo({"top/Chart.yaml": chart, "top/templates/x.yaml": service("x")})
    entry = told(load(made, "r0"), "top")
    assert (entry.status, entry.why) == (
        CoverageStatus.SKIPPED,
        "its dependency redis from https://charts.example.com is not vendored in top/charts",
    )


def test_a_vendored_chart_is_no_target_of_its_own(repo: MakeRepository) -> None:
    vendored = {f"top/charts/{path.removeprefix('charts/')}": text for path, text in CHART.items()}
    made = repo({"top/Chart.yaml": "apiVersion: v2\nname: top\nversion: 1.0.0\n", **vendored})
    assert list(heads(load(made, "r0"))) == ["top"]


def test_a_template_that_breaks_deletes_nothing(repo: MakeRepository) -> None:
    made = repo(CHART, {"charts/web/templates/service.yaml": "{{ fail `no` }}\n"})
    loaded = load(made)
    assert changed(only_target(loaded)) == []
    entry = told(loaded, "charts/web")
    assert (entry.status, entry.changed) == (CoverageStatus.FAILED, True)
    assert "/tmp" not in entry.why
    assert "no" in entry.why


def test_a_chart_that_needs_values_nobody_shows_is_skipped(repo: MakeRepository) -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: {{ required `a name` .Values.n }}}\n"
    made = repo({**CHART, "charts/web/templates/service.yaml": text}, {"README.md": "x"})
    entry = told(load(made), "charts/web")
    assert (entry.status, entry.changed) == (CoverageStatus.SKIPPED, False)
    assert "a name" in entry.why


def test_without_the_tool_the_chart_is_skipped(
    repo: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshplan.source.render.renderer.find_helm", lambda: None)
    entry = told(load(repo(CHART), "r0"), "charts/web")
    assert entry.why == "helm is not on PATH: install it to have this rendered"


@pytest.mark.parametrize("release", ["--post-renderer=/bin/true", "-x", "Big", "a b", "x" * 300])
def test_a_name_that_helm_could_take_for_an_option_is_refused(
    repo: MakeRepository, release: str
) -> None:
    asking = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec:\n"
        f"  releaseName: {json.dumps(release)}\n  chart: {{spec: {{chart: charts/web, sourceRef: "
        "{kind: GitRepository, name: flux-system}}}\n"
    )
    entry = told(load(repo({**CHART, "r.yaml": asking}), "r0"), "HelmRelease flux-system/web")
    assert entry.status is CoverageStatus.FAILED
    assert entry.why.endswith("is no name that Kubernetes allows")


def test_a_values_file_with_a_comma_is_one_file(repo: MakeRepository) -> None:
    made = repo(
        {**CHART, "charts/web/values,/etc/hostname-values.yaml": "", "env,/x.yaml": "port: 7"}
    )
    target = TargetSettings("web", ("charts/web",), kind="helm", values=("env,/x.yaml",))
    loaded = load(made, "r0", settings=Settings(targets=(target,)))
    (found,) = [r for r in only_target(loaded).head.values() if r.id.kind == "Service"]
    assert found.spec["ports"] == [{"port": 7}]
