"""A request, as the proxy that receives it sees it."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One request (or, without HTTP, one connection)."""

    #: The Host header (`:authority`), with a port if one is written.
    host: str
    method: str = "GET"
    #: Path with the query.
    path: str = "/"
    #: By name in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The port that the client dials; None for that of the host, else of the scheme.
    port: int | None = None
    #: http, https (TLS around HTTP), tls (TLS around anything), tcp.
    scheme: str = "http"
    #: Server name of the TLS handshake; "" for the host.
    sni: str = ""
    #: Address of the client, None where it is not known.
    client_ip: str | None = None
    #: SPIFFE identity of the client without `spiffe://`, where it presents a certificate.
    principal: str = ""

    @property
    def host_name(self) -> str:
        """The host in lower case and without its port."""
        return self.host[: port_start(self.host)].lower()

    @property
    def is_connection(self) -> bool:
        """Whether it is one of which no proxy reads what is in it."""
        return self.scheme in ("tcp", "tls")

    @property
    def dialled_port(self) -> int:
        """The port that the client dials."""
        if self.port is not None:
            return self.port
        written = self.host[port_start(self.host) + 1 :]
        if written:
            return int(written)
        return 443 if self.scheme in ("https", "tls") else 80

    @property
    def server_name(self) -> str:
        """The name in the TLS handshake."""
        return (self.sni or self.host_name).lower()

    def to_json(self) -> dict[str, Any]:
        """As `meshplan trace` writes it; what is not known or default is left out."""
        out: dict[str, Any] = {
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "headers": dict(self.headers),
        }
        stated = {
            "port": self.port,
            "sni": self.sni,
            "clientIp": self.client_ip,
            "principal": self.principal,
        }
        out.update({name: value for name, value in stated.items() if value})
        if self.scheme != "http":
            out["scheme"] = self.scheme
        return out


def request_of(value: Mapping[str, Any], **known: Any) -> Request:
    """A request from its JSON form; `known` fills in what the form leaves out."""
    headers = value.get("headers") or {}
    return Request(
        host=str(value["host"]),
        method=str(value.get("method", "GET")),
        path=str(value.get("path", "/")),
        headers={str(name).lower(): str(text) for name, text in headers.items()},
        port=value.get("port", known.get("port")),
        scheme=str(value.get("scheme", known.get("scheme", "http"))),
        sni=str(value.get("sni", "")),
        client_ip=value.get("clientIp", known.get("client_ip")),
        principal=str(value.get("principal", known.get("principal", ""))),
    )


def port_start(host: str) -> int:
    """Where the port of a Host header begins, with its colon; its length if there is none.

    As Envoy's `getPortStart`: the last colon with nothing but digits behind it.
    """
    colon = host.rfind(":")
    bracket = host.rfind("]")
    if colon < 0:
        return len(host)
    if bracket < 0 and host.count(":") > 1:
        return len(host)
    digits = host[colon + 1 :]
    if not (digits.isdecimal() and digits.isascii() and len(digits) <= 5):
        return len(host)
    return colon
