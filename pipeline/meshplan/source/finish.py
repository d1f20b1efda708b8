"""What Flux does to objects after they are built: variables, common labels and annotations."""

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.source.render.substitution import Substitution
from meshplan.source.units import Outcome, Unit

Documents = tuple[Document, ...]
Variables = tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class Finisher:
    """Finishes documents; the same documents with the same variables are finished once."""

    _done: dict[tuple[int, Variables, str], tuple[Documents, Documents]] = field(
        default_factory=dict
    )

    def finished(self, unit: Unit, outcome: Outcome) -> Documents:
        """The documents of a unit as they would be applied."""
        if unit.variables is None and not unit.common:
            return outcome.documents
        key = (id(outcome.documents), unit.variables, unit.common)
        if key not in self._done:
            # The documents are kept so that their id stays theirs.
            self._done[key] = (outcome.documents, _finished(unit, outcome.documents))
        return self._done[key][1]


def _finished(unit: Unit, documents: Documents) -> Documents:
    values = dict(unit.variables or ())
    complete = values.pop("", None) is None
    substitution = Substitution(values, complete)
    common = json.loads(unit.common) if unit.common else {}
    found = []
    for document in documents:
        value = document.value
        if isinstance(value, Mapping):
            value = _with_common(value, common) if common else value
            value = substitution.apply(value) if unit.variables is not None else value
        same = value is document.value
        found.append(document if same else Document(value, document.origin))
    return tuple(found)


def _with_common(value: Mapping[str, Any], common: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object with `spec.commonMetadata` of a Flux Kustomization."""
    metadata = value.get("metadata")
    merged = dict(metadata) if isinstance(metadata, Mapping) else {}
    for name in ("labels", "annotations"):
        own, added = merged.get(name), common.get(name)
        if isinstance(added, Mapping):
            merged[name] = {**(own if isinstance(own, Mapping) else {}), **added}
    return {**value, "metadata": merged}
