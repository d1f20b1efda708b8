"""Safe and unsafe changes for each deployer, with the order and the loss worked out by hand.

The mesh is small: Service `reviews` with pods of three versions, a DestinationRule with subsets and
a VirtualService that routes to one of them. A route must never name a subset that the rule lacks
(503 NC), a host without its route falls back to the whole Service (another backend), and between two
DENY policies of one sense there must always be one.
"""

from typing import Any

import pytest

from meshplan.deployers import DEPLOYERS, deployer_named
from meshplan.deployers.deployer import Options
from meshplan.diff import diff
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Remove
from meshplan.proof import Prover
from meshplan.settings import World
from support.deployments import PLAIN, Case, colours, deny, made, mesh, route, rule

#: `argocd.argoproj.io/` and so on.
WAVE = "argocd.argoproj.io/sync-wave"
SYNC = "argocd.argoproj.io/sync-options"
HOOK = "argocd.argoproj.io/hook"
FLUX = "kustomize.toolkit.fluxcd.io/"
KEEP = "helm.sh/hook-delete-policy"
GROUP = "kapp.k14s.io/change-group"
RULE = "kapp.k14s.io/change-rule"


LOST, ELSEWHERE, OPENED = "I1", "I2", "I3"

ARGOCD = [
    Case(
        "argocd",
        "a subset and its route arrive, the rule first by name",
        [rule("v1", name="a"), route("v1", "b")],
        [rule("v1", "v2", name="a"), route("v2", "b")],
        ["+a", "+b"],
    ),
    Case(
        "argocd",
        "waves say what names do not",
        [rule("v1", name="z"), route("v1", "a")],
        [rule("v1", "v2", name="z", notes={WAVE: "-1"}), route("v2", "a")],
        ["+z", "+a"],
    ),
    Case(
        "argocd",
        "a subset goes, the route first by name",
        [rule("v1", "v2", name="b"), route("v1", "a")],
        [rule("v2", name="b"), route("v2", "a")],
        ["+a", "+b"],
    ),
    Case(
        "argocd",
        "route and rule are pruned, the rule last",
        [rule("v1", notes={SYNC: "PruneLast=true"}), route("v1")],
        [],
        ["-route", "-rule"],
    ),
    Case(
        "argocd",
        "waves of prunes are mirrored, so the wave that serves creation serves deletion",
        [rule("v1", notes={WAVE: "-1"}), route("v1", notes={WAVE: "0"})],
        [],
        ["-route", "-rule"],
    ),
    Case(
        "argocd",
        "a policy gets another name and the old one is pruned last",
        [deny("old")],
        [deny("new")],
        ["+new", "-old"],
        prune_last=True,
    ),
    Case(
        "argocd",
        "a hook of a later phase comes after everything",
        [rule("v1", name="z"), route("v1", "a")],
        [
            rule("v1", "v2", name="z"),
            route("v2", "a", {HOOK: "PostSync", HOOK + "-delete-policy": "HookFailed"}),
        ],
        ["+z", "+a"],
    ),
    Case(
        "argocd",
        "a subset and its route arrive, the route first by name",
        [rule("v1", name="b"), route("v1", "a")],
        [rule("v1", "v2", name="b"), route("v2", "a")],
        ["+a", "+b"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "argocd",
        "rule and route of one name come in no certain order",
        [rule("v1", name="reviews"), route("v1", "reviews")],
        [rule("v1", "v2", name="reviews"), route("v2", "reviews")],
        ["+reviews +reviews"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "argocd",
        "the wave that is right for a new subset is wrong for one that goes",
        [rule("v1", "v2", notes={WAVE: "-1"}), route("v1")],
        [rule("v2", notes={WAVE: "-1"}), route("v2")],
        ["+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "argocd",
        "route and rule are pruned together",
        [rule("v1"), route("v1")],
        [],
        ["-route -rule"],
        (1, LOST),
        "503 NC",
    ),
    Case(
        "argocd",
        "a route gets another name and the old one is pruned first",
        [rule("v1"), route("v1", "old")],
        [rule("v1"), route("v1", "new")],
        ["-old", "+new"],
        (1, ELSEWHERE),
        "which it reaches neither before nor after",
    ),
    Case(
        "argocd",
        "a policy gets another name and the old one is pruned first",
        [deny("old")],
        [deny("new")],
        ["-old", "+new"],
        (1, OPENED),
        "denied before and after",
    ),
    Case(
        "argocd",
        "a hook is deleted before it is created again",
        [rule("v1", notes={HOOK: "PreSync"}), route("v1")],
        [rule("v1", "v2", notes={HOOK: "PreSync"}), route("v2")],
        ["-rule", "+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "argocd",
        "what is replaced by force is deleted first",
        [rule("v1", notes={SYNC: "Force=true,Replace=true"}), route("v1")],
        [rule("v1", "v2", notes={SYNC: "Force=true,Replace=true"}), route("v1")],
        ["-rule", "+rule"],
        (1, LOST),
        "503 NC; subset v1",
    ),
]


def in_kinds(deployer: str) -> list[Case]:
    """What those share that write rules before routes, by kind, and prune afterwards."""
    return [
        Case(
            deployer,
            "a subset and its route arrive",
            [rule("v1", name="z"), route("v1", "a")],
            [rule("v1", "v2", name="z"), route("v2", "a")],
            ["+z", "+a"],
        ),
        Case(
            deployer,
            "the first rule and the first route arrive",
            [],
            [rule("v1"), route("v1")],
            ["+rule", "+route"],
        ),
        Case(
            deployer,
            "a route gets another name",
            [rule("v1"), route("v1", "old")],
            [rule("v1"), route("v1", "new")],
            ["+new", "-old"],
        ),
        Case(
            deployer,
            "a policy gets another name",
            [deny("old")],
            [deny("new")],
            ["+new", "-old"],
        ),
        Case(
            deployer,
            "a subset goes after its route has left",
            [rule("v1", "v2"), route("v1")],
            [rule("v2"), route("v2")],
            ["+rule", "+route"],
            (1, LOST),
            "503 NC; subset v1",
        ),
        Case(
            deployer,
            "a subset gets another name",
            [rule("v1"), route("v1")],
            [rule("v2"), route("v2")],
            ["+rule", "+route"],
            (1, LOST),
            "503 NC; subset v1",
        ),
        Case(
            deployer,
            "two subsets swap their labels and the route follows",
            [colours("v1", "v2"), route("blue")],
            [colours("v2", "v1"), route("green")],
            ["+rule", "+route"],
            (1, ELSEWHERE),
            "which it reaches neither before nor after",
        ),
        Case(
            deployer,
            "a rule goes that a route of before still names",
            [rule("v1"), route("v1")],
            [made("networking.istio.io/v1", "VirtualService", "route", PLAIN)],
            ["+route", "-rule"],
        ),
        Case(
            deployer,
            "the rule gets another name and loses a subset at once",
            [rule("v1", "v2", name="old"), route("v1")],
            [rule("v2", name="new"), route("v2")],
            ["+new", "+route", "-old"],
        ),
    ]


HELM = [
    *in_kinds("helm"),
    Case(
        "helm",
        "the release keeps the rule that the route named",
        [rule("v1", notes={"helm.sh/resource-policy": "keep"}), route("v1")],
        [],
        ["-route"],
    ),
    Case(
        "helm",
        "a route that is a hook runs after the rule is written",
        [rule("v1"), route("v1", notes={"helm.sh/hook": "post-upgrade", KEEP: "hook-failed"})],
        [
            rule("v1", "v2"),
            route("v2", notes={"helm.sh/hook": "post-upgrade", KEEP: "hook-failed"}),
        ],
        ["+rule", "+route"],
    ),
    Case(
        "helm",
        "route and rule go, the rule first as it does on installation",
        [rule("v1"), route("v1")],
        [],
        ["-rule", "-route"],
        (1, LOST),
        "503 NC",
    ),
    Case(
        "helm",
        "a rule that is a hook is deleted before it is created again",
        [rule("v1", notes={"helm.sh/hook": "pre-upgrade"}), route("v1")],
        [rule("v1", "v2", notes={"helm.sh/hook": "pre-upgrade"}), route("v2")],
        ["-rule", "+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "helm",
        "a route that is a hook before the upgrade names what is not there yet",
        [rule("v1"), route("v1", notes={"helm.sh/hook": "pre-upgrade", KEEP: "hook-failed"})],
        [rule("v1", "v2"), route("v2", notes={"helm.sh/hook": "pre-upgrade", KEEP: "hook-failed"})],
        ["+route", "+rule"],
        (1, LOST),
        "503 NC; subset v2",
    ),
]

FLUXCD = [
    *in_kinds("flux"),
    Case(
        "flux",
        "route and rule are pruned in reverse",
        [rule("v1"), route("v1")],
        [],
        ["-route", "-rule"],
    ),
    Case(
        "flux",
        "a rule that is not pruned stays behind its route",
        [rule("v1", notes={FLUX + "prune": "Disabled"}), route("v1")],
        [],
        ["-route"],
    ),
    Case(
        "flux",
        "a rule that is written only where there is none does not get the new subset",
        [rule("v1", notes={FLUX + "ssa": "IfNotPresent"}), route("v1")],
        [rule("v1", "v2", notes={FLUX + "ssa": "IfNotPresent"}), route("v2")],
        ["+route"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "flux",
        "a rule that Flux is told to leave alone does not get the new subset",
        [rule("v1"), route("v1")],
        [rule("v1", "v2", notes={FLUX + "reconcile": "disabled"}), route("v2")],
        ["+route"],
        (1, LOST),
        "503 NC; subset v2",
    ),
]

KUSTOMIZED = "rule.yaml via kustomize overlays/prod"
KUBECTL = [
    Case(
        "kubectl",
        "a subset and its route arrive, the rule in the first file",
        [rule("v1", path="1.yaml"), route("v1", path="2.yaml")],
        [rule("v1", "v2", path="1.yaml"), route("v2", path="2.yaml")],
        ["+rule", "+route"],
    ),
    Case(
        "kubectl",
        "a subset goes, the route in the first file",
        [rule("v1", "v2", path="b/rule.yaml"), route("v1", path="a/route.yaml")],
        [rule("v2", path="b/rule.yaml"), route("v2", path="a/route.yaml")],
        ["+route", "+rule"],
    ),
    Case(
        "kubectl",
        "a kustomization writes rules before routes whatever their files are called",
        [rule("v1", path=f"z{KUSTOMIZED}"), route("v1", path=f"a{KUSTOMIZED}")],
        [rule("v1", "v2", path=f"z{KUSTOMIZED}"), route("v2", path=f"a{KUSTOMIZED}")],
        ["+rule", "+route"],
    ),
    Case(
        "kubectl",
        "a route gets another name",
        [rule("v1"), route("v1", "old")],
        [rule("v1"), route("v1", "new")],
        ["+new", "-old"],
    ),
    Case("kubectl", "a policy gets another name", [deny("old")], [deny("new")], ["+new", "-old"]),
    Case(
        "kubectl",
        "a rule goes that a route of before still names",
        [rule("v1"), route("v1")],
        [made("networking.istio.io/v1", "VirtualService", "route", PLAIN)],
        ["+route", "-rule"],
    ),
    Case(
        "kubectl",
        "a subset and its route arrive, the route in the first file",
        [rule("v1", path="b.yaml"), route("v1", path="a.yaml")],
        [rule("v1", "v2", path="b.yaml"), route("v2", path="a.yaml")],
        ["+route", "+rule"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "kubectl",
        "a folder comes before a file that is called like it",
        [rule("v1", path="a.yaml"), route("v1", path="a/z.yaml")],
        [rule("v1", "v2", path="a.yaml"), route("v2", path="a/z.yaml")],
        ["+route", "+rule"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "kubectl",
        "a subset goes, the rule in the first file",
        [rule("v1", "v2", path="1.yaml"), route("v1", path="2.yaml")],
        [rule("v2", path="1.yaml"), route("v2", path="2.yaml")],
        ["+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "kubectl",
        "a kustomization takes a subset away first",
        [rule("v1", "v2", path=f"z{KUSTOMIZED}"), route("v1", path=f"a{KUSTOMIZED}")],
        [rule("v2", path=f"z{KUSTOMIZED}"), route("v2", path=f"a{KUSTOMIZED}")],
        ["+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "kubectl",
        "route and rule are pruned in no certain order",
        [rule("v1"), route("v1")],
        [],
        ["-route -rule"],
        (1, LOST),
        "503 NC",
    ),
    Case(
        "kubectl",
        "two subsets swap their labels and the route follows",
        [colours("v1", "v2"), route("blue", path="z.yaml")],
        [colours("v2", "v1"), route("green", path="z.yaml")],
        ["+rule", "+route"],
        (1, ELSEWHERE),
        "which it reaches neither before nor after",
    ),
]

RULES = {GROUP: "mesh/rules"}
AFTER_RULES = {RULE: "upsert after upserting mesh/rules"}
KAPP = [
    Case(
        "kapp",
        "a subset and its route arrive, and a rule of kapp orders them",
        [rule("v1", notes=RULES), route("v1", notes=AFTER_RULES)],
        [rule("v1", "v2", notes=RULES), route("v2", notes=AFTER_RULES)],
        ["+rule", "+route"],
    ),
    Case(
        "kapp",
        "a subset goes, and a rule of kapp says after the route",
        [rule("v1", "v2"), route("v1")],
        [
            rule("v2", notes={RULE: "upsert after upserting routes"}),
            route("v2", notes={f"{GROUP}.1": "other", f"{GROUP}.2": "routes"}),
        ],
        ["+route", "+rule"],
    ),
    Case(
        "kapp",
        "route and rule are deleted, and a rule of kapp puts the route before",
        [rule("v1", notes=RULES), route("v1", notes={RULE: "delete before deleting mesh/rules"})],
        [],
        ["-route", "-rule"],
    ),
    Case(
        "kapp",
        "the old name of a route is deleted after the new one is written",
        [rule("v1"), route("v1", "old", {RULE: "delete after upserting {kind}/{namespace}"})],
        [rule("v1"), route("v1", "new", {GROUP: "{kind}/{namespace}"})],
        ["+new", "-old"],
    ),
    Case(
        "kapp",
        "the old name of a policy is deleted after the new one is written",
        [deny("old", {RULE: "delete after upserting denials"})],
        [deny("new", {GROUP: "denials"})],
        ["+new", "-old"],
    ),
    Case(
        "kapp",
        "a rule that is left to itself stays behind its route",
        [rule("v1", notes={"kapp.k14s.io/delete-strategy": "orphan"}), route("v1")],
        [],
        ["-route"],
    ),
    Case(
        "kapp",
        "a subset and its route arrive, and nothing orders them",
        [rule("v1"), route("v1")],
        [rule("v1", "v2"), route("v2")],
        ["+route +rule"],
        (1, LOST),
        "503 NC; subset v2",
    ),
    Case(
        "kapp",
        "a subset goes, and the rule for arrivals holds the route back",
        [rule("v1", "v2", notes=RULES), route("v1", notes=AFTER_RULES)],
        [rule("v2", notes=RULES), route("v2", notes=AFTER_RULES)],
        ["+rule", "+route"],
        (1, LOST),
        "503 NC; subset v1",
    ),
    Case(
        "kapp",
        "route and rule are deleted together",
        [rule("v1"), route("v1")],
        [],
        ["-route -rule"],
        (1, LOST),
        "503 NC",
    ),
    Case(
        "kapp",
        "the old name of a route is deleted with the first writes",
        [rule("v1"), route("v1", "old")],
        [rule("v1"), route("v1", "new")],
        ["+new -old"],
        (1, ELSEWHERE),
        "which it reaches neither before nor after",
    ),
    Case(
        "kapp",
        "the old name of a policy is deleted with the first writes",
        [deny("old")],
        [deny("new")],
        ["+new -old"],
        (1, OPENED),
        "denied before and after",
    ),
    Case(
        "kapp",
        "a rule that is replaced is deleted first",
        [rule("v1"), route("v1")],
        [rule("v1", "v2", notes={"kapp.k14s.io/update-strategy": "always-replace"}), route("v1")],
        ["-rule", "+rule"],
        (1, LOST),
        "503 NC; subset v1",
    ),
]

CASES = (*ARGOCD, *HELM, *FLUXCD, *KUBECTL, *KAPP)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_order_is_the_one_of_the_deployer_and_judged_rightly(case: Case) -> None:
    base, head = mesh(*case.before), mesh(*case.after)
    before = Mesh.of(base, MeshConfig(), World.CLOSED)
    deployer = deployer_named(case.deployer)
    assert deployer is not None
    plan = deployer.order(diff(base, head), base, Options(prune_last=case.prune_last))
    assert [
        " ".join(sorted(f"{'-' if isinstance(s, Remove) else '+'}{s.id.name}" for s in wave.steps))
        for wave in plan.waves
    ] == list(case.steps)
    proof = Prover(before, before.at(head)).check(plan)
    if case.broken is None:
        assert proof.verdict == "safe", [found.sentence for found in proof.counterexamples]
        return
    assert proof.verdict == "unsafe"
    first = proof.counterexamples[0]
    assert (first.wave + 1, first.invariant) == case.broken, first.sentence
    for words in case.says.split("; "):
        assert words in first.sentence


@pytest.mark.parametrize("deployer", DEPLOYERS, ids=lambda d: d.name)
def test_there_are_enough_cases_of_both_kinds(deployer: Any) -> None:
    mine = [case for case in CASES if case.deployer == deployer.name]
    assert sum(case.broken is None for case in mine) >= 5
    assert sum(case.broken is not None for case in mine) >= 5
