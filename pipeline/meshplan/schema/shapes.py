"""Findings about objects that do not have the shape that their kind has."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from meshplan.data import data_path
from meshplan.finding import Finding, Severity
from meshplan.resource import Resource
from meshplan.schema.structure import Misfit, misfits
from meshplan.schema.wording import nearest


def shape_findings(resource: Resource) -> Iterator[Finding]:
    """What the API server would refuse or drop without a word: unknown fields, wrong types, values
    outside an enumeration.

    The kinds of Istio and of the Gateway API are checked. A field that any release knows is known.
    """
    known = _group(resource.id.group)
    if known is None:
        return
    entry = known["kinds"].get(resource.id.kind)
    if entry is None:
        yield from _unknown_kind(resource, known["kinds"])
        return
    yield from _unknown_version(resource, entry["versions"])
    for misfit in misfits(resource.manifest, entry["schema"], known["$defs"]):
        yield _finding(resource, misfit)


@cache
def _group(group: str) -> Mapping[str, Any] | None:
    """The kinds of a group whose fields are known; None if they are not."""
    if not group.endswith((".istio.io", ".k8s.io")):
        return None
    path = data_path("schemas") / "kinds" / f"{group}.json"
    if not path.is_file():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _unknown_kind(resource: Resource, kinds: Mapping[str, Any]) -> Iterator[Finding]:
    """A kind that is nearly one of its group; others may well come with another release."""
    if close := nearest(resource.id.kind, kinds):
        message = f"{resource.id.group} has no kind {resource.id.kind}"
        yield _finding(
            resource, Misfit("unknown-kind", ("kind",), message, f"did you mean {close}?")
        )


def _unknown_version(resource: Resource, versions: list[str]) -> Iterator[Finding]:
    version = resource.api_version.rpartition("/")[2]
    if version not in versions:
        message = f"{resource.id.kind} has no version {resource.api_version}"
        close = nearest(version, versions)
        hint = (
            f"did you mean {resource.id.group}/{close}?"
            if close
            else f"it has {', '.join(versions)}."
        )
        yield _finding(resource, Misfit("unknown-version", ("apiVersion",), message, hint))


def _finding(resource: Resource, misfit: Misfit) -> Finding:
    place = resource.origin.location()
    message = misfit.message
    if resource.is_secret and misfit.rule in {"wrong-type", "invalid-value"}:
        # The message quotes the value, which is nobody's business here.
        message = f"{misfit.pointer} has a value that does not fit"
    return Finding(
        misfit.rule,
        Severity.ERROR,
        message,
        (replace(place, pointer=place.pointer + misfit.pointer),),
        resource.id,
        help=misfit.help,
    )
