"""`meshplan trace`: the model behind a command, held to recorded proxies and to its own words."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from support.recordings import allows_for, requests_of, vantage_of, write_state

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "tests" / "data" / "oracle"
ALL = ROOT.parent / "shared" / "oracle"
FILES = ("gateway", "sidecar", "inbound", "mtls", "mtls-auto")

Run = Callable[..., tuple[int, str, str]]

MESH = """\
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets:
    - {name: v1, labels: {version: v1}}
    - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {x-v: {exact: "2"}}}]
      route: [{destination: {host: reviews, subset: v2}}]
    - match: [{uri: {prefix: /gone}}]
      route: [{destination: {host: reviews, subset: v3}}]
    - match: [{uri: {prefix: /old}}]
      redirect: {uri: /new, redirectCode: 302}
    - route:
        - {destination: {host: reviews, subset: v1}, weight: 90}
        - {destination: {host: reviews, subset: v2}, weight: 10}
"""

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.example]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: edge}
spec:
  hosts: [shop.example]
  gateways: [edge]
  http: [{route: [{destination: {host: reviews.shop.svc.cluster.local, subset: v1}}]}]
"""

POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  rules:
    - from: [{source: {principals: [cluster.local/ns/web/sa/client]}}]
      to: [{operation: {paths: [/open]}}]
"""


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(("trace", *arguments))
        out, err = capfd.readouterr()
        return status, out, err

    return call


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in no repository, and the current directory in it."""
    (tmp_path / "mesh.yaml").write_text(MESH)
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def guarded(shop: Path) -> Path:
    """The same with a policy for pods that are not there."""
    (shop / "policy.yaml").write_text(POLICY)
    return shop


def one(out: str) -> Any:
    [row] = out.splitlines()
    return json.loads(row)


def _kept() -> list[tuple[str, str]]:
    return [
        (name, line)
        for name in FILES
        for line in (KEPT / f"{name}.jsonl").read_text("utf-8").splitlines()[::8]
    ]


class TestRecordings:
    @pytest.mark.parametrize("state", _kept(), ids=lambda state: state[0])
    def test_a_folder_answers_as_the_proxy_did(
        self, state: tuple[str, str], run: Run, tmp_path: Path
    ) -> None:
        _hold_to(json.loads(state[1]), run, tmp_path)

    @pytest.mark.corpus
    @pytest.mark.parametrize("name", FILES)
    def test_more_of_them(self, name: str, run: Run, tmp_path: Path) -> None:
        path = ALL / f"{name}.jsonl"
        if not path.is_file():
            pytest.skip("the recordings are not beside the checkout (../shared/oracle)")
        lines = path.read_text("utf-8").splitlines()[3::12]
        for number, line in enumerate(lines):
            _hold_to(json.loads(line), run, tmp_path / str(number))


def _hold_to(record: dict[str, Any], run: Run, folder: Path) -> None:
    write_state(record, folder / "state")
    (folder / "requests.jsonl").write_text(requests_of(record))
    status, out, err = run(
        str(folder / "state"),
        *vantage_of(record),
        *("--requests", str(folder / "requests.jsonl"), "--closed", "-o", "json"),
    )
    assert (status, err) == (0, "")
    rows = [json.loads(row) for row in out.splitlines()]
    assert [row["request"]["path"] for row in rows] == [
        entry["request"]["path"] for entry in record["observations"]
    ]
    for row, entry in zip(rows, record["observations"], strict=True):
        wrong = [a for a in entry["answers"] if not allows_for(row["outcome"], a)]
        assert not wrong, (row, entry)


