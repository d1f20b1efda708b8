"""Argo CD: where Applications deploy to, what from, and which ApplicationSets can be told."""

from collections.abc import Callable

import pytest

from meshplan.result import CoverageStatus
from meshplan.source.render.argocd import image
from support.git import Repository
from support.loading import (
    changed,
    config_map,
    heads,
    kustomization,
    load,
    names,
    only_target,
    service,
    told,
)

MakeRepository = Callable[..., Repository]
URL = "https://github.com/acme/apps.git"
URLS = (URL,)


def application(
    name: str, *source: str, cluster: str = "name: in-cluster", namespace: str = "shop"
) -> str:
    """An Application with one source; its lines come after the URL."""
    lines = "".join(f"    {line}\n" for line in source)
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
        f"metadata: {{name: {name}, namespace: argocd}}\nspec:\n"
        f"  destination: {{{cluster}, namespace: {namespace}}}\n"
        f"  source:\n    repoURL: {URL}\n{lines}"
    )


def test_the_target_is_the_destination(repo: MakeRepository) -> None:
    made = repo(
        {
            "argocd/a.yaml": application("a", "path: a"),
            "argocd/b.yaml": application("b", "path: b", namespace="other"),
            "argocd/far.yaml": application("far", "path: a", cluster="server: 'https://far:6443'"),
            "a/x.yaml": service("x"),
            "a/deep/hidden.yaml": service("hidden"),
            "b/x.yaml": service("x"),
        }
    )
    loaded = load(made, "r0", repo_urls=URLS)
    found = heads(loaded)
    assert found["in-cluster"] == ["Service other/x", "Service shop/x"]
    assert found["https://far:6443"] == ["Service shop/x"]
    assert "Service default/hidden" in found["."]
    assert {t.name: t.kind for t in loaded.targets}["in-cluster"] == "argocd"


def test_the_names_of_the_cluster_that_argo_cd_is_in_are_one(repo: MakeRepository) -> None:
    server = "server: 'https://kubernetes.default.svc'"
    made = repo(
        {
            "argocd/a.yaml": application("a", "path: a"),
            "argocd/b.yaml": application("b", "path: b", cluster=server),
            "a/x.yaml": service("x"),
            "b/z.yaml": service("z"),
        }
    )
    found = heads(load(made, "r0", repo_urls=URLS))
    assert found["in-cluster"] == ["Service shop/x", "Service shop/z"]


def test_clusters_with_an_argo_cd_of_their_own_are_told_apart(repo: MakeRepository) -> None:
    made = repo(
        {
            "dev/app.yaml": application("web", "path: envs/dev"),
            "prod/app.yaml": application("web", "path: envs/prod"),
            "envs/dev/x.yaml": service("x", 8080),
            "envs/prod/x.yaml": service("x", 80),
        }
    )
    found = heads(load(made, "r0", repo_urls=URLS))
    assert found["in-cluster: dev"] == found["in-cluster: prod"] == ["Service shop/x"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("{}", ["a"]),
        ("{recurse: true}", ["a", "b", "c"]),
        ("{recurse: true, exclude: '*/b.yaml'}", ["a", "c"]),
        ("{recurse: true, include: '{a,in/c}.yaml'}", ["a", "c"]),
        ("{recurse: true, include: '*c*'}", ["c"]),
    ],
)
def test_a_directory_takes_the_files_that_argo_cd_would(
    repo: MakeRepository, options: str, expected: list[str]
) -> None:
    made = repo(
        {
            "argocd/a.yaml": application("a", "path: m", f"directory: {options}"),
            "m/a.yaml": service("a"),
            "m/in/b.yaml": service("b"),
            "m/in/c.yaml": service("c"),
            "m/values.yaml": "x: 1\n",
        }
    )
    found = heads(load(made, "r0", repo_urls=URLS))["in-cluster"]
    assert found == [f"Service shop/{name}" for name in expected]


@pytest.mark.tool("kubectl")
def test_kustomize_options_are_laid_over(repo: MakeRepository) -> None:
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: "
        "{spec: {containers: [{name: web, image: 'acme/web:1'}]}}}\n"
    )
    options = "kustomize: {namePrefix: p-, images: ['acme/web:2'], commonLabels: {a: b}}"
    made = repo(
        {
            "argocd/a.yaml": application("a", "path: k", options),
            "k/kustomization.yaml": kustomization("web.yaml"),
            "k/web.yaml": deployment,
        }
    )
    loaded = load(made, "r0", repo_urls=URLS)
    (target,) = [t for t in loaded.targets if t.name == "in-cluster"]
    (found,) = target.head.values()
    assert (str(found.id), found.labels) == ("Deployment shop/p-web", {"a": "b"})
    assert found.spec["template"]["spec"]["containers"][0]["image"] == "acme/web:2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme/web:2", {"name": "acme/web", "newTag": "2"}),
        ("web=acme/web:2", {"name": "web", "newName": "acme/web", "newTag": "2"}),
        ("host:5000/web", {"name": "host:5000/web"}),
        ("web@sha256:ab", {"name": "web", "digest": "sha256:ab"}),
    ],
)
def test_images_are_written_as_kustomize_has_them(text: str, expected: dict[str, str]) -> None:
    assert image(text) == expected


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/values.yaml": "a: 0\nb: 0\nc: 0\nd: 0\n",
    "chart/templates/c.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n"
        "  abcd: '{{ .Values.a }}{{ .Values.b }}{{ .Values.c }}{{ .Values.d }}'\n"
    ),
}


