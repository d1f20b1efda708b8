"""The report for a terminal."""

import pytest
from rich.cells import cell_len
from rich.text import Text

from meshplan.diff import ABSENT, ChangeSet, Create, FieldChange, Update
from meshplan.finding import Status
from meshplan.graph import Cycle, Edge
from meshplan.plan import Apply, Plan, Wave
from meshplan.report import View, text
from meshplan.result import RevisionName
from support.results import NO_GATE, example, finding, hostile, resource, result, target


def shown(view: View | None = None) -> str:
    return text.render(example(), view or View())


def test_the_answer_is_in_the_first_three_lines() -> None:
    first, second, third, *_ = shown().splitlines()
    assert first == "main (aaaaaaaaa) → HEAD (bbbbbbbbb)"
    assert second == "held back: 1 error"
    assert third == "1 delete, 1 replace, 1 rename, 1 update, 1 create in 1 of 2 targets"


def test_what_goes_is_shown_before_what_comes() -> None:
    words = ["- delete", "± replace", "→ rename", "~ update", "+ create"]
    places = [shown().index(word) for word in words]
    assert places == sorted(places)


def test_waves_are_numbered_and_say_what_to_wait_for() -> None:
    assert (
        "  wave 1\n"
        "    apply DestinationRule shop/reviews\n"
        "        adds subset v2\n"
        "    apply Gateway shop/edge\n"
        "    then wait: the clusters have to be there\n"
        "\n"
        "  wave 2\n"
        "    apply VirtualService shop/reviews\n"
        "        uses subset v2 (else 503 NC)\n"
        "    then wait until every proxy has it and old requests have ended\n"
    ) in shown()


def test_findings_can_be_clicked() -> None:
    assert "\nshop/reviews.yaml:3:5: error no such gateway [no-gateway]\n" in shown()


def test_targets_without_change_are_not_listed() -> None:
    assert "quiet" not in shown()


def test_old_findings_are_counted_and_shown_when_asked() -> None:
    assert "an old story" not in shown()
    assert "1 error there before (-v)" in shown()
    assert "an old story" in shown(View(verbose=True))


def test_one_wave_is_not_repeated() -> None:
    one, two = resource(), resource(name="ratings")
    plan = Plan((Wave((Apply(one, ""), Apply(two, "")), NO_GATE),))
    changes = ChangeSet((Create(one), Create(two)))
    found = text.render(result(target(changes=changes, plan=plan)), View())
    assert "any order: nothing waits for anything else" in found
    assert "wave" not in found


def test_a_cycle_is_never_called_free_of_order() -> None:
    one, two = resource(), resource("DestinationRule")
    plan = Plan((Wave((Apply(one, ""), Apply(two, "")), NO_GATE),))
    edges = (Edge(one.id, two.id, "old", "503 NC"), Edge(two.id, one.id, "new", "503 NC"))
    cycle = Cycle((one.id, two.id), edges, "")
    made = target(
        changes=ChangeSet((Create(one), Create(two))), edges=edges, cycles=(cycle,), plan=plan
    )
    for view in (View(), View(verbose=True)):
        found = text.render(result(made), view)
        assert "no safe order is known: 1 cycle" in found
        assert "VirtualService shop/reviews before DestinationRule shop/reviews: old" in found
        assert "any order" not in found


def test_a_clean_tree_gets_a_suggestion() -> None:
    found = text.render(result(target(), suggestion="main..."), View())
    assert "nothing changed; try `meshplan diff main...`" in found


def test_one_revision_shows_all_its_findings() -> None:
    made = result(target(), base=None, findings=(finding("odd", Status.EXISTING),))
    found = text.render(made, View())
    assert "held back: 1 error" in found
    assert "error odd" in found


def test_a_plain_report_has_no_escapes() -> None:
    assert "\x1b" not in shown()
    assert "\x1b" not in shown(View(width=80))


def test_colours_change_nothing_but_colours() -> None:
    colored = shown(View(color=True))
    assert "\x1b[" in colored
    assert Text.from_ansi(colored).plain.rstrip("\n") == shown().rstrip("\n")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    lines = shown(View(width=width)).splitlines()
    assert max(cell_len(line) for line in lines) <= min(width, 120)


def test_lines_that_are_wrapped_stay_indented() -> None:
    lines = shown(View(width=60)).splitlines()
    place = next(number for number, line in enumerate(lines) if "deleted and created" in line)
    assert lines[place + 1].startswith(" " * 6)


@pytest.mark.parametrize(
    "evil", ["\x1b]0;pwned\x07", "a\nb", "\u202eevil", "\udcff", "\x9b31m", "\r"]
)
@pytest.mark.parametrize("view", [View(), View(color=True, width=80), View(ascii=True)])
def test_nothing_of_a_manifest_reaches_the_terminal(evil: str, view: View) -> None:
    found = text.render(hostile(f"x{evil}y"), view)
    plain = Text.from_ansi(found).plain if view.color else found
    assert all(char.isprintable() or char == "\n" for char in plain)
    assert f"x{evil}y" not in found


def test_markup_of_rich_is_text() -> None:
    assert "[red]x[/red]" in text.render(hostile("[red]x[/red]"), View(color=True, width=200))


def test_ascii_is_enough() -> None:
    found = shown(View(ascii=True))
    assert found.isascii()
    assert "main (aaaaaaaaa) -> HEAD (bbbbbbbbb)" in found


def test_long_lists_are_cut_and_say_so() -> None:
    one = resource()
    fields = tuple(FieldChange(f"spec.f{number}", 1, 2) for number in range(20))
    made = result(target(changes=ChangeSet((Update(one, one, fields),)), plan=Plan()))
    assert "… and 12 more fields (-v)" in text.render(made, View())
    assert "f19" in text.render(made, View(verbose=True))


def test_a_revision_is_not_named_twice() -> None:
    made = result(base=RevisionName("a" * 40, "a" * 40), head=RevisionName("working tree", None))
    assert text.render(made, View()).splitlines()[0] == f"{'a' * 40} → working tree"


def changed(*fields: FieldChange) -> str:
    one = resource()
    made = result(target(changes=ChangeSet((Update(one, one, fields),)), plan=Plan()))
    return text.render(made, View())


def test_of_long_texts_the_lines_that_differ_are_shown() -> None:
    before = "".join(f"line {number}\n" for number in range(100))
    found = changed(FieldChange("data.conf", before, before.replace("line 50\n", "line fifty\n")))
    assert "~ data.conf\n          -line 50\n          +line fifty\n" in found
    assert "line 49" not in found


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("spec.hosts[=reviews]", "reviews", "+ spec.hosts[=reviews]\n"),
        (
            "spec.http[0].route[host=a,subset=v1]",
            {"destination": {"host": "a", "subset": "v1"}, "weight": 9},
            "+ spec.http[0].route[host=a,subset=v1]: {weight: 9}\n",
        ),
        (
            "spec.ports[port=80]",
            {"port": 80, "name": "http", "targetPort": 80},
            "+ spec.ports[port=80]: {name: http, targetPort: 80}\n",
        ),
        ("spec.subsets[name=v1]", {"name": "v1"}, "+ spec.subsets[name=v1]: {name: v1}\n"),
        ("spec.a", {"name": "v1"}, "+ spec.a: {name: v1}\n"),
        ("spec.a", "true", '+ spec.a: "true"\n'),
        ("spec.a", True, "+ spec.a: true\n"),
    ],
)
def test_a_value_is_told_once(path: str, value: object, shown: str) -> None:
    assert shown in changed(FieldChange(path, ABSENT, value))
