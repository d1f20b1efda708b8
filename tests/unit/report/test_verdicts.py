"""What is known of a plan, in words."""

import pytest

from meshplan.diff import ChangeSet, Create
from meshplan.graph import Cycle, Edge
from meshplan.mesh.proxy import sidecar
from meshplan.plan import Apply, Plan, Wave
from meshplan.proof import Client, Counterexample, Invariant, Lost, Proof, RequestClass, Undecided
from meshplan.report import View, markdown, text, verdicts, wording
from meshplan.result import DeployerResult, TargetResult, Verdict
from meshplan.settings import Settings
from meshplan.traffic import Request
from meshplan.traffic.outcome import Direct, Failed
from support.results import NO_GATE, resource, result

RULE, ROUTE = resource("DestinationRule"), resource()
PLAN = Plan((Wave((Apply(RULE, ""),), NO_GATE), Wave((Apply(ROUTE, ""),), NO_GATE)))
ONE_WAVE = Plan((Wave((Apply(RULE, ""), Apply(ROUTE, "")), NO_GATE),))
ASKED = RequestClass(Client(sidecar("web")), Request("reviews.shop"))


def refuted(
    says: str, wave: int = 0, invariant: Invariant = Invariant.AVAILABILITY
) -> Counterexample:
    outcomes = (Direct(200), Failed(503, "NC"), Direct(200))
    return Counterexample(wave, (RULE.id,), invariant, ASKED, *outcomes, says)


def made(verdict: Verdict, **fields: object) -> TargetResult:
    values = {
        "changes": ChangeSet((Create(RULE), Create(ROUTE))),
        "plan": PLAN,
        "proof": Proof(3, 14),
    }
    return TargetResult("shop", verdict, "plain", 1, 3, **{**values, **fields})  # type: ignore[arg-type]


def told(found: TargetResult, **view: bool) -> str:
    return text.render(result(found), View(**view))


class TestVerdict:
    @pytest.mark.parametrize(
        ("found", "says"),
        [
            (made(Verdict.SAFE, plan=ONE_WAVE), "proven safe in any order"),
            (made(Verdict.SAFE_IN_ORDER), "proven safe in this order"),
            (
                made(Verdict.SAFE_IN_ORDER, plan=Plan((Wave((Apply(RULE, "", True),), NO_GATE),))),
                "proven safe in this order, with a bridge",
            ),
            (
                made(Verdict.UNSAFE, proof=Proof(counterexamples=(refuted("x"),))),
                "this order loses requests",
            ),
            (
                made(
                    Verdict.UNSAFE,
                    proof=Proof(counterexamples=(refuted("x", 0, Invariant.NO_OPENING),)),
                ),
                "this order lets in requests",
            ),
            (made(Verdict.UNSAFE, impossible=refuted("x")), "no order is safe"),
            (made(Verdict.UNKNOWN, tried="9 writes"), "no safe order was found"),
            (made(Verdict.UNKNOWN), "not proven"),
            (made(Verdict.UNKNOWN, proof=None), "ordered by what depends on what; not proven"),
        ],
    )
    def test_it_is_the_second_line(self, found: TargetResult, says: str) -> None:
        second = told(found).splitlines()[1]
        assert second.removeprefix("held back: ") == says
        counts = found.proof is not None and found.verdict.rank >= Verdict.UNKNOWN.rank
        assert second.startswith("held back: ") == counts

    def test_the_worst_target_speaks(self) -> None:
        targets = (made(Verdict.SAFE), made(Verdict.UNKNOWN, tried="x"), made(Verdict.SAFE))
        assert verdicts.worst(result(*targets)) == "no safe order was found"

    def test_the_settings_say_what_is_held_back(self) -> None:
        lenient = result(made(Verdict.UNKNOWN), settings=Settings(fail_on_verdicts=("unsafe",)))
        assert lenient.exit_status == 0
        assert text.render(lenient, View()).splitlines()[1] == "not proven"


