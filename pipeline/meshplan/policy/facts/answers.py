"""Facts of the mesh for rules: asked natively, and shipped to OPA as data.

Whatever is asked is remembered, so that after a run `to_json` holds the answers that the rules
need for the same objects: OPA finds in `data.facts` what the model has said here.
"""

from collections.abc import Callable, Mapping

from meshplan.mesh import Mesh
from meshplan.policy.facts import gateways, hosts, routes, security, settings
from meshplan.policy.facts.json import Json

_ANSWERS: Mapping[str, Callable[..., Json]] = {
    "config": settings.config,
    "host": hosts.host,
    "subset": hosts.subset,
    "calls": hosts.calls,
    "connection": security.connection,
    "peer_mode": security.peer_mode,
    "workload": security.workload,
    "host_conflicts": routes.host_conflicts,
    "delegate": routes.delegate,
    "gateway": gateways.gateway,
    "gateway_serves": gateways.gateway_serves,
    "gateway_port": gateways.gateway_port,
}


class Facts:
    """The facts of one mesh, each worked out when it is first asked for."""

    def __init__(self, mesh: Mesh):
        self._mesh = mesh
        self._known: dict[tuple[str | int, ...], Json] = {}

    def ask(self, name: str, *arguments: str | int) -> Json:
        """The answer to a fact of `FACTS`, as JSON; the arguments in the order of its parameters."""
        key = (name, *arguments)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _ANSWERS[name](self._mesh, *arguments)
        return found

    def to_json(self) -> dict[str, Json]:
        """All answers so far, by name and then argument by argument, numbers written in decimal."""
        return _nested({tuple(map(str, key)): value for key, value in self._known.items()})


def _nested(answers: Mapping[tuple[str, ...], Json]) -> dict[str, Json]:
    """A table of tables, one level for each element of the keys."""
    groups: dict[str, dict[tuple[str, ...], Json]] = {}
    document: dict[str, Json] = {}
    for (first, *rest), value in sorted(answers.items(), key=lambda item: item[0]):
        if rest:
            groups.setdefault(first, {})[tuple(rest)] = value
        else:
            document[first] = value
    return document | {first: _nested(group) for first, group in groups.items()}
