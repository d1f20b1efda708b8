"""Flux: clusters, what their Kustomizations bring, and where the trail leaves the repository."""

from collections.abc import Callable

import pytest

from meshplan.result import CoverageStatus
from meshplan.settings import Assumption
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
URL = "ssh://git@github.com/acme/fleet"


def flux(name: str, path: str, *lines: str, source: str = "flux-system") -> str:
    """A Flux Kustomization."""
    more = "".join(f"  {line}\n" for line in lines)
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\nspec:\n  path: {path}\n"
        f"  sourceRef: {{kind: GitRepository, name: {source}}}\n{more}"
    )


def git_repository(name: str, url: str) -> str:
    """A Flux GitRepository."""
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\nspec: {{url: '{url}'}}\n"
    )


def bootstrap(cluster: str) -> dict[str, str]:
    """What `flux bootstrap` writes for a cluster."""
    folder = f"clusters/{cluster}/flux-system"
    sync = (
        git_repository("flux-system", URL) + "---\n" + flux("flux-system", f"./clusters/{cluster}")
    )
    return {
        f"{folder}/gotk-sync.yaml": sync,
        f"{folder}/gotk-components.yaml": config_map("components", "flux-system"),
        f"{folder}/kustomization.yaml": kustomization("gotk-components.yaml", "gotk-sync.yaml"),
    }


def test_a_bootstrapped_cluster_is_one_target_with_all_it_brings(repo: MakeRepository) -> None:
    made = repo(
        {
            **bootstrap("prod"),
            "clusters/prod/apps.yaml": flux("apps", "./apps"),
            "apps/web.yaml": service("web"),
            "apps/nested/kustomization.yaml": kustomization("x.yaml"),
            "apps/nested/x.yaml": service("x"),
            "apps/nested/unused.yaml": service("unused"),
        }
    )
    loaded = load(made, "r0", repo_urls=("https://github.com/Acme/fleet.git",))
    target = only_target(loaded)
    assert (target.name, target.kind) == ("clusters/prod/flux-system", "flux")
    assert names(target.head) == [
        "ConfigMap flux-system/components",
        "GitRepository flux-system/flux-system",
        "Kustomization flux-system/apps",
        "Kustomization flux-system/flux-system",
        "Service default/web",
        "Service default/x",
    ]
    assert loaded.assumptions[1:] == ()


def test_clusters_with_settings_of_one_name_get_their_own(repo: MakeRepository) -> None:
    shared = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: ['${port}']\n"
    after = "postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}"
    made = repo(
        {
            f"clusters/{cluster}/{name}": text
            for cluster, port in (("dev", 8080), ("prod", 80))
            for name, text in {
                "apps.yaml": flux("apps", "./apps", after),
                "settings.yaml": config_map("settings", "flux-system", port=str(port)),
            }.items()
        }
        | {"apps/web.yaml": shared}
    )
    loaded = load(made, "r0")
    found = {
        target.name: [r.spec["ports"] for r in target.head.values() if r.id.kind == "Service"]
        for target in loaded.targets
    }
    assert found == {"clusters/dev": [[8080]], "clusters/prod": [[80]]}


def test_a_kustomize_root_may_bring_flux_objects(repo: MakeRepository) -> None:
    made = repo(
        {
            "cluster/kustomization.yaml": kustomization("apps.yaml"),
            "cluster/apps.yaml": flux("apps", "apps"),
            "apps/kustomization.yaml": kustomization("web.yaml"),
            "apps/web.yaml": service("web"),
        },
        {"apps/web.yaml": service("web", 81)},
    )
    target = only_target(load(made))
    assert (target.name, changed(target)) == ("cluster", ["~ Service default/web"])


def test_a_flux_object_that_brings_itself_ends(repo: MakeRepository) -> None:
    made = repo({"all/flux.yaml": flux("all", "./all"), "all/web.yaml": service("web")})
    assert heads(load(made, "r0")) == {
        "all": ["Kustomization flux-system/all", "Service default/web"]
    }


def test_folders_that_move_with_their_paths_change_no_object(repo: MakeRepository) -> None:
    made = repo(
        {"cluster/apps.yaml": flux("apps", "./old"), "old/web.yaml": service("web")},
        {
            "cluster/apps.yaml": flux("apps", "./new"),
            "old/web.yaml": None,
            "new/web.yaml": service("web"),
        },
    )
    assert changed(only_target(load(made))) == ["~ Kustomization flux-system/apps"]