class TestPoints:
    def test_the_worst_come_first(self) -> None:
        safe = DeployerResult("flux", "Flux", True, Verdict.SAFE, PLAN)
        found = made(
            Verdict.UNSAFE,
            proof=Proof(unknowns=(Undecided("whether"),), counterexamples=(refuted("A → 503"),)),
            lost=(Lost(ASKED, Direct(200), Failed(404, "NR"), "B is gone"),),
            deployers=(safe,),
        )
        weights = [point.weight for point in verdicts.points(found)]
        assert weights == ["bad", "unsure", "told", "good"]

    def test_three_cases_are_told_and_the_rest_when_asked(self) -> None:
        many = tuple(refuted(f"GET a → {number}") for number in range(5))
        found = made(Verdict.UNSAFE, proof=Proof(counterexamples=many))
        assert "GET a → 2" in told(found)
        assert "GET a → 3" not in told(found)
        assert "… and 2 more cases (-v)" in told(found)
        assert "in wave 1: GET a → 4" in told(found, verbose=True)

    def test_what_happens_alike_is_told_once(self) -> None:
        many = tuple(refuted(f"GET host-{number} → 503 NC") for number in range(4))
        [point] = verdicts.points(made(Verdict.UNSAFE, proof=Proof(counterexamples=many)))
        assert point.cases == ("in wave 1: GET host-0 → 503 NC (and 3 alike)",)

    def test_what_goes_on_is_told_where_it_begins(self) -> None:
        many = tuple(refuted("GET a → 503 NC", wave) for wave in (1, 2, 2))
        argo = DeployerResult("argocd", "Argo CD", True, Verdict.UNSAFE, PLAN, many)
        [point] = verdicts.points(made(Verdict.SAFE_IN_ORDER, deployers=(argo,)))
        [case] = point.cases
        assert case.startswith("at step 2 of 2, writing VirtualService shop/reviews: ")
        assert case.endswith("GET a → 503 NC (up to step 3)")

    def test_a_reason_is_told_once_with_a_request(self) -> None:
        unknowns = (Undecided("a Lua filter", ASKED), Undecided("a Lua filter", ASKED))
        [point] = verdicts.points(made(Verdict.UNKNOWN, proof=Proof(unknowns=unknowns)))
        assert point.cases == ("a Lua filter: GET reviews.shop/ from namespace web and 1 more",)

    @pytest.mark.parametrize(("configured", "weight"), [(True, "bad"), (False, "told")])
    def test_a_deployer_in_use_matters_more(self, configured: bool, weight: str) -> None:
        argo = DeployerResult(
            "argocd", "Argo CD", configured, Verdict.UNSAFE, PLAN, (refuted("GET a → 503", 1),)
        )
        found = made(Verdict.SAFE_IN_ORDER, deployers=(argo,))
        [point] = verdicts.points(found)
        who = "Argo CD as configured" if configured else "Argo CD's own order"
        assert (point.weight, point.title) == (weight, f"{who} loses these requests")
        doing = "at step 2 of 2, writing VirtualService shop/reviews"
        assert point.cases == (f"{doing}: GET a → 503",)
        assert argo.sentence == f"{who} loses requests {doing}: GET a → 503"
        assert argo.to_json()["sentence"] == argo.sentence
        assert result(found).exit_status == int(configured)

    def test_a_comment_has_them_as_alerts(self) -> None:
        found = made(Verdict.UNSAFE, impossible=refuted("GET a → 503 NC"))
        comment = markdown.render(result(found), View())
        assert "> [!CAUTION]\n> <b>No order is safe, with or without bridges</b>\n>\n" in comment
        assert "> - GET a → 503 NC\n" in comment


class TestWayBack:
    def test_it_is_proven(self) -> None:
        found = made(Verdict.SAFE_IN_ORDER, reversible=True)
        assert (
            "  looked at 3 kinds of requests in 14 views of the mesh; "
            "the way back is proven as well\n"
        ) in told(found)

    def test_it_is_not(self) -> None:
        found = made(Verdict.SAFE_IN_ORDER, irreversible="deleting Namespace shop loses data")
        assert "; no proven way back: deleting Namespace shop loses data\n" in told(found)


class TestOrder:
    def test_a_plan_that_is_not_proven_is_never_called_free_of_order(self) -> None:
        for verdict in (Verdict.UNSAFE, Verdict.UNKNOWN):
            found = made(verdict, plan=ONE_WAVE)
            assert "any order" not in told(found)
            assert "**Order:** any" not in markdown.render(result(found), View())

    def test_a_cycle_that_was_solved_is_not_told(self) -> None:
        edges = (Edge(RULE.id, ROUTE.id, "old", ""), Edge(ROUTE.id, RULE.id, "new", ""))
        cycle = Cycle((RULE.id, ROUTE.id), edges, "")
        solved = made(Verdict.SAFE_IN_ORDER, cycles=(cycle,), edges=edges)
        assert "wait for another" not in told(solved)
        assert "wait for another" not in markdown.render(result(solved), View())
        open_ = made(Verdict.UNKNOWN, cycles=(cycle,), edges=edges, tried="x")
        assert "each has to wait for another" in told(open_)


class TestNames:
    ISTIO = resource("Gateway", "edge", "edge")
    API = resource("Gateway", "edge", "edge", group="gateway.networking.k8s.io")

    def test_kinds_of_one_name_are_told_apart(self) -> None:
        both = made(
            Verdict.SAFE,
            changes=ChangeSet((Create(self.API), Create(self.ISTIO))),
            plan=Plan((Wave((Apply(self.API, ""), Apply(self.ISTIO, "")), NO_GATE),)),
        )
        for found in (told(both, verbose=True), markdown.render(result(both), View())):
            assert "Gateway.networking.istio.io edge/edge" in found
            assert "Gateway.gateway.networking.k8s.io edge/edge" in found

    def test_otherwise_the_group_is_left_out(self) -> None:
        alone = made(Verdict.SAFE, changes=ChangeSet((Create(self.API),)), plan=Plan())
        assert wording.naming(alone)(self.API.id) == "Gateway edge/edge"
