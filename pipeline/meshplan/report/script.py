"""The plan as a shell script for kubectl: to read, to keep, and to run by hand.

POSIX sh. Every manifest stands in a here-document whose delimiter is quoted (so the shell expands
nothing in it) and does not occur in it; every name is quoted; comments hold one line of printable
characters. A Secret is taken from the revision when the script runs, never written into it.
"""

import shlex
from collections.abc import Iterator

from meshplan.identity import ResourceId
from meshplan.plan import Apply, GateKind, Remove, Step, Wave
from meshplan.report import verdicts, wording
from meshplan.report.layout import View, printable
from meshplan.report.yamltext import to_yaml
from meshplan.resource import Resource
from meshplan.result import Result, TargetResult

_PRELUDE = """\
set -eu

: "${KUBECTL:=kubectl}"              # e.g. KUBECTL='kubectl --context prod'
: "${ISTIOCTL:=istioctl}"            # asked whether the proxies are up to date, where it is there
: "${TIMEOUT:=300}"                  # seconds to wait for anything
: "${SETTLE:=10}"                    # seconds to wait where nothing can be asked
: "${DRAIN:=10}"                     # seconds that requests on old routes have to end

apply() { $KUBECTL apply --server-side --field-manager=meshplan -f -; }
remove() { $KUBECTL delete --ignore-not-found --timeout="${TIMEOUT}s" "$@"; }

# Istio answers a write at once and its proxies take it over later: wait for them.
proxies() {
  sleep 2
  command -v "$ISTIOCTL" >/dev/null 2>&1 || { sleep "$SETTLE"; return 0; }
  waited=0
  while [ "$waited" -lt "$TIMEOUT" ]; do
    status=$("$ISTIOCTL" proxy-status)
    case $status in *STALE*) ;; *) return 0 ;; esac
    sleep 2
    waited=$((waited + 2))
  done
  echo 'some proxies are still stale' >&2
  exit 1
}

# An object whose manifest is not in this script has to be written by someone who may see it.
by_hand() {
  [ "${BY_HAND_DONE:-}" = yes ] && return 0
  echo "write $1 by hand from $2, then run this again with BY_HAND_DONE=yes" >&2
  exit 1
}
"""

#: Kinds that `kubectl rollout status` knows.
_ROLLED_OUT = frozenset((("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")))

#: What `kubectl wait --for` can ask of other kinds.
_CONDITIONS = {
    ("", "Namespace"): "jsonpath={.status.phase}=Active",
    ("", "Pod"): "condition=Ready",
    ("batch", "Job"): "condition=Complete",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "condition=Established",
    ("apiregistration.k8s.io", "APIService"): "condition=Available",
    ("cert-manager.io", "Certificate"): "condition=Ready",
    ("external-secrets.io", "ExternalSecret"): "condition=Ready",
}


def render(result: Result, _view: View) -> str:
    """One script for all targets; it stops at the first error."""
    return "\n".join(_script(result)) + "\n"


def _script(result: Result) -> Iterator[str]:
    targets = wording.changed(result)
    yield "#!/bin/sh"
    yield _comment(f"meshplan: {wording.compared(result)}")
    yield _comment(f"{wording.headline(result)}")
    if len(targets) > 1:
        yield "# There are several targets; each has a function, and you say which one to run."
    if any(wording.open_cycles(target) or _is_refuted(target) for target in targets):
        yield "# Requests are lost on the way: read the comments before running this."
    yield _PRELUDE
    for number, target in enumerate(targets, 1):
        yield from _target(number, target, result)
    yield from _main(targets)


def _main(targets: tuple[TargetResult, ...]) -> Iterator[str]:
    """What runs: the only target, or the one that the first argument names."""
    if not targets:
        yield "# Nothing changes."
    elif len(targets) == 1:
        yield "target_1"
    else:
        yield 'case "${1:-}" in'
        for number, target in enumerate(targets, 1):
            yield f"  {shlex.quote(target.name)}) target_{number} ;;"
        names = " ".join(printable(target.name) for target in targets)
        yield f"  *) printf '%s\\n' {shlex.quote(f'say which target: {names}')} >&2; exit 2 ;;"
        yield "esac"


def _is_refuted(target: TargetResult) -> bool:
    return target.impossible is not None or bool(target.proof and target.proof.counterexamples)


