"""Every view of a wave, held against all of them, for made-up cases."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations, product
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from meshplan.proof.assumptions import NOTHING, Assumptions
from meshplan.proof.invariants import ends_of
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import Stages, State
from meshplan.proof.types import Budget, BudgetError, Invariant
from meshplan.proof.views import Examination, Tally, Violation, WaveStates
from meshplan.traffic.outcome import Outcome
from meshplan.traffic.request import Request
from support.made_cases import (
    BASE,
    HEAD,
    HOST,
    LOST,
    PASSED,
    A,
    Made,
    Question,
    all_answers,
    examined,
    expected,
    made,
    reachable,
    told,
    waves_of,
)

if TYPE_CHECKING:
    from meshplan.proof.cases import Case


def holds(assumed: Sequence[str], answers: dict[str, bool]) -> bool:
    words = {name if so else f"not: {name}" for name, so in answers.items()}
    return set(assumed) <= words


@pytest.mark.parametrize(
    ("unknown", "questions", "seed"),
    [*product((False, True), (0, 2), range(12))],
)
def test_what_is_broken_in_any_view(unknown: bool, questions: int, seed: int) -> None:
    random = Random(f"{unknown} {questions} {seed}")
    for _ in range(3):
        case, waves = made(random, unknown=unknown, questions=questions), waves_of(random)
        tally = examined(case, waves)
        every = [(one, False) for one in tally.violations] + [(o, True) for o in tally.warnings]
        assert all((one.invariant is Invariant.POLICY) == warns for one, warns in every)
        for answers in all_answers([f"q{number}" for number in range(questions)]):
            found = [one for one, _ in every if holds(one.assumed, answers)]
            keys = [(one.request.path, one.wave, one.invariant) for one in found]
            assert set(keys) == expected(case, waves, answers)
            assert len(keys) == len(set(keys))
            for one in found:
                shows(one, case, waves[one.wave], answers)


def shows(found: Violation, case: Made, wave: WaveStates, answers: dict[str, bool]) -> None:
    """A violation tells what its view sees, with outcomes of that, and what makes a difference."""

    def outcome(view: Sequence[State]) -> Outcome:
        return told(case.outcome(found.request, view), answers)

    assert (found.before, found.after) == (outcome([BASE] * 3), outcome([HEAD] * 3))
    moves = dict(wave.moves)
    views = product(
        *(
            [
                tuple(dict(zip(seen, versions, strict=True)).get(p, n) for p, n in enumerate(wave.before))
                for versions in product(*(moves[p] for p in seen))
            ]
            for seen in found.seen
        )
    )  # fmt: skip
    assert any(outcome(view) == found.during for view in views)
    assert found.matter == tuple(sorted(set(mattering(case, wave))))
    assert bool(found.why) == (found.invariant in (None, Invariant.POLICY))
    assumptions = NOTHING
    for name in found.assumed:
        question = name.removeprefix("not: ")
        given = {**assumptions.answers, (question, question): name[:5] != "not: "}
        assumptions = replace(assumptions, answers=given)
    assert found.certain == assumptions.plausible


def mattering(case: Made, wave: WaveStates) -> Iterator[int]:
    """Positions that change the result of a stage in some state of the wave."""
    for position, stage, state in product(wave.moving, range(3), reachable(wave)):
        still = (*state[:position], wave.before[position], *state[position + 1 :])
        if case.number(stage, still) != case.number(stage, state):
            yield position


@pytest.fixture
def simple() -> Made:
    return made(Random(5))


def distinct(case: Made, wave: WaveStates) -> int:
    """How many views of a wave differ in the result of a stage."""
    states = list(reachable(wave))
    if not case.stages.everything & set(wave.moving):
        return 0
    results = [{case.number(stage, state) for state in states} for stage in range(3)]
    return len(results[0]) * len(results[1]) * len(results[2])


def test_how_much_is_looked_at() -> None:
    random = Random(3)
    for _ in range(30):
        case, waves = made(random), waves_of(random)
        tally = examined(case, waves)
        views = sum(distinct(case, wave) for wave in waves)
        assert tally.views == len(case.requests) * views
        assert tally.classes == (len(case.requests) if views else 0)


def test_lost_requests_are_those_that_the_head_does_not_serve() -> None:
    random = Random(4)
    seen = 0
    for questions in (0, 0, 2) * 7:
        case = made(random, unknown=random.random() < 0.3, questions=questions)
        waves = random.choice(((), waves_of(random)))
        found = examined(case, waves, lost=True).lost
        assert not examined(case, waves).lost
        wanted = set()
        for answers, request in product(all_answers(["q0", "q1"]), case.requests):
            before, after = (told(case.outcome(request, [s] * 3), answers) for s in (BASE, HEAD))
            one, other = ends_of(before, request), ends_of(after, request)
            if one and other and one.served and not other.served and before != PASSED:
                wanted.add((request.path, str(before), str(after)))
        assert {(r.path, str(before), str(after)) for r, before, after in found} == wanted
        seen += len(wanted)
    assert seen


def test_nothing_is_looked_at_where_nothing_moves(simple: Made) -> None:
    for lost, count in ((False, 0), (True, 2)):
        assert examined(simple, [], lost=lost).classes == count


def test_what_classes_cannot_tell_apart_is_not_looked_at(simple: Made) -> None:
    simple.is_unmodelled = True
    with pytest.raises(BudgetError, match="a match on the header `:path`, which is not modelled"):
        examined(simple, waves_of(Random(1)))
    assert not examined(simple, []).classes


def test_more_states_than_may_be_looked_at() -> None:
    whole = Stages(*((0, 1, 2),) * 3)
    numbers = dict.fromkeys(product(range(3), repeat=3), 0)
    case = Made(whole, (numbers,) * 3, {("/x", 0, 0, 0): A}, [Request(HOST, path="/x")])
    wave = WaveStates(0, BASE, HEAD, ((0, (1,)), (1, (2, 1)), (2, (1,))))
    for states in (11, 12):
        examination = Examination(cast("Case", case), BASE, HEAD, [wave], Budget(states=states))
        if states == 12:
            examination.run(Tally(), lost=False)
        else:
            with pytest.raises(BudgetError, match="which makes 12 states"):
                examination.run(Tally(), lost=False)


def test_states_of_a_stage_are_those_of_the_objects_it_looks_at() -> None:
    numbers = {(0,): 0, (1,): 1}
    table: dict[tuple[str, int, int, int], Outcome | Question] = {
        ("/x", *key): A for key in product(range(2), repeat=3)
    }
    case = Made(Stages((0,), (1,), (2,)), (numbers,) * 3, table, [Request(HOST, path="/x")])
    wave = WaveStates(0, BASE, HEAD, ((0, (1,)), (1, (1,)), (2, (1,))))
    tally = Tally()
    Examination(cast("Case", case), BASE, HEAD, [wave], Budget(states=2)).run(tally, lost=False)
    assert tally.views == 8


def test_what_makes_a_difference_is_told_in_order() -> None:
    """Among many positions."""
    numbers = {(0,): 0, (1,): 1}
    table: dict[tuple[str, int, int, int], Outcome | Question] = {
        ("/x", *key, 0): A if key[0] == key[1] else LOST for key in product(range(2), repeat=2)
    }
    case = Made(Stages((8,), (1,), ()), (numbers, numbers, {(): 0}), table, [Request(HOST, path="/x")])  # fmt: skip
    base, head = (0,) * 9, (1,) * 9
    wave = WaveStates(0, base, head, tuple((position, (1,)) for position in range(9)))
    tally = Tally()
    Examination(cast("Case", case), base, head, [wave], Budget()).run(tally, lost=False)
    assert [one.matter for one in tally.violations] == [(1, 8)]


@pytest.mark.parametrize(("count", "is_too_much"), [(4, False), (5, True)])
def test_more_open_questions_than_may_be_tried(count: int, is_too_much: bool) -> None:
    """Questions one after the other: four of them are fifteen to ask, five are thirty-one."""
    wave = WaveStates(0, BASE, HEAD, ((0, (1,)),))
    numbers = ({(0,): 0, (1,): 1}, {(): 0}, {(): 0})

    class Curious(Made):
        def asked(self, request: Request, assumptions: Assumptions) -> Callable[[Triple], Outcome]:
            def outcome(_: Triple) -> Outcome:
                for number in range(count):
                    assumptions.ask((number, number), f"q{number}")
                return A

            return outcome

    case = Curious(Stages((0,), (), ()), numbers, {}, [Request(HOST)])
    if is_too_much:
        with pytest.raises(BudgetError, match="more than 16 open questions"):
            examined(case, [wave])
    else:
        # One view of each state under each way to answer.
        assert examined(case, [wave]).views == 2 * 2**count


def test_cases_are_alike_whose_results_are() -> None:
    """The waves with their numbers, all states of the stages, and what the case says of those."""
    random = Random(11)
    likenesses = []
    for _ in range(40):
        case, waves = made(random), waves_of(random)
        examination, twin = (
            Examination(cast("Case", one), BASE, HEAD, waves, Budget()) for one in (case, replace(case))
        )  # fmt: skip
        assert examination.likeness == twin.likeness
        assert hash(examination.likeness) == hash(twin.likeness)
        later = [replace(wave, number=wave.number + 1) for wave in waves]
        moved = Examination(cast("Case", case), BASE, HEAD, later, Budget())
        assert (moved.likeness == examination.likeness) == (examined(case, waves).classes == 0)
        likenesses.append(examination.likeness)
    assert any(one != other for one, other in combinations(likenesses, 2))


def test_cases_are_not_alike_that_differ_in_one_state() -> None:
    """Each of all states of a wave counts: it may be the one in which all stages are at one."""
    state = {(0, 0): 0, (1, 0): 1, (0, 1): 0, (1, 1): 1}
    wave = WaveStates(0, BASE, HEAD, ((0, (1,)), (1, (1,))))

    def likeness(stage: int, numbers: dict[State, int]) -> Hashable:
        found = [{(): 0}, {(): 0}, {(): 0}]
        stages = [(), (), ()]
        found[stage], stages[stage] = numbers, (0, 1)
        case = Made(Stages(*stages), tuple(found), {}, [])
        return Examination(cast("Case", case), BASE, HEAD, [wave], Budget()).likeness

    for stage in range(3):
        other = likeness(stage, {**state, (0, 1): 1})
        assert likeness(stage, state) == likeness(stage, dict(state))
        assert likeness(stage, state) != other


def test_requests_are_those_of_all_results() -> None:
    """Before, after, and in any state of a wave that is about the case; each stage by itself."""
    random = Random(12)
    for _ in range(40):
        case, waves = made(random), random.choice((waves_of(random), waves_of(random)[1:]))
        examination = Examination(cast("Case", case), BASE, HEAD, waves, Budget())
        examination.run(Tally(), lost=True)
        assert examination.likeness
        assert case.compared == case.every
        waves = [wave for wave in waves if case.stages.everything & set(wave.moving)]
        states = [BASE, HEAD, *chain.from_iterable(map(reachable, waves))]
        for stage, found in enumerate(case.every):
            assert list(found) == sorted(set(found))
            assert numbers(case, stage, found) == numbers(case, stage, states)
            assert not any(
                n for one in found for p, n in enumerate(one) if p not in case.kept(stage)
            )
        assert case.named == [numbers(case, 0, reachable(wave)) for wave in waves]
        assert case.reached == [numbers(case, 1, reachable(wave)) for wave in waves]


def numbers(case: Made, stage: int, states: Iterable[State]) -> set[int]:
    return {case.number(stage, one) for one in states}


def test_versions_that_positions_may_have() -> None:
    wave = WaveStates(0, (0, 4, 1), (2, 4, 0), ((0, (3, 2)), (2, (0,))))
    assert wave.moving == (0, 2)
    assert wave.spans == ({0, 3, 2}, {4}, {0, 1})
