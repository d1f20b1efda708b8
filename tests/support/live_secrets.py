"""Certificates for a proxy, as the agent beside it hands them out (SDS over gRPC).

It speaks as little HTTP/2 (RFC 9113) as that takes: whatever is asked, there is one answer.
"""

import contextlib
import socketserver
import struct
import threading
from pathlib import Path

#: Where it listens.
SECRETS = 15099
_PREFACE = 24
_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_ACK, _END_OF_HEADERS = 1, 4
#: `:status: 200` and `content-type: application/grpc` (RFC 7541).
_ANSWERED = b"\x88\x0f\x10\x10application/grpc"
_KIND = b"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


class Secrets:
    """Answers calls for secrets until the process ends."""

    def __init__(self) -> None:
        #: The path of the certificate and key without `.pem` and `.key`.
        self.identity = Path()
        server = _Server(("127.0.0.1", SECRETS), _Call)
        server.secrets = self
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def discovered(self) -> bytes:
        """A `DiscoveryResponse` with the certificate of the proxy and that of the mesh."""
        own = _field(1, _file(f"{self.identity}.pem")) + _field(2, _file(f"{self.identity}.key"))
        mesh = _field(1, _file(str(self.identity.parent / "ca.pem")))
        found = (_field(1, b"default") + _field(2, own), _field(1, b"ROOTCA") + _field(4, mesh))
        resources = (_field(2, _field(1, _KIND) + _field(2, secret)) for secret in found)
        return _field(1, b"1") + b"".join(resources) + _field(4, _KIND) + _field(5, b"1")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    secrets: Secrets


class _Call(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answers the calls of one connection, which stay open."""
        with contextlib.suppress(OSError, struct.error):
            self.rfile.read(_PREFACE)
            self._send(_SETTINGS)
            while True:
                size, kind, flags, stream = struct.unpack(">I", b"\0" + self.rfile.read(3)) + (
                    struct.unpack(">BBI", self.rfile.read(6))
                )
                content = self.rfile.read(size)
                if kind in (_SETTINGS, _PING) and not flags & _ACK:
                    self._send(kind, content if kind == _PING else b"", _ACK)
                if kind == _HEADERS:
                    message = self.server.secrets.discovered()
                    self._send(_HEADERS, _ANSWERED, _END_OF_HEADERS, stream)
                    self._send(_DATA, struct.pack(">BI", 0, len(message)) + message, 0, stream)

    def _send(self, kind: int, content: bytes = b"", flags: int = 0, stream: int = 0) -> None:
        size = struct.pack(">I", len(content))[1:]
        self.wfile.write(size + struct.pack(">BBI", kind, flags, stream) + content)


def _file(path: str) -> bytes:
    return _field(1, path.encode())


def _field(number: int, value: bytes) -> bytes:
    """A field of a protocol buffer that has a length."""
    length = len(value)
    size = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([number << 3 | 2]) + size + value
