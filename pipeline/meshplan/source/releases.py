"""The releases that a chart in the repository shows: one for each set of values beside it."""

import posixpath
import re
from collections.abc import Iterator

from meshplan.settings import TargetSettings
from meshplan.source.tree import Tree
from meshplan.source.units import Chart, Unit

#: `values-prod.yaml` and `values.prod.yaml` beside values.yaml, anything in `values/`, and the
#: test values of chart-testing in `ci/`.
_VALUES = re.compile(r"(?:values[-._][^/]+|values/[^/]+|ci/[^/]*values)\.ya?ml")


def release_of(chart: str, target: TargetSettings, namespace: str) -> Unit:
    """The release of a chart that the settings describe."""
    where = target.namespace or namespace
    name = target.release or posixpath.basename(chart) or "release"
    return Unit("helm", chart or ".", Chart(chart, name, where, target.values), where)


def releases(chart: str, tree: Tree, namespace: str) -> Iterator[Unit]:
    """A chart that nothing installs, once as it is and once for each further values file."""
    name = posixpath.basename(chart) or "release"
    yield Unit("helm", chart or ".", Chart(chart, name, namespace), namespace)
    prefix = f"{chart}/" if chart else ""
    for path in sorted(tree.below(chart)):
        relative = path[len(prefix) :]
        if _VALUES.fullmatch(relative):
            recipe = Chart(chart, name, namespace, (path,))
            yield Unit("helm", f"{chart or '.'} ({relative})", recipe, namespace)
