"""The script is run by a real shell, against a kubectl that only writes down what it gets."""

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshplan.diff import ChangeSet, Create
from meshplan.plan import Apply, Gate, GateKind, Plan, Wave
from meshplan.report import View, script
from meshplan.result import Result
from support.results import NO_GATE, example, hostile, resource, result, secret, target

if TYPE_CHECKING:
    from support.git import Repository

FAKE = """\
#!/bin/sh
n=$(cat "$LOG/count" 2>/dev/null || echo 0)
echo $((n + 1)) > "$LOG/count"
printf '%s\\0' "$@" > "$LOG/$n.args"
case "$*" in *"-f -"*) cat > "$LOG/$n.stdin" ;; esac
"""

HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "EOF\ntouch pwned\n",
    "a\nEOF\ntouch pwned\nb",
    "\n) ;; touch pwned ;; *",
    "}\ntouch pwned\n{",
    "--dry-run -n x",
    "\\",
    "\x00\r\n\x1b[2J",
    "\u2028\u202e",
    "%s%n",
    "*",
    "-",
)


def run(text: str, folder: Path, **environment: str) -> list[tuple[list[str], str]]:
    """The calls of kubectl that the script makes: arguments and standard input."""
    for name in ("kubectl", "sleep"):
        tool = folder / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(FAKE if name == "kubectl" else "#!/bin/sh\n")
        tool.chmod(0o755)
    log = folder / "log"
    log.mkdir(exist_ok=True)
    for entry in log.iterdir():
        entry.unlink()
    done = subprocess.run(
        ["sh", "-s"],
        input=text.encode("utf-8", "surrogateescape"),
        cwd=folder,
        env={"PATH": f"{folder}/bin:{os.environ['PATH']}", "LOG": str(log)} | environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    calls = []
    for number in range(int((log / "count").read_text())):
        arguments = (log / f"{number}.args").read_bytes().decode().split("\0")[:-1]
        stdin = log / f"{number}.stdin"
        calls.append((arguments, stdin.read_text("utf-8") if stdin.exists() else ""))
    return calls


def applied(calls: list[tuple[list[str], str]]) -> list[Any]:
    return [yaml.safe_load(stdin) for arguments, stdin in calls if "apply" in arguments]


def of_manifest(*bodies: Any) -> Result:
    """A plan that applies one ConfigMap for each body."""
    found = [
        resource("ConfigMap", f"c{number}", group="", data=body)
        for number, body in enumerate(bodies)
    ]
    waves = (Wave(tuple(Apply(one, "") for one in found), NO_GATE),)
    changes = ChangeSet(tuple(Create(one) for one in found))
    return result(target(changes=changes, plan=Plan(waves)))


def test_kubectl_gets_every_step_in_the_order_of_the_plan(tmp_path: Path) -> None:
    calls = run(script.render(example(), View()), tmp_path)
    words = [" ".join(arguments[:3]) for arguments, _ in calls]
    assert words == [
        "apply --server-side --field-manager=meshplan",
        "apply --server-side --field-manager=meshplan",
        "apply --server-side --field-manager=meshplan",
        "delete --ignore-not-found --timeout=300s",
        "delete --ignore-not-found --timeout=300s",
        "delete --ignore-not-found --timeout=300s",
        "wait --for=delete --timeout=300s",
        "apply --server-side --field-manager=meshplan",
    ]
    assert [found["metadata"]["name"] for found in applied(calls)] == [
        *("reviews", "edge", "reviews", "seed")
    ]
    assert calls[3][0][-2:] == ["ServiceEntry.v1.networking.istio.io/old", "--namespace=shop"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_breaks_out(text: str, tmp_path: Path) -> None:
    report = script.render(hostile(text.replace("\0", "")), View())
    run(report, tmp_path, BY_HAND_DONE="yes", **repository_environment(tmp_path))
    assert not (tmp_path / "pwned").exists()
    assert {entry.name for entry in tmp_path.iterdir()} <= {"bin", "log"}


def repository_environment(folder: Path) -> dict[str, str]:
    """A git that gives nothing, for the Secret of the hostile result."""
    git = folder / "bin" / "git"
    git.parent.mkdir(exist_ok=True)
    git.write_text("#!/bin/sh\n")
    git.chmod(0o755)
    return {}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=12),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just("EOF\nEOF1"),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_kubectl_gets_exactly_the_manifest(tmp_path: Path, body: Any) -> None:
    [found] = applied(run(script.render(of_manifest(body), View()), tmp_path))
    assert found["data"] == body


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_shells_read_it(shell: str) -> None:
    if subprocess.run(["which", shell], capture_output=True, check=False).returncode:
        pytest.skip(f"{shell} is not installed")
    for made in (example(), *(hostile(text) for text in HOSTILE)):
        text = script.render(made, View()).encode("utf-8", "surrogateescape")
        done = subprocess.run([shell, "-n"], input=text, capture_output=True, check=False)
        assert not done.returncode, done.stderr.decode(errors="replace")


def test_a_secret_is_taken_from_the_revision(
    tmp_path: Path, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n---\n"
        "# the password\n\n\n\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData: {a: hunter2}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: last}\n"
    )
    made: Repository = repo({"shop/secret.yaml": text})
    one = secret(stringData={"a": "hunter2"})
    plan = Plan((Wave((Apply(one, ""),), NO_GATE),))
    changed = result(target(changes=ChangeSet((Create(one),)), plan=plan))
    commit = made.git("rev-parse", "HEAD")
    report = script.render(changed, View()).replace("b" * 40, commit)
    assert "hunter2" not in report
    [found] = applied(run(report, made.path))
    assert found["kind"] == "Secret"
    assert found["stringData"] == {"a": "hunter2"}


def test_a_rendered_secret_is_left_to_the_reader(tmp_path: Path) -> None:
    one = resource("Secret", "made", group="", via="kustomize prod", stringData={"a": "hunter2"})
    plan = Plan((Wave((Apply(one, ""),), NO_GATE),))
    report = script.render(result(target(changes=ChangeSet((Create(one),)), plan=plan)), View())
    assert "hunter2" not in report
    done = subprocess.run(
        ["sh", "-s"], input=report, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Secret shop/made by hand" in done.stderr


def test_a_failing_step_stops_it(tmp_path: Path) -> None:
    report = script.render(of_manifest({}, {}), View())
    done = subprocess.run(
        ["sh", "-s"],
        input=report,
        cwd=tmp_path,
        env={**os.environ, "KUBECTL": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1


def test_several_targets_ask_which(tmp_path: Path) -> None:
    one = resource()
    plan = Plan((Wave((Apply(one, ""),), NO_GATE),))
    both = [target(name, changes=ChangeSet((Create(one),)), plan=plan) for name in ("prod", "it's")]
    report = script.render(result(*both), View())
    done = subprocess.run(
        ["sh", "-s"], input=report, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "prod it's" in done.stderr


@pytest.mark.parametrize(
    ("kind", "group", "gate", "expected"),
    [
        ("Deployment", "apps", GateKind.READY, ["rollout", "status", "deployment.apps/x"]),
        ("Pod", "", GateKind.READY, ["wait", "--for=condition=Ready", "pod/x"]),
        ("Job", "batch", GateKind.READY, ["wait", "--for=condition=Complete", "job.batch/x"]),
        ("Namespace", "", GateKind.ESTABLISHED, ["wait", "namespace/x"]),
        (
            *("CustomResourceDefinition", "apiextensions.k8s.io", GateKind.ESTABLISHED),
            ["wait", "--for=condition=Established"],
        ),
    ],
)
def test_gates_wait(
    kind: str, group: str, gate: GateKind, expected: list[str], tmp_path: Path
) -> None:
    one = resource(kind, "x", "", group=group)
    waves = (
        Wave((Apply(one, ""),), Gate(gate, "why", (one.id,))),
        Wave((Apply(one, ""),), NO_GATE),
    )
    report = script.render(
        result(target(changes=ChangeSet((Create(one),)), plan=Plan(waves))), View()
    )
    _, (arguments, _), _ = run(report, tmp_path)
    assert set(expected) <= set(arguments), json.dumps(arguments)
