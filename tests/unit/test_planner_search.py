"""The search for a way through versions, against probes that are plain predicates on states."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, combinations, permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.bridge import Choice
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Remove, Step
from meshplan.planner.search import NoPath, Path, State, search
from meshplan.resource import Origin, Resource


def thing(name: str, version: str) -> Resource:
    id_ = ResourceId("networking.istio.io", "DestinationRule", "shop", name)
    return Resource(id_, "networking.istio.io/v1", {"spec": {"is": version}}, Origin("a.yaml"))


def choice(name: str, *between: str, old: str | None = "old", new: str | None = "new") -> Choice:
    made = [thing(name, version) for version in between]
    first, last = (thing(name, v) if v else None for v in (old, new))
    return Choice(thing(name, "").id, first, last, tuple(made))


def named(state: State) -> Mapping[str, str | None]:
    return {i.name: r.manifest["spec"]["is"] if r else None for i, r in state.items()}


Good = Callable[[Mapping[str, str | None]], bool]


def probe_of(good: Good) -> Callable[[State, Sequence[Step]], bool]:
    """Every subset of the steps, written over the state, has to be good."""

    def probe(state: State, steps: Sequence[Step]) -> bool:
        subsets = chain.from_iterable(combinations(steps, n) for n in range(len(steps) + 1))
        return all(good(named({**state, **dict(map(_write, subset))})) for subset in subsets)

    return probe


def _write(step: Step) -> tuple[ResourceId, Resource | None]:
    return step.id, step.resource if isinstance(step, Apply) else None


def shown(path: Path | NoPath) -> Any:
    assert isinstance(path, Path)
    return [
        [
            (s.id.name, None if isinstance(s, Remove) else s.resource.manifest["spec"]["is"])
            for s in w
        ]
        for w in path.waves
    ]


def test_an_order_is_found_without_a_bridge() -> None:
    def good(state: Mapping[str, str | None]) -> bool:
        return not (state["route"] == "new" and state["rule"] == "old")

    found = search([choice("route"), choice("rule", "both")], {}, probe_of(good), 100)
    assert shown(found) == [[("rule", "new")], [("route", "new")]]


def test_a_bridge_is_found_where_no_order_is_safe() -> None:
    def good(state: Mapping[str, str | None]) -> bool:
        return state["rule"] in ("both", state["route"])

    found = search([choice("route"), choice("rule", "both")], {}, probe_of(good), 100)
    assert shown(found) == [[("rule", "both")], [("route", "new")], [("rule", "new")]]


def test_what_does_not_matter_goes_in_one_wave() -> None:
    found = search([choice("a"), choice("b")], {}, probe_of(lambda _: True), 100)
    assert [sorted(wave) for wave in shown(found)] == [[("a", "new"), ("b", "new")]]


def test_a_temporary_object_is_gone_at_the_end() -> None:
    def good(state: Mapping[str, str | None]) -> bool:
        return state["a"] == state["b"] or state["shadow"] == "on"

    shadow = choice("shadow", "on", old=None, new=None)
    found = search([choice("a"), choice("b"), shadow], {}, probe_of(good), 100)
    waves = shown(found)
    assert (waves[0], waves[-1]) == ([("shadow", "on")], [("shadow", None)])


def test_what_cannot_be_changed_is_deleted_first() -> None:
    gap = Choice(thing("a", "").id, thing("a", "old"), thing("a", "new"), recreated=True)
    found = search([gap], {}, probe_of(lambda _: True), 100)
    assert shown(found) == [[("a", None)], [("a", "new")]]


def test_nothing_is_found_where_there_is_nothing() -> None:
    def good(state: Mapping[str, str | None]) -> bool:
        return state["a"] == state["b"]

    found = search([choice("a"), choice("b")], {}, probe_of(good), 100)
    assert found == NoPath(exhausted=True, probes=2)


def test_a_spent_budget_is_not_an_impossibility() -> None:
    choices = [choice(name) for name in "abcd"]
    found = search(choices, {}, probe_of(lambda _: True), 2)
    assert isinstance(found, NoPath)
    assert not found.exhausted


def test_the_versions_of_other_objects_count() -> None:
    around = {thing("other", "").id: thing("other", "x")}

    def good(state: Mapping[str, str | None]) -> bool:
        return state["other"] == "x"

    assert isinstance(search([choice("a")], around, probe_of(good), 10), Path)


_BAD = st.frozensets(
    st.tuples(*[st.sampled_from(["old", "both", "new"])] * 3).filter(
        lambda t: len(set(t)) > 1 or t[0] == "both"
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(bad=_BAD)
def test_the_path_is_as_short_as_brute_force_finds(bad: frozenset[tuple[str, ...]]) -> None:
    """Against every sequence of at most six writes over three objects with one bridge each."""
    names = ("a", "b", "c")

    def good(state: Mapping[str, str | None]) -> bool:
        return tuple(state[n] for n in names) not in bad

    shortest = _shortest(bad)
    found = search([choice(n, "both") for n in names], {}, probe_of(good), 10_000)
    if shortest is None:
        assert found == NoPath(exhausted=True, probes=found.probes)  # type: ignore[union-attr]
    else:
        assert isinstance(found, Path)
        assert sum(len(wave) for wave in found.waves) == shortest


def _shortest(bad: frozenset[tuple[str, ...]]) -> int | None:
    writes = [(n, v) for n in range(3) for v in ("both", "new")]
    for length in range(3, 7):
        for sequence in permutations(writes, length):
            if _fine(sequence, bad):
                return length
    return None


def _fine(sequence: Sequence[tuple[int, str]], bad: frozenset[tuple[str, ...]]) -> bool:
    state = ["old", "old", "old"]
    for place, version in sequence:
        if state[place] == "new":
            return False
        state[place] = version
        if tuple(state) in bad:
            return False
    return state == ["new", "new", "new"]