def _target(number: int, target: TargetResult, result: Result) -> Iterator[str]:
    yield _comment(f"target {target.name}")
    name = wording.naming(target)
    for point in verdicts.points(target):
        yield _comment(point.title)
        yield from (_comment(f"  {case}") for case in point.cases)
    for cycle in wording.open_cycles(target):
        members = wording.listing([name(found) for found in cycle.ids])
        yield _comment(f"each has to wait for another: {members}: {cycle.why}")
    yield f"target_{number}() {{"
    waves = target.plan.waves if target.plan else ()
    reason = wording.reasons(target)
    for index, wave in enumerate(waves, 1):
        yield ""
        yield f"echo 'wave {index} of {len(waves)}: {wording.count(len(wave.steps), 'step')}'"
        for step in wave.steps:
            why = reason(step)
            yield ""
            yield _comment(
                f"{wording.step_word(step)} {name(step.id)}" + (f": {why}" if why else "")
            )
            yield from _step(step, result)
        yield from _gate(wave)
    if not waves:
        yield "echo 'nothing has to be applied'"
    yield "}"
    yield ""


def _step(step: Step, result: Result) -> Iterator[str]:
    match step:
        case Remove(found, api_version):
            yield f"remove {_reference(found, api_version)}"
        case Apply(resource) if resource.is_secret:
            yield _secret(resource, result)
        case Apply(resource):
            manifest = to_yaml(resource.manifest)
            end = _delimiter(manifest)
            yield f"apply <<'{end}'\n{manifest}{end}"


def _reference(found: ResourceId, api_version: str) -> str:
    """`Kind.version.group/name --namespace=…`, quoted for the shell."""
    version = api_version.rpartition("/")[2]
    typed = f"{found.kind}.{version}.{found.group}/{found.name}"
    where = f" {shlex.quote(f'--namespace={found.namespace}')}" if found.namespace else ""
    return shlex.quote(typed) + where


def _delimiter(content: str) -> str:
    """A line that is not in `content`."""
    lines = set(content.splitlines())
    number = 0
    while (end := f"EOF{number or ''}") in lines:
        number += 1
    return end


def _secret(resource: Resource, result: Result) -> str:
    """A Secret is read from the revision, from its first line up to the end of its document."""
    origin = resource.origin
    if origin.via or origin.pointer or origin.line is None or "sops" in resource.manifest:
        what = shlex.quote(printable(str(resource.id)))
        return f"by_hand {what} {shlex.quote(printable(origin.path))}"
    if result.head.commit:
        source = f"git show {shlex.quote(f'{result.head.commit}:{origin.path}')}"
    elif result.head.name == "index":
        source = f"git show {shlex.quote(f':{origin.path}')}"
    else:
        source = f"cat {shlex.quote(f'./{origin.path}')}"
    where = (
        f" {shlex.quote(f'--namespace={resource.id.namespace}')}" if resource.id.namespace else ""
    )
    cut = f"awk 'NR < {origin.line} {{next}} /^(---|[.][.][.])/ {{exit}} {{print}}'"
    cut = "cat" if origin.path.endswith(".json") else cut
    return f"{source} | {cut} | $KUBECTL apply --server-side --field-manager=meshplan{where} -f -"


def _gate(wave: Wave) -> Iterator[str]:
    """Wait for each object by what it is, and then for the proxies if the gate asks for them."""
    gate = wave.gate
    said = wording.gate(gate)
    if not said:
        return
    yield ""
    yield _comment(said)
    removed = {step.id for step in wave.steps if isinstance(step, Remove)}
    waits = [wait for found in gate.ids if (wait := _wait_for(found, gone=found in removed))]
    yield from waits
    if gate.kind is GateKind.READY and not waits:
        yield 'sleep "$SETTLE"'
    if gate.kind in (GateKind.PROXIES, GateKind.DRAINED):
        yield "proxies"
    if gate.kind is GateKind.DRAINED:
        yield 'sleep "$DRAIN"'


def _wait_for(found: ResourceId, *, gone: bool) -> str:
    """How to ask kubectl whether a step is in force; "" where the write itself is enough."""
    kind = (found.group, found.kind)
    if gone:
        return _wait(found, "delete")
    if kind in _ROLLED_OUT:
        return f'$KUBECTL rollout status --timeout="${{TIMEOUT}}s" {_any_version(found)}'
    return _wait(found, _CONDITIONS[kind]) if kind in _CONDITIONS else ""


def _wait(found: ResourceId, condition: str) -> str:
    wanted = shlex.quote(f"--for={condition}")
    return f'$KUBECTL wait {wanted} --timeout="${{TIMEOUT}}s" {_any_version(found)}'


def _any_version(found: ResourceId) -> str:
    """`kind.group/name --namespace=…`: whatever version the server prefers."""
    typed = f"{found.kind}.{found.group}".rstrip(".").lower()
    where = f" {shlex.quote(f'--namespace={found.namespace}')}" if found.namespace else ""
    return shlex.quote(f"{typed}/{found.name}") + where


def _comment(text: str) -> str:
    return f"# {printable(text)}"