@pytest.mark.tool("kubectl")
def test_what_flux_lays_over_a_folder_is_laid_over_it(repo: MakeRepository) -> None:
    patch = (
        "patches: [{patch: '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {x: 1}}'}]"
    )
    made = repo(
        {
            "cluster/apps.yaml": flux(
                "apps",
                "./apps",
                "targetNamespace: shop",
                "namePrefix: my-",
                "components: [../part]",
                "commonMetadata: {labels: {team: a}}",
                patch,
            ),
            "apps/web.yaml": service("web"),
            "part/kustomization.yaml": (
                "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
                "labels: [{pairs: {part: b}}]\n"
            ),
        }
    )
    head = only_target(load(made, "r0")).head
    (found,) = [r for r in head.values() if r.id.kind == "Service"]
    assert str(found.id) == "Service shop/my-web"
    assert found.labels == {"part": "b", "team": "a"}
    assert found.spec == {"ports": [{"port": 80}], "x": 1}
    assert found.origin.path == "apps/web.yaml"


@pytest.mark.tool("kubectl")
def test_kustomizations_may_refer_beside_themselves_as_in_flux(repo: MakeRepository) -> None:
    made = repo(
        {
            "cluster/apps.yaml": flux("apps", "./overlay"),
            "overlay/kustomization.yaml": kustomization("../base/web.yaml", namePrefix="p-"),
            "base/web.yaml": service("web"),
        }
    )
    assert "Service default/p-web" in names(only_target(load(made, "r0")).head)


def test_even_so_nothing_outside_the_repository_is_read(repo: MakeRepository) -> None:
    fields = {"configMapGenerator": "[{name: x, files: [/etc/hostname]}]"}
    made = repo(
        {
            "cluster/apps.yaml": flux("apps", "./overlay"),
            "overlay/kustomization.yaml": kustomization(**fields),
        }
    )
    entry = told(load(made, "r0"), "Kustomization flux-system/apps")
    assert entry.why.endswith("refers to /etc/hostname, a path that leaves the repository")


def test_variables_from_secrets_stay_as_they_are(repo: MakeRepository) -> None:
    after = (
        "postBuild: {substitute: {a: x}, substituteFrom: [{kind: Secret, name: s},"
        " {kind: ConfigMap, name: gone}]}"
    )
    made = repo(
        {
            "cluster/apps.yaml": flux("apps", "./apps", after),
            "apps/c.yaml": config_map("c", "ns", known="${a}", hidden="${b}"),
        }
    )
    head = only_target(load(made, "r0")).head
    (found,) = [r for r in head.values() if r.id.name == "c"]
    assert found.manifest["data"] == {"known": "x", "hidden": "${b}"}


@pytest.mark.parametrize(
    ("url", "urls", "held"),
    [
        (URL, ("git@github.com:acme/fleet.git",), True),
        (URL, ("https://user:pw@github.com/acme/fleet",), True),
        (URL, ("https://github.com/acme/other",), False),
        (URL, (), True),
    ],
)
def test_a_source_is_this_repository_or_another(
    repo: MakeRepository, url: str, urls: tuple[str, ...], held: bool
) -> None:
    made = repo(
        {
            "cluster/source.yaml": git_repository("ours", url),
            "cluster/apps.yaml": flux("apps", "./apps", source="ours"),
            "apps/web.yaml": service("web"),
        }
    )
    loaded = load(made, "r0", repo_urls=urls)
    status = told(loaded, "Kustomization flux-system/apps").status
    assert status is (CoverageStatus.RENDERED if held else CoverageStatus.SKIPPED)
    assumed = [a for a in loaded.assumptions if a.name == "repository"]
    expected = Assumption("repository", "ssh://github.com/acme/fleet", "cluster/apps.yaml:1")
    assert assumed == ([] if urls else [expected])


def test_artifacts_cut_out_of_the_repository_are_followed(repo: MakeRepository) -> None:
    generator = (
        "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n"
        "metadata: {name: all, namespace: flux-system}\nspec:\n"
        "  sources: [{alias: repo, kind: GitRepository, name: flux-system}]\n"
        "  artifacts:\n  - name: apps\n    copy:\n"
        '    - {from: "@repo/deploy/apps/**", to: "@artifact/apps/"}\n'
    )
    asking = flux("apps", "./apps/web").replace("kind: GitRepository", "kind: ExternalArtifact")
    made = repo(
        {
            "cluster/generator.yaml": generator,
            "cluster/apps.yaml": asking.replace("name: flux-system}\n", "name: apps}\n"),
            "deploy/apps/web/web.yaml": service("web"),
        }
    )
    assert "Service default/web" in names(only_target(load(made, "r0")).head)


CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/values.yaml": "a: 0\nb: 0\nc: 0\n",
    "charts/web/templates/c.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
        "data: {abc: '{{ .Values.a }}{{ .Values.b }}{{ .Values.c }}'}\n"
    ),
}


def release(*lines: str, chart: str = "./charts/web", kind: str = "GitRepository") -> str:
    """A HelmRelease."""
    more = "".join(f"  {line}\n" for line in lines)
    return (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        "metadata: {name: web, namespace: shop}\nspec:\n  chart:\n    spec:\n"
        f"      chart: {chart}\n      sourceRef: {{kind: {kind}, name: flux-system}}\n{more}"
    )


@pytest.mark.tool("helm")
def test_a_release_of_a_chart_in_the_repository_is_rendered(repo: MakeRepository) -> None:
    made = repo(
        {
            **CHART,
            "release.yaml": release(
                "targetNamespace: web",
                "valuesFrom: [{kind: ConfigMap, name: values},"
                " {kind: ConfigMap, name: single, valuesKey: c, targetPath: c},"
                " {kind: ConfigMap, name: gone, optional: true}]",
                "values: {b: 2}",
            ),
            "values.yaml": config_map("values", "shop", **{"values.yaml": "a: 1\nb: 1\n"}),
            "single.yaml": config_map("single", "shop", c="3"),
        },
        {"release.yaml": release("releaseName: mine", "values: {b: 2}")},
    )
    loaded = load(made)
    target = only_target(loaded)
    (before,) = [r for r in target.base.values() if r.origin.via]
    (after,) = [r for r in target.head.values() if r.origin.via]
    assert (str(before.id), before.manifest["data"]) == ("ConfigMap web/web-web", {"abc": "123"})
    assert (str(after.id), after.manifest["data"]) == ("ConfigMap shop/mine", {"abc": "020"})
    assert told(loaded, "HelmRelease shop/web").changed


SKIPPED = [
    (release(chart="redis", kind="HelmRepository"), "comes from the HelmRepository flux-system"),
    (
        release("valuesFrom: [{kind: Secret, name: s}]"),
        "values from the Secret s, which is not read",
    ),
    (release("valuesFrom: [{kind: ConfigMap, name: gone}]"), "ConfigMap gone, which is not in"),
    (release("postRenderers: [{kustomize: {}}]"), "postRenderers"),
    (release(chart="../up"), "leaves the repository"),
    (flux("web", "./gone"), "spec.path ./gone is not in the repository"),
    (flux("web", "../up"), "spec.path ../up leaves the repository"),
    (flux("web", ".").replace("GitRepository", "OCIRepository"), "the OCIRepository flux-system"),
]


@pytest.mark.parametrize(("text", "why"), SKIPPED)
def test_what_is_outside_the_repository_is_skipped_with_the_reason(
    repo: MakeRepository, text: str, why: str
) -> None:
    made = repo({"x.yaml": text})
    (entry,) = [e for e in load(made, "r0").coverage if e.kind == "flux"]
    assert entry.status is CoverageStatus.SKIPPED
    assert why in entry.why


def test_new_values_of_a_chart_from_elsewhere_are_a_change_that_is_not_read(
    repo: MakeRepository,
) -> None:
    outside = {"chart": "redis", "kind": "HelmRepository"}
    made = repo(
        {"a.yaml": release("interval: 1m", **outside)},
        {"a.yaml": release("interval: 5m", **outside)},
        {"a.yaml": release("interval: 5m", "values: {x: 1}", **outside)},
    )
    assert not told(load(made, "r0..r1"), "HelmRelease shop/web").changed
    assert told(load(made, "r1..r2"), "HelmRelease shop/web").changed


def test_a_patch_of_a_release_is_no_release(repo: MakeRepository) -> None:
    made = repo(
        {
            "k/kustomization.yaml": kustomization("r.yaml", patches="[{path: patch.yaml}]"),
            "k/r.yaml": release(chart="redis", kind="HelmRepository"),
            "k/patch.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
            "metadata: {name: web, namespace: shop}\nspec: {values: {x: 1}}\n",
        }
    )
    entries = [e.path for e in load(made, "r0").coverage]
    assert sorted(entries) == ["HelmRelease shop/web", "k"]
