"""What is known to be the tree's own, and which names objects declare; derived by hand."""

import pytest

from meshplan.mesh.known import Known
from meshplan.proof.declared import hosts_of, known_by, secrets_named, selected_by, selecting
from meshplan.proof.index import Index
from meshplan.proof.versions import Versions
from support.around import DOMAIN, snapshot

A = "both Service shop/a {selector: {app: a}}"
POD = "both Pod shop/p {metadata: {labels: {app: a, v: '1'}}}"
STOPPED = "both Deployment shop/d {replicas: 0, template: {metadata: {labels: {app: a%s}}}}"
ENTRY = "both ServiceEntry shop/e {hosts: [E.net, f.net], workloadSelector: {labels: {app: vm}}}"
VM = "both WorkloadEntry shop/vm {address: 10.0.0.1, labels: {app: vm}}"
SLICE = "both EndpointSlice shop/x {metadata: {labels: {kubernetes.io/service-name: a}}}"


def known(before: str, after: str) -> Known:
    versions = Versions(snapshot(before)[1], snapshot(after)[1])
    return known_by(Index(versions, "cluster.local"), versions)


@pytest.mark.parametrize(
    ("there", "comes", "hosts", "populated"),
    [
        ("", A, "a", ""),
        (POD, A, "a", "a"),
        (A, POD, "", "a"),
        ("", f"{A}\n{POD}", "a", "a"),
        (A, POD.replace("app: a", "app: b"), "", ""),
        (A, POD.replace("shop", "web"), "", ""),
        ("both Service shop/a {}", POD, "", ""),
        # Where nobody runs, there are no pods to be gone.
        (A, STOPPED % "", "", ""),
        (STOPPED % "", A, "a", ""),
        ("", ENTRY, "E f", ""),
        (VM, ENTRY, "E f", "E f"),
        (ENTRY, VM, "", "E f"),
        # Endpoints are written by the tree where no pods are selected.
        ("both Service shop/a {}", "both Endpoints shop/a {}", "", "a"),
        ("both Service shop/a {}", SLICE, "", "a"),
        (A, SLICE, "", ""),
        (SLICE, "both Service shop/a {}", "a", "a"),
        (SLICE, A, "a", ""),
        ("", "both EnvoyFilter shop/a {selector: {app: a}, hosts: [e.net]}", "", ""),
    ],
)
def test_hosts_that_come_or_go(there: str, comes: str, hosts: str, populated: str) -> None:
    """With their pods, in either direction."""
    names = {
        name: f"{name.lower()}.net" if name in "Ef" else f"a.shop.{DOMAIN}"
        for name in ("E", "f", "a")
    }
    both = f"{there}\n{comes}"
    for found in (known(there, both), known(both, there)):
        assert found.hosts == {names[name] for name in hosts.split()}
        assert found.populated == {names[name] for name in populated.split()}


def test_a_service_of_another_group_declares_no_host() -> None:
    serving = "both Service shop/a {}"
    before, after = snapshot("both Namespace shop {}")[1], snapshot(serving)[1]
    (service,) = after.values()
    foreign = [
        type(service)(type(service.id)("serving.example.dev", "Service", "shop", "a"), "x/v1", {}, service.origin)
    ]  # fmt: skip
    versions = Versions(before, type(after)(foreign))
    assert known_by(Index(versions, "cluster.local"), versions).hosts == frozenset()


def test_pods_that_run_in_some_version() -> None:
    before, after = A + "\n" + STOPPED % "", A + "\n" + STOPPED.replace("0", "1") % ""
    for found in (known(before, after), known(after, before)):
        assert found.populated == {f"a.shop.{DOMAIN}"}


def test_pods_that_nobody_can_read_in_some_version() -> None:
    before, after = f"{A}\nboth Deployment shop/d {{template: none}}", f"{A}\n{POD}"
    for found in (known(before, after), known(after, before)):
        assert found.populated == {f"a.shop.{DOMAIN}"}
    assert known(A, before) == Known()


