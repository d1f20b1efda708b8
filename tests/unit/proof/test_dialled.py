"""Where a client dials: who is connected with that place fares as before, however it is declared."""

from support.proofs import change, sentences

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: shop}
spec:
  hosts: [www.example.org]
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 80}]
  resolution: DNS
---
"""
UNRESOLVED = ENTRY.replace("DNS", "NONE")
TLS_PORT = ENTRY.replace("targetPort: 80", "targetPort: 443")
ORIGINATION = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: site, namespace: shop}
spec: {host: www.example.org, trafficPolicy: {tls: {mode: SIMPLE}}}
---
"""
ELSEWHERE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: shop}
spec:
  hosts: [www.example.org]
  http: [{route: [{destination: {host: mirror.example.org}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mirror, namespace: shop}
spec:
  hosts: [mirror.example.org]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
---
"""


def test_a_host_may_be_declared_before_its_routes_change() -> None:
    found = change("", ENTRY + ELSEWHERE)
    names = ["ServiceEntry mirror", "ServiceEntry site", "VirtualService site"]
    assert sentences(found.one_by_one(*names)) == []


def test_an_entry_may_begin_to_be_resolved() -> None:
    assert sentences(change(UNRESOLVED, ENTRY).together()) == []
    assert sentences(change("", UNRESOLVED).together()) == []


def test_tls_on_behalf_of_the_client_leads_to_the_same_host() -> None:
    found = change(ENTRY, TLS_PORT + ORIGINATION + ELSEWHERE)
    names = ["DestinationRule site", "ServiceEntry mirror", "VirtualService site"]
    assert sentences(found.one_by_one(*names, "ServiceEntry site")) == []


def test_another_port_of_the_host_is_another_place() -> None:
    found = change(ENTRY, TLS_PORT + ELSEWHERE)
    names = ["ServiceEntry site", "ServiceEntry mirror", "VirtualService site"]
    [broken] = sentences(found.one_by_one(*names))[:1]
    assert "www.example.org:443, which it reaches neither before nor after" in broken


HEADLESS = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: http, port: 80}]}
---
"""
PODS = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}}
---
"""


def test_a_headless_service_leads_nowhere_before_it_has_pods() -> None:
    found = change("", HEADLESS + PODS)
    assert sentences(found.one_by_one("Service db", "StatefulSet db")) == []
    assert sentences(found.together()) == []
