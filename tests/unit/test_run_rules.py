"""Rules are run at both ends of a change, and what decides about them comes from the base."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from meshplan.cli import main
from support.manifests import BASE, ROUTE, RULE, SERVICE

Run = Callable[..., tuple[int, Any]]

#: The route goes to a subset that nobody defines.
BROKEN = ROUTE.replace("subset: v1", "subset: v9")
WAIVER = """\
- rule: REF-001
  resource: VirtualService/shop/reviews
  reason: the rule comes with the next release
  owner: team-shop
  expires: 2026-12-01
"""
OWN = '''\
from meshplan.policy import Findings, at, deny
from meshplan.policy.k8s import Service


@deny("TEAM-001", severity="low")
def named(svc: Service, *, prefix: str = "shop-") -> Findings:
    """Services have the prefix of their team.

    Good:
        kind: Service

    Bad:
        kind: Service
    """
    if not svc.metadata.name.startswith(prefix):
        yield at(svc.metadata.name, f"{svc.metadata.name} does not begin with {prefix}")
'''


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, Any]:
        capfd.readouterr()
        status = main([*arguments, "--as-of", "2026-11-20", "-o", "json"])
        out, err = capfd.readouterr()
        return status, json.loads(out) if out else err

    return call


def told(result: Any, *rules: str) -> list[tuple[str, str, str]]:
    """Rule, status and severity of findings."""
    found = result["findings"]
    return [(f["rule"], f["status"], f["severity"]) for f in found if f["rule"] in rules]


def settings(text: str) -> dict[str, str]:
    return {".meshplan.yaml": text}


def test_findings_are_new_existing_or_fixed(run: Run, repo: Any) -> None:
    made = repo(
        BASE,
        {"shop/route.yaml": BROKEN},
        {"shop/service.yaml": SERVICE.replace("9080", "80")},
        {"shop/route.yaml": ROUTE},
    )
    where = ("diff", "-C", str(made.path))
    status, result = run(*where, "r0..r1")
    assert told(result, "REF-001") == [("REF-001", "new", "error")]
    assert status == result["exitStatus"] == 1
    [finding] = [f for f in result["findings"] if f["rule"] == "REF-001"]
    place = finding["locations"][0]
    assert (place["path"], place["line"], place["column"]) == ("shop/route.yaml", 10, 48)
    assert place["pointer"] == "/spec/http/0/route/0/destination/subset"
    assert finding["refs"] == ["IST0101", "KIA1107"]
    assert result["tool"]["rules"].startswith("sha256:")
    assert told(run(*where, "r1..r2")[1], "REF-001") == [("REF-001", "existing", "error")]
    assert told(run(*where, "r2..r3")[1], "REF-001") == [("REF-001", "fixed", "error")]


def test_what_is_taken_away_is_missed_in_an_open_world(run: Run, repo: Any) -> None:
    made = repo(BASE, {"shop/service.yaml": None})
    _, result = run("diff", "-C", str(made.path), "r0..r1")
    assert ("REF-003", "new", "error") in told(result, "REF-003")
    assert ("REF-007", "new", "warning") in told(result, "REF-007")


def test_a_file_does_not_take_the_place_of_one_that_comes_with_meshplan(
    run: Run, repo: Any
) -> None:
    """A repository's own `policies/subset_exists.py` is one more rule, not another REF-001."""
    own = settings("rules: {paths: [policies]}\n") | {"policies/subset_exists.py": OWN}
    made = repo(BASE | own, {"shop/route.yaml": BROKEN})
    _, result = run("diff", "-C", str(made.path), "r0..r1")
    assert told(result, "REF-001", "TEAM-001") == [
        ("REF-001", "new", "error"),
        ("TEAM-001", "existing", "error"),
    ]