@pytest.mark.tool("helm")
def test_helm_values_win_in_the_order_of_argo_cd(repo: MakeRepository) -> None:
    made = repo(
        {
            **CHART,
            "argocd/a.yaml": application(
                "web",
                "path: chart",
                "helm:",
                "  valueFiles: [one.yaml, /env/two.yaml, gone.yaml]",
                "  ignoreMissingValueFiles: true",
                "  valuesObject: {c: 3, d: 3}",
                "  parameters: [{name: d, value: '4'}]",
            ),
            "chart/one.yaml": "a: 1\nb: 1\n",
            "env/two.yaml": "b: 2\nc: 2\n",
        }
    )
    loaded = load(made, "r0", repo_urls=URLS)
    (target,) = [t for t in loaded.targets if t.name == "in-cluster"]
    (found,) = target.head.values()
    assert (str(found.id), found.manifest["data"]) == ("ConfigMap shop/web", {"abcd": "1234"})


@pytest.mark.tool("helm")
def test_values_may_come_from_another_source_of_the_application(repo: MakeRepository) -> None:
    text = application("web", "path: chart").replace("  source:\n", "  sources:\n  - ", 1)
    text = text.replace("-     repoURL", "- repoURL").replace(
        "    path: chart\n",
        "    path: chart\n    helm: {valueFiles: [$values/env/a.yaml]}\n"
        f"  - repoURL: {URL}\n    ref: values\n",
    )
    made = repo({**CHART, "argocd/a.yaml": text, "env/a.yaml": "a: 9\n"})
    (target,) = [t for t in load(made, "r0", repo_urls=URLS).targets if t.name == "in-cluster"]
    (found,) = target.head.values()
    assert found.manifest["data"] == {"abcd": "9000"}


SKIPPED = [
    ("path: a\n    plugin: {name: x}", "needs a plugin"),
    ("chart: redis", "chart redis comes from"),
    ("path: gone", "path gone is not in the repository"),
    ("path: ../up", "leaves the repository"),
    (
        "path: chart\n    helm: {valueFiles: ['https://example.com/v.yaml']}",
        "outside the repository",
    ),
    (
        "path: chart\n    helm: {valueFiles: [gone.yaml]}",
        "values file chart/gone.yaml is not there",
    ),
    ("path: a\n    kustomize: {wonder: 1}", "options wonder are not supported"),
]


@pytest.mark.parametrize(("source", "why"), SKIPPED)
def test_what_cannot_be_rendered_is_told(repo: MakeRepository, source: str, why: str) -> None:
    made = repo({"a.yaml": application("a", source), "a/x.yaml": service("x"), **CHART})
    entry = told(load(made, "r0", repo_urls=URLS), "Application argocd/a")
    assert entry.status is not CoverageStatus.RENDERED
    assert why in entry.why


@pytest.mark.parametrize("path", [".", "''", "./"])
def test_the_root_of_an_unknown_repository_is_not_this_one(repo: MakeRepository, path: str) -> None:
    made = repo({"a.yaml": application("a", f"path: {path}"), "x.yaml": service("x")})
    entry = told(load(made, "r0"), "Application argocd/a")
    assert entry.status is CoverageStatus.SKIPPED
    assert "is another repository, as far as meshplan knows" in entry.why


def test_applications_of_applications_are_followed(repo: MakeRepository) -> None:
    made = repo(
        {
            "root.yaml": application("root", "path: apps", namespace="argocd"),
            "apps/web.yaml": application("web", "path: web"),
            "apps/self.yaml": application("root", "path: apps", namespace="argocd"),
            "web/x.yaml": service("x"),
        },
        {"web/x.yaml": service("x", 81)},
    )
    loaded = load(made, repo_urls=URLS)
    found = {target.name: changed(target) for target in loaded.targets}
    assert found == {".": [], "in-cluster": ["~ Service shop/x"]}


def application_set(generator: str, template: str, *lines: str) -> str:
    """An ApplicationSet; the template is the `spec` of its Applications, in flow style."""
    more = "".join(f"  {line}\n" for line in lines)
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\n"
        "metadata: {name: set, namespace: argocd}\nspec:\n"
        f"{more}  generators:\n  - {generator}\n  template:\n"
        "    metadata: {name: made}\n"
        f"    spec: {template}\n"
    )


TEMPLATE = "{source: {repoURL: '%s', path: '%s'}, destination: {name: '%s', namespace: '%s'}}"
PLACES = {
    "envs/dev/x.yaml": service("x"),
    "envs/prod/x.yaml": service("x"),
    "envs/.no/x.yaml": "a: 1",
}