class TestOneRequest:
    def test_shares_and_the_objects_that_decide(self, run: Run, shop: Path) -> None:
        status, out, err = run("--from", "web/app=client", "GET", "http://reviews.shop/x?q=1")
        assert (status, err) == (0, "")
        assert out.splitlines()[0] == "GET http://reviews.shop/x?q=1 from web/app=client"
        assert "90 % reviews.shop.svc.cluster.local subset v1 port 80" in out
        assert re.search(r"VirtualService shop/reviews http\[3\] matches.*  mesh.yaml:15\n", out)
        assert "DestinationRule shop/reviews defines subset v1  mesh.yaml:6" in out

    def test_json_has_the_names_that_are_documented(self, run: Run, shop: Path) -> None:
        _, out, _ = run("--from", "web", "http://reviews.shop/x", "-o", "json")
        found = one(out)
        assert found["request"] == {
            "host": "reviews.shop",
            "method": "GET",
            "path": "/x",
            "headers": {},
        }
        assert {"kind", "status", "flag", "location", "mtls", "backends"} <= set(found["outcome"])
        assert [b["weight"] for b in found["outcome"]["backends"]] == [90, 10]
        names = [
            "endpoint",
            "host",
            "subset",
            "port",
            "weight",
            "path",
            "authority",
            "kind",
            "flag",
        ]
        assert set(names) <= set(found["outcome"]["backends"][0])
        assert found["why"][0]["id"]["kind"] == "VirtualService"
        assert (found["why"][0]["path"], found["why"][0]["line"]) == ("mesh.yaml", 15)

    def test_a_header_counts(self, run: Run, shop: Path) -> None:
        _, out, _ = run("--from", "web", "http://reviews.shop/", "-H", "X-V: 2", "-o", "json")
        assert [b["subset"] for b in one(out)["outcome"]["backends"]] == ["v2"]

    def test_a_host_header_takes_the_place_of_the_host(self, run: Run, shop: Path) -> None:
        _, out, _ = run(
            "--from", "web", "http://10.0.0.1/", "-H", "Host: reviews.shop", "-o", "json"
        )
        assert one(out)["outcome"]["kind"] == "served"

    def test_what_fails(self, run: Run, shop: Path) -> None:
        _, out, _ = run("--from", "web", "POST", "http://reviews.shop/gone")
        assert "503 NC (cluster not found)" in out
        assert "no DestinationRule that counts here has a subset v3" in out

    def test_a_redirect(self, run: Run, shop: Path) -> None:
        _, out, _ = run("--from", "web", "http://reviews.shop/old", "-o", "json")
        outcome = one(out)["outcome"]
        assert (outcome["kind"], outcome["status"]) == ("redirect", 302)
        assert outcome["location"] == "http://reviews.shop/new"

    def test_a_gateway(self, run: Run, shop: Path) -> None:
        pods = "edge/istio=ingressgateway"
        _, out, _ = run("--gateway", pods, "--port", "8080", "http://shop.example/", "-o", "json")
        assert one(out)["outcome"]["backends"][0]["subset"] == "v1"
        _, out, _ = run("--gateway", pods, "--port", "8080", "http://other.example/", "-o", "json")
        assert (one(out)["outcome"]["status"], one(out)["outcome"]["flag"]) == (404, "NR")

    def test_a_gateway_that_nobody_has(self, run: Run, shop: Path) -> None:
        _, out, err = run("--gateway", "edge/istio=egress", "http://shop.example/")
        assert err == "note: no Gateway here is for the pods edge/istio=egress\n"
        assert "connection fails" in out

    def test_pods_that_are_elsewhere_are_guarded(self, run: Run, guarded: Path) -> None:
        client = ("--from", "web/app=client", "-o", "json")
        assert one(run(*client, "http://reviews.shop/x")[1])["outcome"]["kind"] == "denied"

    def test_a_server(self, run: Run, guarded: Path) -> None:
        asked = ("--to", "shop/app=reviews", "--port", "9080", "-o", "json")
        client = ("--principal", "spiffe://cluster.local/ns/web/sa/client")
        assert one(run(*asked, *client, "http://x/open")[1])["outcome"]["kind"] == "served"
        assert one(run(*asked, *client, "http://x/shut")[1])["outcome"]["kind"] == "denied"
        assert one(run(*asked, "http://x/open")[1])["outcome"]["status"] == 403

    def test_a_namespace_that_is_misspelt(self, run: Run, shop: Path) -> None:
        _, _, err = run("--from", "shopp/app=reviews", "http://reviews.shop/")
        assert err == 'note: nothing here is in the namespace shopp; did you mean "shop"?\n'


