"""Put a saved result to the independent checker, with the two revisions that it names."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.diff import diff
from meshplan.errors import UsageError
from meshplan.run.request import Progress, Request, load, mesh_of, settings_for
from meshplan.schema import validate
from meshplan.settings import Settings
from meshplan.source.git import open_revisions
from meshplan.source.load import LoadedTarget
from meshplan.verify import Verification, verify

#: Bytes of a result; the plan for thousands of objects has some tens of MiB.
LARGEST = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Verified:
    """What the checker says of each target of a result."""

    targets: tuple[tuple[str, Verification], ...]

    @property
    def verdict(self) -> str:
        """The worst of the targets': refuted, unknown, confirmed."""
        verdicts = {found.verdict for _, found in self.targets}
        return next((v for v in ("refuted", "unknown") if v in verdicts), "confirmed")

    def to_json(self) -> dict[str, Any]:
        """As `meshplan verify -o json` prints it."""
        return {
            "verdict": self.verdict,
            "targets": [
                {
                    "name": name,
                    "verdict": found.verdict,
                    "requests": found.requests,
                    "views": found.views,
                    "refutations": list(found.refutations),
                    "gaps": list(found.gaps),
                }
                for name, found in self.targets
            ],
        }


def verify_result(path: Path, request: Request, progress: Progress) -> Verified:
    """Confirm or refute the plans of a result. Raises UsageError where it is none."""
    document = _read(path)
    request = replace(request, **_revisions(document))
    request = replace(request, closed=request.closed or _is_closed(document))
    progress("opening the revisions")
    opened = open_revisions(request.directory, request.revisions, staged=request.staged)
    settings, _ = settings_for(request, opened.base, opened.head)
    progress("reading manifests")
    urls = tuple(remote.url for remote in opened.repository.remotes)
    loaded = load(request, opened.base, opened.head, settings, urls)
    known = {target.name: target for target in loaded.targets}
    named = [target["name"] for target in document["targets"]]
    found = []
    for target in document["targets"]:
        name = target["name"]
        progress(f"checking {name}")
        found.append((name, _checked(target["plan"], known.get(name), named.count(name), settings)))
    for name, target in known.items():
        if name not in named and len(diff(target.base, target.head)):
            fault = "it changes between the revisions, and the result leaves it out"
            found.append((name, Verification((fault,))))
    return Verified(tuple(found))


def _checked(
    plan: Mapping[str, Any] | None, target: LoadedTarget | None, count: int, settings: Settings
) -> Verification:
    """What the checker says of one target, which the result should have once."""
    if target is None:
        return Verification(("the revisions have no such target",))
    if count > 1:
        return Verification(("the result has this target more than once",))
    if plan is None:
        changes = len(diff(target.base, target.head))
        return Verification(("it changes, and the result has no plan for it",) if changes else ())
    base, _ = mesh_of(target.base, settings)
    head, _ = mesh_of(target.head, settings)
    return verify(plan, base, head)


def _read(path: Path) -> Mapping[str, Any]:
    hint = "save one with `meshplan diff -o json=FILE`"
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST // 2**20} MiB", hint=hint)
        document = json.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON document", hint=hint) from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply to be a result", hint=hint) from error
    problems = validate("result", document)
    if problems:
        first = problems[0]
        raise UsageError(
            f"{path} is no result of meshplan: {first.pointer or '/'}: {first.message}"
        )
    checked: Mapping[str, Any] = document
    return checked


def _revisions(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the result compared; a working tree or an index is compared as it is now."""
    base, head = document["base"], document["head"]
    if base is None:
        raise UsageError("the result is about one revision and has no plan to verify")
    start = base["commit"] or base["name"]
    if head["commit"]:
        return {"revisions": f"{start}..{head['commit']}"}
    return {"revisions": start, "staged": head["name"] == "index"}


def _is_closed(document: Mapping[str, Any]) -> bool:
    said = [(fact["name"], fact["value"]) for fact in document["assumptions"]]
    return ("world", "closed") in said
