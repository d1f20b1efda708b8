"""What both recorders have: applications that say what they got, requests, distinct answers."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

Answer = dict[str, Any]

#: What the access log says of each request.
LOG = {
    "probe": "%REQ(X-PROBE)%",
    "flag": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "cluster": "%UPSTREAM_CLUSTER%",
}
#: What no proxy takes for HTTP or TLS.
RAW = b"\x01hello\n"
_HANDSHAKE = b"\x16"
#: How often each request is sent.
_TIMES = 5


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: None for an application that knows no TLS.
    context: ssl.SSLContext | None

    def handle_error(self, *_: object) -> None:
        """Nothing: proxies close connections as they like."""


class _Application(BaseHTTPRequestHandler):
    """Says what it got: of a request, with or without TLS, or of a connection with other bytes."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        """Looks at the first byte."""
        first = self.request.recv(1, socket.MSG_PEEK)
        if first == _HANDSHAKE and self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self._is_raw = first == RAW[:1]

    def handle(self) -> None:
        """Answers."""
        if not self._is_raw:
            return super().handle()
        self.rfile.readline()
        self.wfile.write(json.dumps({"port": self.server.server_address[1]}).encode() + b"\n")
        return None

    def do_GET(self) -> None:
        """Answers any request."""
        seen = {
            "port": self.server.server_address[1],
            "path": self.path,
            "host": self.headers["host"],
        }
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - looked for by name

    def log_message(self, *_: object) -> None:
        """Nothing."""


def serve(certificate: tuple[Path, Path], ports: Iterable[int], plain: Iterable[int] = ()) -> None:
    """Starts applications at all addresses; those at the `plain` ports know no TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    found = {**dict.fromkeys(ports, context), **dict.fromkeys(plain, None)}
    for port, spoken in found.items():
        server = _Server(("0.0.0.0", port), _Application)
        server.context = spoken
        Thread(target=server.serve_forever, daemon=True).start()


def distinct(ask: Callable[[], Answer]) -> list[Answer]:
    """The different answers of some tries."""
    return unique(ask() for _ in range(_TIMES))


def unique(answers: Iterable[Answer]) -> list[Answer]:
    """Each answer once, in the order of the first."""
    found: list[Answer] = []
    found.extend(one for one in answers if one not in found)
    return found


def answered(connection: http.client.HTTPConnection, request: Answer, probe: str) -> Answer:
    """What comes back for a request."""
    headers = {"host": request["host"], "x-probe": probe, "connection": "close"}
    connection.request(
        request.get("method", "GET"),
        request.get("path", "/"),
        headers=headers | request.get("headers", {}),
    )
    answer = connection.getresponse()
    body = answer.read()
    found: Answer = {"status": answer.status}
    for name, header in (("location", "location"), ("grpc", "grpc-status")):
        if value := answer.getheader(header):
            found[name] = value
    if answer.status == 200 and body.startswith(b"{"):
        found.update(json.loads(body))
    return found
