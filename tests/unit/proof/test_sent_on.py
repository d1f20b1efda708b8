"""By which hosts gateways are asked for what sidecars send on, and whose requests those are."""

import pytest

from meshplan.proof.footprint import Footprint
from meshplan.proof.index import Index
from meshplan.proof.sent_on import SentOn
from meshplan.proof.types import TopicKind
from meshplan.proof.versions import Versions
from support.around import DOMAIN, snapshot

NEAR = "both VirtualService shop/near {hosts: [a.net], http: [%s]}\n"
FAR = "both VirtualService edge/far {hosts: [%s], gateways: [gw], http: [{}]}\n"
ATTACHED = "both HTTPRoute edge/far {hostnames: [b.net], parentRefs: [{name: gw}]}\n"
AT_SERVICE = (
    "both HTTPRoute shop/near {parentRefs: [{kind: Service, name: s}], "
    "rules: [{filters: [{urlRewrite: {hostname: b.net}}]}]}\n"
)
WRITTEN = "{rewrite: {authority: b.net}}"
DELEGATED = (
    NEAR % "{delegate: {name: d, namespace: far}}"
    + "both VirtualService far/d {http: [{rewrite: {authority: b.net}}]}\n"
    + "both VirtualService shop/d {http: [{rewrite: {authority: c.net}}]}\n"
)


def sent_on(text: str) -> SentOn:
    found = snapshot(text)[1]
    versions = Versions(found, found)
    index = Index(versions, "cluster.local")
    return SentOn(index, versions, Footprint(index, versions, "istio-system"))


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        (NEAR % "{}" + FAR % "a.net", "a.net", ["a.net"]),
        (NEAR % "{}" + FAR % "'*.net'", "a.net", ["a.net"]),
        # Nobody routes it twice.
        (NEAR % "{}" + FAR % "b.net", "a.net", []),
        (NEAR % "{}", "a.net", []),
        (FAR % "a.net", "a.net", []),
        (ATTACHED, "b.net", []),
        # By another host; by its own as well, where both are known.
        (NEAR % WRITTEN + FAR % "b.net", "a.net", ["b.net"]),
        (NEAR % WRITTEN + FAR % "'*.net'", "a.net", ["a.net", "b.net"]),
        (NEAR % WRITTEN + ATTACHED, "a.net", ["b.net"]),
        (NEAR % WRITTEN + AT_SERVICE, "a.net", []),
        (AT_SERVICE + FAR % "b.net", f"s.shop.{DOMAIN}", ["b.net"]),
        (AT_SERVICE + FAR % "b.net", "a.net", []),
        (DELEGATED + FAR % "b.net, c.net", "a.net", ["b.net"]),
    ],
)
def test_hosts_that_gateways_are_asked_by(text: str, host: str, expected: list[str]) -> None:
    found = sent_on(text)
    assert list(found.hosts(host)) == expected
    # It is known from then on.
    assert found.hosts(host) is found.hosts(host)


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        (NEAR % "{}" + FAR % "a.net", "a.net", ["a.net"]),
        (NEAR % "{}", "a.net", []),
        (NEAR % WRITTEN + FAR % "b.net", "b.net", ["a.net"]),
        (NEAR % WRITTEN + FAR % "'*.net'", "*.net", ["*.net", "a.net"]),
        (NEAR % WRITTEN + FAR % "b.net", "c.net", []),
        (AT_SERVICE + FAR % "b.net", "b.net", [f"s.shop.{DOMAIN}"]),
        (DELEGATED + FAR % "b.net", "b.net", ["a.net"]),
        (
            FAR.replace("[gw]", "[gw, mesh]").replace("http: [{}]", f"http: [{WRITTEN}]") % "a.net",
            "b.net",
            ["a.net"],
        ),
    ],
)
def test_whose_requests_gateways_are_asked(text: str, host: str, expected: list[str]) -> None:
    found = sent_on(text).senders(host)
    assert [topic.host for topic in found] == expected
    assert {topic.kind for topic in found} <= {TopicKind.MESH}
