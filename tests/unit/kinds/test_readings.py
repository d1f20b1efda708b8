"""Quantities as apimachinery reads them, durations as Go reads them."""

import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshplan.kinds.readings import duration, quantity

#: A program that prints the nanoseconds of each line, or "-" for what is no duration.
GO_DURATIONS = """
package main
import ("bufio"; "fmt"; "os"; "time")
func main() {
  for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
    if d, err := time.ParseDuration(lines.Text()); err == nil { fmt.Println(d.Nanoseconds()) } else { fmt.Println("-") }
  }
}
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("500m", "0.5"),
        ("500m", 0.5),
        ("1", 1),
        ("1Gi", "1024Mi"),
        ("1Ti", 1024**4),
        ("1k", "1000"),
        ("1e3", "1E3"),
        ("1e3", "1k"),
        ("1E", "1000P"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+1", "1"),
        ("-1k", "-1000"),
        ("100u", "0.1m"),
        ("1000n", "1u"),
        ("12e-3", "12m"),
    ],
)
def test_quantities_of_one_value_are_equal(one: object, other: object) -> None:
    assert quantity(one) == quantity(other)


@pytest.mark.parametrize(("one", "other"), [("1M", "1Mi"), ("1m", "1M"), ("1K", "1k"), ("1", True)])
def test_quantities_of_another_value_are_not(one: object, other: object) -> None:
    assert quantity(one) != quantity(other)


@pytest.mark.parametrize(
    "text", ["", "x", "1 Gi", "1ki", "--1", "1e", ".", "1e9999", "9" * 99, None, [1], {}]
)
def test_what_is_no_quantity_stands_for_itself(text: object) -> None:
    assert quantity(text) == quantity(text)
    assert not isinstance(quantity(text), Fraction)
    hash(quantity(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("60s", "1m"),
        ("1m0s", "60s"),
        ("1.5h", "1h30m"),
        ("100ms", "0.1s"),
        ("0", "0s"),
        ("1us", "1µs"),
        ("-1m", "-60s"),
    ],
)
def test_durations_of_one_value_are_equal(one: str, other: str) -> None:
    assert duration(one) == duration(other)


@pytest.mark.parametrize(
    "text", ["", "1", "1d", "s", "1s ", "1m-1s", "m1", ".s", "9" * 70 + "s", None, 5, ["1s"]]
)
def test_what_is_no_duration_stands_for_itself(text: object) -> None:
    assert not isinstance(duration(text), Fraction)
    hash(duration(text))


@given(st.text("0123456789.+-hmsnuµe ", max_size=12))
@example("1h" * 40)
def test_any_text_can_be_read(text: str) -> None:
    hash(duration(text))
    hash(quantity(text))


@pytest.mark.tool("go")
def test_durations_are_those_of_go(tmp_path: Path) -> None:
    go = shutil.which("go")
    assert go
    (tmp_path / "main.go").write_text(GO_DURATIONS)
    numbers = ["0", "1", "-1", "+2", "1.5", ".5", "7.", "-.25", "", ".", "00", "1e3", "1_0", "--1"]
    units = ["", "ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "S", " s"]
    simple = [f"{number}{unit}" for number in numbers for unit in units]
    texts = [*simple, *(f"{one}{other}" for one in simple[::3] for other in simple[::5])]
    texts = [text for text in texts if text]
    run = subprocess.run(
        [go, "run", str(tmp_path / "main.go")],
        input="\n".join(texts),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        # Tests have a cache folder of their own; Go would compile its library anew in it.
        env={**os.environ, "GOCACHE": str(Path.home() / ".cache" / "go-build")},
        encoding="utf-8",
    )
    for text, theirs in zip(texts, run.stdout.split("\n"), strict=False):
        ours = duration(text)
        if theirs == "-":
            assert not isinstance(ours, Fraction), text
        else:
            assert isinstance(ours, Fraction), text
            # Go cuts off below a nanosecond.
            assert abs(ours * 10**9 - int(theirs)) < 1, text
