"""Objects of several kinds, made up, and other ways to write them that mean the same."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from meshplan.kinds import kind_of
from meshplan.kinds.readings import duration, quantity

#: Draws a value, inside a composite strategy or from interactive data.
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = st.sampled_from(["a", "b", "c", "v1", "v2"])
HOSTS = st.sampled_from(["a", "b.example.com", "*.c"])
LABELS = st.dictionaries(st.sampled_from(["app", "a/b", "x.y"]), NAMES, max_size=2)
DURATIONS = st.sampled_from(["60s", "1m", "0s", "1.5s", "1500ms", "90s"])
QUANTITIES = st.sampled_from(["500m", "0.5", "1Gi", "1024Mi", "1", 1, "1k"])


def _some(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict(fields))


def _list(items: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=3)


_DESTINATION = _some({"host": HOSTS, "subset": NAMES})
_ROUTE = _some(
    {
        "name": NAMES,
        "match": _list(
            _some({"uri": st.fixed_dictionaries({"prefix": NAMES}), "port": st.just(80)})
        ),
        "route": _list(
            _some({"destination": _DESTINATION, "weight": st.sampled_from([0, 50, 100])})
        ),
        "timeout": DURATIONS,
        "retries": st.none() | _some({"attempts": st.integers(0, 2), "perTryTimeout": DURATIONS}),
    }
)
_CONTAINER = _some(
    {
        "name": NAMES,
        "image": st.sampled_from(["a", "a:1", "a:latest"]),
        "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent"]),
        "args": _list(NAMES),
        "env": _list(_some({"name": NAMES, "value": NAMES | st.just("")})),
        "ports": _list(
            _some({"containerPort": st.just(80), "protocol": st.sampled_from(["TCP", "UDP"])})
        ),
        "resources": st.just({}) | st.fixed_dictionaries({"limits": _some({"cpu": QUANTITIES})}),
    }
)
#: Specs by API version and kind.
SPECS: Mapping[tuple[str, str], st.SearchStrategy[dict[str, Any]]] = {
    ("networking.istio.io/v1", "VirtualService"): _some(
        {
            "hosts": _list(HOSTS),
            "gateways": _list(NAMES | st.just("mesh")),
            "http": _list(_ROUTE),
        }
    ),
    ("networking.istio.io/v1", "DestinationRule"): _some(
        {
            "host": HOSTS,
            "subsets": _list(_some({"name": NAMES, "labels": LABELS})),
            "trafficPolicy": _some(
                {
                    "tls": _some({"mode": st.sampled_from(["DISABLE", "ISTIO_MUTUAL"])}),
                    "outlierDetection": _some({"interval": DURATIONS}),
                }
            ),
        }
    ),
    ("security.istio.io/v1", "AuthorizationPolicy"): _some(
        {
            "action": st.sampled_from(["ALLOW", "DENY"]),
            "rules": _list(
                _some({"to": _list(_some({"operation": _some({"ports": _list(NAMES)})}))})
            ),
        }
    ),
    ("v1", "Service"): _some(
        {
            "type": st.sampled_from(["ClusterIP", "LoadBalancer"]),
            "clusterIP": st.sampled_from(["None", ""]),
            "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
            "selector": LABELS,
            "ports": _list(
                _some(
                    {
                        "port": st.sampled_from([80, 81]),
                        "protocol": st.sampled_from(["TCP", "UDP"]),
                        "targetPort": st.sampled_from([80, 81, "http"]),
                        "name": NAMES,
                    }
                )
            ),
        }
    ),
    ("apps/v1", "Deployment"): _some(
        {
            "replicas": st.sampled_from([1, 2]),
            "strategy": _some({"type": st.sampled_from(["Recreate", "RollingUpdate"])}),
            "template": st.fixed_dictionaries({"spec": _some({"containers": _list(_CONTAINER)})}),
        }
    ),
    ("example.org/v1", "Thing"): _some(
        {
            "list": _list(NAMES | st.none() | st.booleans() | st.integers(0, 1)),
            "named": _list(_some({"name": NAMES, "value": NAMES})),
            "map": LABELS,
        }
    ),
}


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A manifest of one of a few kinds, called x."""
    (api_version, kind), spec = draw(st.sampled_from(sorted(SPECS.items(), key=lambda e: e[0])))
    return _manifest(draw, api_version, kind, spec)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two manifests of one kind, both called x."""
    (api_version, kind), spec = draw(st.sampled_from(sorted(SPECS.items(), key=lambda e: e[0])))
    return _manifest(draw, api_version, kind, spec), _manifest(draw, api_version, kind, spec)


def _manifest(
    draw: st.DrawFn, api_version: str, kind: str, spec: st.SearchStrategy[dict[str, Any]]
) -> dict[str, Any]:
    metadata = draw(st.fixed_dictionaries({"name": st.just("x")}, optional={"labels": LABELS}))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": draw(spec)}


def rewritten(draw: Draw, manifest: dict[str, Any]) -> dict[str, Any]:
    """The same object, written in another way: keys in another order, defaults, other units."""
    group = manifest["apiVersion"].rpartition("/")[0]
    known = kind_of(group, manifest["kind"])
    tables = (known.defaults, known.readings) if known else ({}, {})
    found: dict[str, Any] = _rewritten(draw, manifest, (), *tables)
    found["status"] = {"observedGeneration": 1}
    found["metadata"]["uid"] = "0bd1f5de"
    return found


def _rewritten(
    draw: Draw,
    value: Any,
    path: tuple[str, ...],
    defaults: Mapping[str, Any],
    readings: Mapping[str, Any],
) -> Any:
    if isinstance(value, list):
        return [_rewritten(draw, item, path, defaults, readings) for item in value]
    if not isinstance(value, dict):
        return _other_unit(draw, value, readings.get(".".join(path)))
    names = draw(st.permutations(sorted(value)))
    found = {
        name: _rewritten(draw, value[name], (*path, name), defaults, readings) for name in names
    }
    here = ".".join((*path, ""))
    for place, default in defaults.items():
        name = place.removeprefix(here)
        if place.startswith(here) and "." not in name and name != "*" and name not in found:
            filled = default(value) if callable(default) else default
            if filled is not None and draw(st.booleans()):
                found[name] = filled
    return found


def _other_unit(draw: Draw, value: Any, reading: Any) -> Any:
    choices: dict[Any, list[Any]] = {
        duration: ["60s", "1m", "1m0s", "1.5s", "1500ms", "90s", "1m30s", "0s", "0ms"],
        quantity: ["500m", "0.5", "1Gi", "1024Mi", "1", 1, "1000m", "1k", "1e3"],
    }
    same = [other for other in choices.get(reading, []) if reading(other) == reading(value)]
    return draw(st.sampled_from(same)) if same else value
