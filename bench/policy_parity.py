"""Compare meshplan with the real OPA over made-up documents, for as long as it takes.

    python bench/policy_parity.py [--evaluations 500000] [--seed 100] [--mutants 0] [FILE...]

Each evaluation is one rule over one object in a small mesh, with nulls, gaps, other types and text
beyond ASCII. Without files: the rules that come with meshplan, and those of tests/cases/policy.
With `--mutants N` it changes one token of the generated Rego N times instead, and says how many of
the changes are noticed: what the comparison is worth.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "pipeline"), str(ROOT / "tests")]

from meshplan.policy.library import Pack  # noqa: E402
from meshplan.policy.rego import rule_module  # noqa: E402
from support.opa import by_opa, in_order, natively, write_rules  # noqa: E402
from support.policy_cases import Case, Cases  # noqa: E402

SUBJECTS = 20
BATCH = 8000

#: What a mutant changes, and into what.
CHANGES = [
    (" == ", " != "), (" != ", " == "), (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "),
    ("\tnot ", "\t"), ("startswith(", "endswith("), ("endswith(", "startswith("), (" + ", " - "),
    (" - ", " + "), ("mp.union_of", "mp.intersection_of"), ("mp.max_or", "mp.min_or"),
    ("mp.intersection_of", "mp.union_of"), ('"default")', '"other")'), ("trim_prefix", "trim_suffix"),
    ("mp.lower", "mp.upper"), ("contains(", "startswith("), ("mp.either(", "mp.either_message("),
    ('"no"', '"yes"'), ('"yes"', '"no"'), (" := true", " := false"), ("regex.match(`^", "regex.match(`"),
]  # fmt: skip


def main() -> int:
    """Run; 1 if the engines differ, or if too many mutants live."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--evaluations", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--mutants", type=int, default=0)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    files = given.files or [
        *sorted((ROOT / "policies").glob("*.py")),
        ROOT / "tests" / "cases" / "policy" / "constructs.py",
    ]
    pack = Pack.of({path.name: path.read_text("utf-8") for path in files})
    pack.raise_errors()
    if given.mutants:
        return mutants(pack, given.mutants, given.seed)
    return compare(pack, given.evaluations, given.seed)


def made(pack: Pack, seed: int, count: int) -> tuple[list[Case], list[list[object]]]:
    """Cases, and what is found in them here."""
    cases, found = [], []
    for rule in pack.compiled:
        source = Cases(rule.rule, seed)
        for _ in range(count):
            case = source.case(SUBJECTS)
            found.append(list(natively(case, rule)))
            cases.append(case)
    return cases, found


def compare(pack: Pack, wanted: int, seed: int) -> int:
    """Evaluations in batches until there are enough."""
    done = with_findings = different = 0
    start = time.monotonic()
    count = max(1, BATCH // (SUBJECTS * len(pack.rules)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rules(folder, pack.rules)
        while done < wanted:
            cases, here = made(pack, seed, count)
            there = by_opa(folder, cases)
            for case, ones, others in zip(cases, here, there, strict=True):
                for subject, one, other in zip(case.subjects, ones, others, strict=True):
                    done += 1
                    with_findings += bool(one)
                    if one != other:
                        different += 1
                        print(case.rule.id, json.dumps([subject, one, other]))
            seed += 1
            spent = time.monotonic() - start
            print(
                f"{done} evaluations, {with_findings} with findings, {different} differences, {spent:.0f} s"
            )
    return int(different > 0)


def mutants(pack: Pack, wanted: int, seed: int) -> int:
    """Change one token at a time, and look whether a document tells."""
    chance = random.Random(seed)
    places = [
        (rule, match.start(), old, new)
        for rule in pack.rules
        for text in [rule_module(rule).text]
        for old, new in CHANGES
        for match in re.finditer(re.escape(old), text)
        if not _in_head(text, match.start()) and not _is_same(text, match.start(), old)
    ]
    alive = 0
    chosen = chance.sample(places, min(wanted, len(places)))
    for rule, at, old, new in chosen:
        cases, here = made(_one(pack, rule.id), seed, 60)
        text = rule_module(rule).text
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_rules(folder, [rule])
            module = next(p for p in folder.glob("meshplan_*.rego") if p.read_text("utf-8") == text)
            module.write_text(text[:at] + new + text[at + len(old) :], "utf-8")
            noticed = _differs(folder, cases, here)
        if not noticed:
            alive += 1
            line = text.count("\n", 0, at) + 1
            shown = text.splitlines()[line - 1].strip()
            print(
                f"alive: {rule.id}:{line}: {old.strip()} -> {new.strip()}: {shown[:150]}",
                flush=True,
            )
    killed = len(chosen) - alive
    print(f"{killed} of {len(chosen)} mutants noticed ({killed / max(1, len(chosen)):.0%})")
    return int(killed < 0.9 * len(chosen))


def _in_head(text: str, at: int) -> bool:
    """Whether a place is in a comment, or in what every module has."""
    line = text[text.rfind("\n", 0, at) + 1 : text.find("\n", at)]
    return (
        line.startswith(
            ("#", "concerns", '\t{"steps"', "checked", "} else := found", "} else := union")
        )
        or "count(wrong)" in line
    )


def _is_same(text: str, at: int, old: str) -> bool:
    """Whether a change says the same: both ways to fall back take what is empty for "" and 0."""
    if old != "mp.either(":
        return False
    depth, end = 1, at + len(old)
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return text[:end].endswith((', "")', ", 0)"))


def _one(pack: Pack, id_: str) -> Pack:
    found = Pack(())
    found.rules = tuple(rule for rule in pack.rules if rule.id == id_)
    return found


def _differs(folder: Path, cases: Sequence[Case], here: Sequence[Sequence[object]]) -> bool:
    try:
        there = by_opa(folder, cases)
    except (AssertionError, KeyError):
        # Not even a module any more, or no answer where there has to be one.
        return True
    return [list(found) for found in there] != [[in_order(f) for f in found] for found in here]  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
