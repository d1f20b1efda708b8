"""The change scenarios of `bench/order`, as snapshots."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from meshplan.resource import Snapshot
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse

FOLDER = Path(__file__).parents[2] / "bench" / "order" / "scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A change, and what a planner should find."""

    name: str
    title: str
    expect: str


def _read(folder: Path) -> Scenario:
    said = yaml.safe_load((folder / "scenario.yaml").read_text())
    return Scenario(folder.name, said["title"], said["expect"])


#: Plans that the independent checker can neither confirm nor refute: it reads no `jwtRules`.
BEYOND_THE_CHECKER = frozenset(("tokens-no-longer-required", "tokens-required"))

#: Orders that are unsafe for the owner of pods, and not for the proof: pods that change their account
#: are two clients to it. The graph knows better, and asks for a version in between.
BEYOND_THE_PROOF = frozenset(("principal-renamed",))

SCENARIOS = tuple(_read(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir())


@cache
def scenario_snapshots(name: str) -> tuple[Snapshot, Snapshot]:
    """Base and head of a scenario."""
    return _snapshot(name, "before"), _snapshot(name, "after")


def _snapshot(name: str, side: str) -> Snapshot:
    path = FOLDER / name / side / "mesh.yaml"
    parsed = parse(path.read_bytes(), f"{name}/{side}/mesh.yaml")
    assert not parsed.findings
    from meshplan.kinds import scope_of

    objects = resources_of(parsed.documents, default_namespace="default", scope_of=scope_of)
    assert not objects.findings
    return Snapshot(objects.resources)