class TestDecisions:
    def test_a_change_cannot_waive_itself(self, run: Run, repo: Any) -> None:
        made = repo(BASE, {"shop/route.yaml": BROKEN, "policies/waivers.yaml": WAIVER})
        status, result = run("diff", "-C", str(made.path), "r0..r1")
        assert status == 1
        assert told(result, "waiver-asked") == [("waiver-asked", "new", "info")]
        [finding] = [f for f in result["findings"] if f["rule"] == "REF-001"]
        assert finding["waiver"] is None

    def test_waivers_of_the_base_hold(self, run: Run, repo: Any) -> None:
        waived = BASE | {"policies/waivers.yaml": WAIVER}
        made = repo(waived, {"shop/route.yaml": BROKEN})
        _, result = run("diff", "-C", str(made.path), "--no-proof", "r0..r1")
        [finding] = [f for f in result["findings"] if f["rule"] == "REF-001"]
        assert finding["waiver"]["owner"] == "team-shop"
        assert result["exitStatus"] == 0

    def test_an_unused_waiver_is_told_where_everything_was_looked_at(
        self, run: Run, repo: Any
    ) -> None:
        made = repo(BASE | {"policies/waivers.yaml": WAIVER})
        status, result = run("check", "-C", str(made.path))
        assert status == 0
        assert told(result, "waiver-unused") == [("waiver-unused", "existing", "warning")]

    def test_levels_decide(self, run: Run, repo: Any) -> None:
        levels = "rules: {levels: [{rules: [REF-*], level: info, namespaces: [shop]}]}\n"
        made = repo(BASE | {"shop/route.yaml": BROKEN} | settings(levels))
        status, result = run("check", "-C", str(made.path))
        assert status == 0
        assert told(result, "REF-001") == [("REF-001", "existing", "info")]

    def test_the_pack_can_be_left_out(self, run: Run, repo: Any) -> None:
        made = repo(BASE | {"shop/route.yaml": BROKEN} | settings("rules: {builtin: false}\n"))
        assert told(run("check", "-C", str(made.path))[1], "REF-001") == []


class TestOwnRules:
    FILES = BASE | {"rules/team.py": OWN}

    def test_they_are_run_with_their_parameters(self, run: Run, repo: Any) -> None:
        text = "rules: {paths: [rules], parameters: {TEAM-001: {prefix: re}}}\n"
        made = repo(self.FILES | settings("rules: {paths: [rules]}\n"), settings(text))
        where = ("check", "-C", str(made.path), "--revision")
        assert told(run(*where, "r0")[1], "TEAM-001") == [("TEAM-001", "existing", "error")]
        assert told(run(*where, "r1")[1], "TEAM-001") == []

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("rules: {paths: [elsewhere]}\n", "no rule is at elsewhere"),
            ("rules: {parameters: {TEAM-009: {}}}\n", 'no rule "TEAM-009"'),
            ("rules: {paths: [rules], parameters: {TEAM-001: {x: 1}}}\n", "no parameter x"),
            ("rules: {levels: [{rules: [A], level: loud}]}\n", "is not one of"),
        ],
    )
    def test_wrong_settings_are_refused(self, run: Run, repo: Any, text: str, said: str) -> None:
        made = repo(self.FILES | settings(text))
        status, err = run("check", "-C", str(made.path))
        assert status == 2
        assert said in err

    def test_a_mistake_in_a_rule_is_shown_with_its_place(self, run: Run, repo: Any) -> None:
        wrong = OWN.replace("svc.metadata.name.startswith", "svc.metadata.nam.startswith")
        made = repo(self.FILES | {"rules/team.py": wrong} | settings("rules: {paths: [rules]}\n"))
        status, err = run("check", "-C", str(made.path))
        assert status == 2
        assert "rules/team.py:" in err
        assert "did you mean" in err

    def test_those_of_the_base_are_in_force(self, run: Run, repo: Any) -> None:
        looser = OWN.replace('"shop-"', '""')
        base = self.FILES | settings("rules: {paths: [rules]}\n")
        made = repo(
            base, {"rules/team.py": looser, "shop/rule.yaml": RULE + "\n"}, {"rules/team.py": "1 +"}
        )
        where = ("diff", "-C", str(made.path))
        _, result = run(*where, "r0..r1")
        assert told(result, "rules-changed") == [("rules-changed", "new", "info")]
        _, result = run(*where, "r1..r2")
        assert told(result, "rules")[0] == ("rules", "new", "error")


ALWAYS = '''\
from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.k8s import ConfigMap


@deny("TEAM-002", severity="low", holds="always")
def limited(config: ConfigMap, mesh: Mesh) -> Findings:
    """Nobody raises the limit before the budget is there.

    Good:
        kind: ConfigMap

    Bad:
        kind: ConfigMap
    """
    large = {found.metadata.name for found in mesh.configMaps if found.data.get("is", "") == "large"}
    if config.metadata.name == "limit" and "limit" in large and "budget" not in large:
        yield at(config.data, "the limit is above the budget")
'''
#: The other way round as well, so that there is no order.
BOTH = (
    ALWAYS.replace('"limit" and "limit"', '"budget" and "budget"')
    .replace('"budget" not in large', '"limit" not in large')
    .replace("TEAM-002", "TEAM-003")
    .replace("above", "below")
)