class TestMesh:
    def test_facts_on_the_command_line(self, run: Run, shop: Path) -> None:
        asked = ("--from", "web", "http://elsewhere.example/", "--closed", "-o", "json")
        assert one(run(*asked)[1])["outcome"]["kind"] == "passthrough"
        shut = one(run(*asked, "--mesh", "outboundTrafficPolicy=REGISTRY_ONLY")[1])["outcome"]
        assert (shut["kind"], shut["status"]) == ("error", 502)

    def test_they_win_over_the_settings(self, run: Run, shop: Path) -> None:
        (shop / ".meshplan.yaml").write_text("mesh: {outboundTrafficPolicy: REGISTRY_ONLY}\n")
        asked = ("--from", "web", "http://elsewhere.example/", "--closed", "-o", "json")
        assert one(run(*asked)[1])["outcome"]["kind"] == "error"
        fact = ("--mesh", "outboundTrafficPolicy=ALLOW_ANY")
        assert one(run(*asked, *fact)[1])["outcome"]["kind"] == "passthrough"

    def test_a_config_map_counts(self, run: Run, shop: Path) -> None:
        mesh = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"
        data = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"mesh": mesh}}
        data["metadata"] = {"name": "istio", "namespace": "istio-system"}
        (shop / "istio.json").write_text(json.dumps(data))
        asked = ("--from", "web", "http://elsewhere.example/", "--closed", "-o", "json")
        assert one(run(*asked)[1])["outcome"]["kind"] == "error"

    @pytest.mark.parametrize(
        ("fact", "says"),
        [
            ("enableAutoMtls", "says no value"),
            ("enableAutoMTLS=false", 'did you mean "enableAutoMtls"?'),
            ("enableAutoMtls=perhaps", "true or false"),
        ],
    )
    def test_wrong_facts(self, fact: str, says: str, run: Run, shop: Path) -> None:
        status, _, err = run("--from", "web", "http://x/", "--mesh", fact)
        assert status == 2
        assert says in err