@pytest.mark.parametrize("written", ["", SLICE])
def test_a_service_that_selects_pods_in_some_version(written: str) -> None:
    """Then these may be elsewhere, whether or not its endpoints are written."""
    before, after = f"{A}\n{written}", f"both Service shop/a {{}}\n{SLICE}"
    for found in (known(before, after), known(after, before)):
        assert found.populated == frozenset()
        assert found.hosts == {f"a.shop.{DOMAIN}"}


def test_secrets_and_grants_that_come_or_go() -> None:
    """Of Secrets those that nobody makes from other objects, of either revision."""
    secrets = "\n".join(f"both Secret shop/{name} {{}}" for name in ("own", "made"))
    grant = "both ReferenceGrant vault/g {from: [{group: g, kind: K, namespace: n}], to: [{group: '', kind: Secret}, {group: '', kind: Service, name: s}]}"
    nothing = "both Namespace shop {}"
    sealed = "both SealedSecret shop/made {}"
    for made in ("", sealed):
        for before, after in ((nothing, secrets), (secrets, nothing)):
            for one, other in ((before + f"\n{made}", after), (before, after + f"\n{made}")):
                found = known(one, other).secrets
                assert sorted(id_.name for id_ in found) == (["own"] if made else ["made", "own"])
    for found in (known(nothing, grant), known(grant, nothing)):  # type: ignore[assignment]
        assert found.granted == {  # type: ignore[attr-defined]
            (("g", "K", "n"), ("", "Secret", "vault"), ""),
            (("g", "K", "n"), ("", "Service", "vault"), "s"),
        }
    assert known(f"{secrets}\n{grant}", f"{secrets}\n{grant}") == Known()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Gateway shop/g {servers: [{tls: {credentialName: a}}, {tls: {credentialNames: [b, vault/c]}}, {}]}", {"a", "b", "c"}),
        ("API shop/g {listeners: [{tls: {certificateRefs: [{name: a}, {name: b, namespace: vault}]}}, {}]}", {"a", "b"}),
        ("Gateway shop/g {}", set()),
    ],
)  # fmt: skip
def test_secrets_of_gateways(line: str, names: set[str]) -> None:
    (one,) = snapshot(f"both {line}")[1].values()
    assert secrets_named(one) == names


@pytest.mark.parametrize(
    ("line", "hosts", "selector"),
    [
        ("Service shop/a {selector: {app: a}, hosts: [x.net]}", [f"a.shop.{DOMAIN}"], {"app": "a"}),
        ("ServiceEntry shop/a {hosts: [X.net, y.net], selector: {z: z}, workloadSelector: {labels: {app: a}}}", ["x.net", "y.net"], {"app": "a"}),
        ("DestinationRule shop/a {selector: {app: a}, workloadSelector: {labels: {app: a}}}", [], {}),
    ],
)  # fmt: skip
def test_what_objects_declare(line: str, hosts: list[str], selector: dict[str, str]) -> None:
    (one,) = snapshot(f"both {line}")[1].values()
    assert list(hosts_of(one, "cluster.local")) == hosts
    assert selected_by(one) == selector


def test_who_selects_a_workload() -> None:
    """All labels of its selector have to be there."""
    text = f"""{POD}
        both Service shop/a {{selector: {{app: a}}}}
        both Service shop/b {{selector: {{app: a, v: '1'}}}}
        both Service shop/c {{selector: {{app: a, v: '2'}}}}
        both Service shop/d {{selector: {{v: '1', w: '1'}}}}
        both Service web/e {{selector: {{app: a}}}}
        both Service shop/f {{}}"""
    found = snapshot(text)[1]
    versions = Versions(found, found)
    index = Index(versions, "cluster.local")
    pod = next(one for one in found.values() if one.id.kind == "Pod")
    service = next(one for one in found.values() if one.id.name == "a")
    assert [one.id.name for one in selecting(pod, index, versions)] == ["a", "b"]
    assert list(selecting(service, index, versions)) == []