def config_map(name: str, value: str) -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"data: {{is: {value}}}\n"
    )


def waves(result: Any) -> list[list[str]]:
    return [
        sorted(step["id"]["name"] for step in wave["steps"])
        for wave in result["targets"][0]["plan"]["waves"]
    ]


@pytest.mark.parametrize(
    ("rules", "order", "said"),
    [
        ({}, [["budget", "limit"]], []),
        ({"a.py": ALWAYS}, [["budget"], ["limit"]], []),
        (
            {"a.py": ALWAYS, "b.py": BOTH},
            [["limit"], ["budget"]],
            ["true before, true after, false after wave 1: the limit is above the budget"],
        ),
    ],
    ids=["no rule", "a rule", "two that contradict each other"],
)
def test_a_rule_that_holds_always_decides_the_order(
    run: Run, repo: Any, rules: dict[str, str], order: list[list[str]], said: list[str]
) -> None:
    files = {f"rules/{name}": text for name, text in rules.items()}
    chosen = settings("rules: {paths: [rules]}\n") if rules else {}
    before = {f"{name}.yaml": config_map(name, "small") for name in ("budget", "limit")}
    after = {f"{name}.yaml": config_map(name, "large") for name in ("budget", "limit")}
    made = repo({**files, **chosen, **before}, after)
    _, result = run("diff", "-C", str(made.path), "r0..r1")
    assert waves(result) == order
    assert [f["message"] for f in result["findings"] if f["rule"].startswith("TEAM")] == said
    assert result["targets"][0]["verdict"].startswith("safe")


class TestPreview:
    """What the head's own rules would find is told, and holds nothing back."""

    LOOSE = OWN.replace('"shop-"', '""')

    def preview(self, result: Any) -> list[str]:
        return [f["help"] for f in result["findings"] if f["rule"] == "rules-changed"]

    def test_a_rule_that_becomes_stricter(self, run: Run, repo: Any) -> None:
        kept = settings("rules: {paths: [rules]}\n")
        made = repo({**BASE, "rules/own.py": self.LOOSE, **kept}, {"rules/own.py": OWN})
        status, result = run("diff", "-C", str(made.path), "r0..r1")
        [said] = self.preview(result)
        assert said.startswith("findings once it is in force: 1 more (TEAM-001 at Service ")
        assert said.endswith("shop/reviews, reviews does not begin with shop-)")
        assert (status, told(result, "TEAM-001")) == (0, [])

    def test_a_rule_that_goes(self, run: Run, repo: Any) -> None:
        kept = settings("rules: {paths: [rules]}\n")
        files = {"rules/own.py": OWN, "rules/other.py": ALWAYS, **kept}
        made = repo({**BASE, **files}, {"rules/own.py": None})
        _, result = run("diff", "-C", str(made.path), "r0..r1")
        [said] = self.preview(result)
        assert said.startswith("findings once it is in force: 1 fewer (TEAM-001 at Service")

    def test_the_first_rule_of_all(self, run: Run, repo: Any) -> None:
        made = repo(BASE, {"rules/own.py": OWN, **settings("rules: {paths: [rules]}\n")})
        status, result = run("diff", "-C", str(made.path), "r0..r1")
        assert status == 0
        assert self.preview(result)[0].startswith("findings once it is in force: 1 more")

    def test_a_rule_that_takes_too_long(self, run: Run, repo: Any) -> None:
        loops = "".join(f"{' ' * 4 * n}for p{n} in svc.spec.ports:\n" for n in range(1, 5))
        body = f"{' ' * 20}if p4.port == -1:\n{' ' * 24}yield prefix\n"
        slow = OWN.partition("    if not")[0] + loops + body
        ports = ", ".join(f"{{name: http-{n}, port: {n + 80}}}" for n in range(40))
        service = SERVICE.partition("  ports:")[0] + f"  ports: [{ports}]\n"
        kept = settings("rules: {paths: [rules]}\n")
        made = repo({**BASE, "shop/service.yaml": service}, {"rules/own.py": slow, **kept})
        status, result = run("diff", "-C", str(made.path), "r0..r1")
        assert status == 0
        [told] = self.preview(result)
        assert "rule TEAM-001 takes too many steps for Service shop/reviews" in told