class TestWhere:
    def test_a_file_alone(self, run: Run, guarded: Path) -> None:
        asked = ("--from", "web", "http://reviews.shop/gone", "-o", "json")
        assert one(run("mesh.yaml", *asked)[1])["outcome"]["flag"] == "NC"
        assert one(run("policy.yaml", *asked)[1])["outcome"]["flag"] != "NC"

    def test_standard_input(self, run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Stream:
            buffer = io.BytesIO(MESH.encode())

        monkeypatch.setattr("sys.stdin", Stream)
        _, out, _ = run("-", "--from", "web", "http://reviews.shop/gone", "-o", "json")
        assert one(out)["outcome"]["flag"] == "NC"

    def test_requests_on_standard_input(
        self, run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Stream:
            buffer = io.BytesIO(b'{"host": "reviews.shop", "path": "/gone"}\n\n{"host": "x.y"}\n')

        monkeypatch.setattr("sys.stdin", Stream)
        _, out, _ = run("--from", "web", "--requests", "-", "-o", "json")
        assert [json.loads(row)["request"]["host"] for row in out.splitlines()] == [
            "reviews.shop",
            "x.y",
        ]

    def test_a_revision(self, run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        made = repo({"mesh.yaml": MESH}, {"mesh.yaml": MESH.replace("v3", "v2")})
        monkeypatch.chdir(made.path)
        asked = ("--from", "web", "http://reviews.shop/gone", "-o", "json")
        assert one(run("r0", *asked)[1])["outcome"]["kind"] == "error"
        assert one(run("r1", *asked)[1])["outcome"]["kind"] == "served"
        assert one(run(*asked)[1])["outcome"]["kind"] == "served"

    def test_two_revisions(self, run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        made = repo({"mesh.yaml": MESH}, {"mesh.yaml": MESH.replace("v3", "v2")})
        monkeypatch.chdir(made.path)
        asked = ("r0..r1", "--from", "web", "http://reviews.shop/gone")
        found = one(run(*asked, "-o", "json")[1])
        assert found["changed"] is True
        assert found["before"]["outcome"]["flag"] == "NC"
        assert found["outcome"]["kind"] == "served"
        rows = [row.strip() for row in run(*asked)[1].splitlines()]
        assert rows.index("before") < rows.index("503 NC (cluster not found)")
        assert rows.index("after") < rows.index("served")
        same = run("r0..r1", "--from", "web", "http://reviews.shop/")[1]
        assert "unchanged" in same

    def test_a_folder_of_a_repository(
        self, run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = repo({"dev/mesh.yaml": MESH, "prod/mesh.yaml": MESH.replace("v3", "v2")})
        monkeypatch.chdir(made.path)
        asked = ("--from", "web", "http://reviews.shop/gone", "-o", "json")
        assert one(run("dev", *asked)[1])["outcome"]["kind"] == "error"
        assert one(run("prod/", *asked)[1])["outcome"]["kind"] == "served"
        status, _, err = run(*asked)
        assert status == 2
        assert err.startswith("error: there are 2 targets: dev, prod\nhint: name one with --target")
        assert one(run(*asked, "--target", "dev")[1])["outcome"]["kind"] == "error"

    def test_an_ignored_folder(self, run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        made = repo({".gitignore": "out\n", "mesh.yaml": MESH})
        made.write({"out/mesh.yaml": MESH.replace("v3", "v2")})
        monkeypatch.chdir(made.path)
        asked = ("--from", "web", "http://reviews.shop/gone", "-o", "json")
        assert one(run("out", *asked)[1])["outcome"]["kind"] == "served"


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("http://x/",), "who sends the request?"),
            (("--from", "web"), "which request?"),
            (("--from", "a", "--gateway", "b", "http://x/"), "exclude each other"),
            (("--from", "web/app", "http://x/"), "--from web/app names no pods"),
            (("--from", "web", "ftp://x/"), "ftp://x/ is no URL of a request"),
            (("--from", "web", "http://x:99999/"), "http://x:99999/ is no URL"),
            (("--from", "web", "http:///x"), "no URL"),
            (("--from", "web", "http://x/", "-H", "nothing"), "is no header"),
            (("a", "b", "--from", "web", "http://x/"), "expected a revision or a path"),
            (("nowhere.yaml", "--from", "web", "http://x/"), "nowhere.yaml does not exist"),
            (("nowhere", "--from", "web", "http://x/"), "nowhere does not exist"),
            (("--from", "web", "--requests", "nowhere"), "cannot read the requests nowhere"),
            (("--from", "web", "--requests", "mesh.yaml"), "mesh.yaml:1: no JSON object"),
            (("--from", "web", "--target", "x", "http://x/"), 'no target "x"'),
        ],
    )
    def test_one_sentence(
        self, arguments: tuple[str, ...], says: str, run: Run, shop: Path
    ) -> None:
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert says in err
        assert len(err.splitlines()) <= 2

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("[]", "expected a request, found a list"),
            ("{}", '"host" is missing'),
            ('{"host": 1}', '"host" cannot be 1'),
            ('{"host": "x", "path": "y"}', "does not begin with /"),
            ('{"host": "x", "port": true}', '"port" cannot be true'),
            ('{"host": "x", "scheme": "ftp"}', '"scheme" is one of'),
            ('{"host": "x", "headers": {"a": null}}', "has a text"),
            ('{"host": "x y"}', "is no host"),
            ("[" * 100_000, "no JSON object"),
        ],
    )
    def test_a_wrong_line(self, line: str, says: str, run: Run, shop: Path) -> None:
        (shop / "asked").write_text('{"host": "x"}\n' + line)
        status, _, err = run("--from", "web", "--requests", "asked")
        assert status == 2
        assert err.startswith("error: asked:2: ")
        assert says in err

    def test_no_manifests(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        status, _, err = run(str(tmp_path / "empty"), "--from", "web", "http://x/")
        assert status == 3
        assert "no manifests found" in err

    def test_a_name_that_is_both(
        self, run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = repo({"r0/mesh.yaml": MESH})
        monkeypatch.chdir(made.path)
        status, _, err = run("r0", "--from", "web", "http://x/")
        assert status == 2
        assert "r0 is a path and a revision" in err
        assert run("./r0", "--from", "web", "http://reviews.shop/")[0] == 0