def of(path: str, cluster: str, namespace: str) -> str:
    """The `spec` of an Application as a template."""
    return TEMPLATE % (URL, path, cluster, namespace)


GENERATORS = [
    pytest.param(
        application_set(
            "list: {elements: [{env: dev, ns: a}, {env: prod, ns: b}]}",
            of("envs/{{env}}", "{{ env }}", "{{ns}}"),
        ),
        {"dev": ["Service a/x"], "prod": ["Service b/x"]},
        id="list",
    ),
    pytest.param(
        application_set(
            "list: {elements: [{env: {name: dev}, ns: a}]}",
            of("envs/{{ .env.name }}", "{{.env.name}}", "{{ .ns }}"),
            "goTemplate: true",
        ),
        {"dev": ["Service a/x"]},
        id="list with Go templates",
    ),
    pytest.param(
        application_set(
            f"git: {{repoURL: '{URL}', directories: [{{path: 'envs/*'}},"
            " {path: envs/prod, exclude: true}]}",
            of("{{path}}", "{{path.basename}}", "{{path[0]}}"),
        ),
        {"dev": ["Service envs/x"]},
        id="directories",
    ),
    pytest.param(
        application_set(
            f"git: {{repoURL: '{URL}', directories: [{{path: 'envs/*'}}]}}",
            of("{{.path.path}}", "{{.path.basename}}", "{{index .path.segments 0}}"),
            "goTemplate: true",
        ),
        {"dev": ["Service envs/x"], "prod": ["Service envs/x"]},
        id="directories with Go templates",
    ),
    pytest.param(
        application_set(
            f"git: {{repoURL: '{URL}', files: [{{path: 'config/**/c.json'}}]}}",
            of("envs/{{cluster.name}}", "{{cluster.name}}", "{{path.basename}}"),
        ),
        {"dev": ["Service one/x"]},
        id="files",
    ),
]


@pytest.mark.parametrize(("text", "expected"), GENERATORS)
def test_generators_over_this_repository_make_applications(
    repo: MakeRepository, text: str, expected: dict[str, list[str]]
) -> None:
    made = repo({"set.yaml": text, **PLACES, "config/one/c.json": '{"cluster": {"name": "dev"}}'})
    found = heads(load(made, "r0", repo_urls=URLS))
    assert {name: found[name] for name in expected} == expected
    plain = {"Service default/x", "ApplicationSet argocd/set"}
    assert all(set(found[name]) <= plain for name in found.keys() - expected.keys())


REFUSED = [
    (application_set("clusters: {}", "{}"), "its clusters generator needs"),
    (application_set("matrix: {generators: []}", "{}"), "its matrix generator needs"),
    (application_set("list: {elements: []}\n    selector: {a: b}", "{}"), "has a selector"),
    (
        application_set(
            "list: {elements: [{a: b}]}", of("{{ .a | upper }}", "a", "b"), "goTemplate: true"
        ),
        "its template has {{ .a | upper }}, which is not supported",
    ),
    (
        application_set("git: {repoURL: 'https://example.com/x', directories: [{path: x}]}", "{}"),
        "https://example.com/x, which is another repository",
    ),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_other_generators_are_skipped_with_the_reason(
    repo: MakeRepository, text: str, why: str
) -> None:
    made = repo({"set.yaml": text})
    entry = told(load(made, "r0", repo_urls=URLS), "ApplicationSet argocd/set")
    assert entry.status is CoverageStatus.SKIPPED
    assert why in entry.why


def test_an_application_that_stops_being_read_deletes_nothing(repo: MakeRepository) -> None:
    made = repo(
        {
            "a.yaml": application("a", "path: a"),
            "a/x.yaml": service("x"),
            "c.yaml": config_map("c"),
        },
        {"a.yaml": application("a", "path: a", "plugin: {}")},
    )
    loaded = load(made, repo_urls=URLS)
    (target,) = [t for t in loaded.targets if t.name == "in-cluster"]
    assert (names(target.head), changed(target)) == (["Service shop/x"], [])
    assert told(loaded, "Application argocd/a").changed


def test_only_target_is_not_confused_by_its_own_file(repo: MakeRepository) -> None:
    made = repo({"a/app.yaml": application("a", "path: a"), "a/x.yaml": service("x")})
    target = only_target(load(made, "r0", repo_urls=URLS))
    assert names(target.head) == ["Application argocd/a", "Service shop/x"]


def test_a_file_that_breaks_in_a_directory_deletes_nothing(repo: MakeRepository) -> None:
    files = {"argocd/a.yaml": application("a", "path: m"), "m/a.yaml": service("a")}
    made = repo({**files, "m/b.yaml": service("b")}, {"m/b.yaml": "apiVersion: v1\nkind: [}\n"})
    loaded = load(made, repo_urls=URLS)
    (target,) = [t for t in loaded.targets if t.name == "in-cluster"]
    assert (names(target.head), changed(target)) == (["Service shop/a", "Service shop/b"], [])
    entry = told(loaded, "Application argocd/a")
    assert entry.status is CoverageStatus.FAILED
    assert entry.why.startswith("m/b.yaml cannot be read: ")
