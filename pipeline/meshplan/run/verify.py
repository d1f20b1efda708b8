"""Put a saved result to the independent checker, with the two revisions that it names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshplan.errors import UsageError
from meshplan.run.request import Progress, Request, load, mesh_of, settings_for
from meshplan.schema import validate
from meshplan.source.git import open_revisions
from meshplan.verify import Verification, verify


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
    found = []
    for target in document["targets"]:
        name = target["name"]
        progress(f"checking {name}")
        if name not in known:
            missing = (f"the revisions have no target {name}",)
            found.append((name, Verification(missing)))
        elif target["plan"] is not None:
            base, _ = mesh_of(known[name].base, settings)
            head, _ = mesh_of(known[name].head, settings)
            found.append((name, verify(target["plan"], base, head)))
    return Verified(tuple(found))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f"{path} is no JSON document", hint="save one with `meshplan diff -o json=FILE`"
        ) from error
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
