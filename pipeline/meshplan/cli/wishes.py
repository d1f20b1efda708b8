"""Requests and pods as they are written on the command line, and in files of JSON lines."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from meshplan.errors import UsageError
from meshplan.result.trace import Peer, Vantage
from meshplan.schema.wording import type_name
from meshplan.traffic import Request
from meshplan.traffic.request import port_start

#: A file of requests is for people's questions, not for yesterday's traffic.
MAX_BYTES = 256 * 1024 * 1024

_SCHEMES = ("http", "https", "tcp", "tls")
_METHOD = re.compile(r"[A-Z]+\Z")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL = re.compile(r"[\w.\-/]+=[\w.\-]*\Z")
_HEADER = re.compile(r"[!#$%&'*+.^`|~\w-]+\Z")


def vantage_of(
    *,
    client: str | None,
    gateway: str | None,
    server: str | None,
    port: int | None,
    principal: str,
    **_: Any,
) -> Vantage:
    """Where requests are looked at. Raises UsageError unless the options say one place."""
    if client and gateway:
        raise UsageError("--from and --gateway exclude each other: a request has one proxy")
    if not (client or gateway or server):
        raise UsageError(
            "who sends the request?",
            hint="--from web/app=client, --gateway edge/istio=ingressgateway, or --to for a server",
        )
    asked = peer(server, "--to") if server else None
    identity = principal.removeprefix("spiffe://")
    if asked is not None and asked.port is None and not (client or gateway):
        asked = Peer(asked.namespace, asked.labels, port)
    if client or gateway:
        found = peer(client or gateway or "", "--from" if client else "--gateway")
        return Vantage(found, bool(gateway), asked, identity)
    return Vantage(server=asked, principal=identity)


def peer(text: str, option: str) -> Peer:
    """Pods from `namespace/key=value,key=value:port`; labels and port may be left out."""
    namespace, _, rest = text.partition("/")
    rest, _, port = rest.partition(":")
    labels = [part.strip() for part in rest.split(",") if part.strip()]
    right = _NAMESPACE.match(namespace) and all(_LABEL.match(part) for part in labels)
    if not right or (port and not _is_port(port)):
        raise UsageError(
            f"{option} {text} names no pods",
            hint=f"write namespace and labels, as in {option} web/app=client,version=v1",
        )
    pairs = [part.rpartition("=")[::2] for part in labels]
    return Peer(namespace, tuple(sorted(pairs)), int(port) if port else None)


def requests_of(
    words: Sequence[str],
    *,
    file: str | None,
    headers: Sequence[str],
    port: int | None,
    **options: Any,
) -> tuple[str | None, tuple[Request, ...]]:
    """What to ask about (a revision or a path, None for the working tree), and the requests."""
    subject, method, url = _parted(words, has_file=file is not None)
    identity = str(options.get("principal") or "").removeprefix("spiffe://")
    known = {
        "port": port,
        "client_ip": options.get("client_ip"),
        "principal": identity,
        "sni": options.get("sni") or "",
    }
    if file is None:
        return subject, (_request({"url": url, "method": method}, _headers(headers), known),)
    if file == "-" and subject == "-":
        raise UsageError("manifests and requests cannot both come from standard input")
    extra = _headers(headers)
    return subject, tuple(
        _request(value, extra, known, where) for where, value in _lines(file, _content(file))
    )


def _parted(words: Sequence[str], *, has_file: bool) -> tuple[str | None, str, str]:
    """Subject, method and URL: the last word is the URL, the one before it may be a method."""
    left = list(words)
    url = "" if has_file or not left else left.pop()
    method = left.pop() if url and left and _METHOD.match(left[-1]) else "GET"
    if has_file and left and ("://" in left[-1]):
        raise UsageError(f"--requests has all requests, so {left[-1]} is one too many")
    if len(left) > 1:
        raise UsageError(
            f"expected a revision or a path, a method and a URL, not {' '.join(words)}"
        )
    if not has_file and not url:
        raise UsageError(
            "which request?", hint="name a URL, as in GET http://reviews.shop/x, or --requests FILE"
        )
    return (left[0] if left else None), method, url


def _headers(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in given:
        name, colon, text = entry.partition(":")
        if not colon or not _HEADER.match(name.strip()):
            raise UsageError(f"-H {entry!r} is no header", hint="write it as in -H 'x-v: 1'")
        found[name.strip().lower()] = text.strip()
    return found


def _content(file: str) -> str:
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise UsageError(f"cannot read the requests {file}: {reason}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{file} is longer than {MAX_BYTES // 1024 // 1024} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8: byte {error.start}") from error


def _lines(file: str, content: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file of JSON lines, each with its place."""
    name = "standard input" if file == "-" else file
    for number, row in enumerate(content.split("\n"), 1):
        if not row.strip():
            continue
        where = f"{name}:{number}: "
        try:
            value = json.loads(row)
        except (ValueError, RecursionError):
            raise UsageError(f"{where}no JSON object on a line of its own") from None
        if not isinstance(value, dict):
            raise UsageError(f"{where}expected a request, found {type_name(value)}")
        yield where, value


def _request(
    value: dict[str, Any], headers: dict[str, str], known: dict[str, Any], where: str = ""
) -> Request:
    """A request from its JSON form, in which `url` may stand for scheme, host and path."""
    _check_types(value, where)
    parts = dict(value)
    if "url" in parts:
        parts = _of_url(parts.pop("url"), where) | {k: v for k, v in parts.items() if v is not None}
    if not parts.get("host"):
        raise UsageError(f'{where}"host" is missing')
    given = {str(n).lower(): str(t) for n, t in (parts.get("headers") or {}).items()} | headers
    host = given.pop("host", parts["host"])
    path = str(parts.get("path") or "/")
    if not (path.startswith("/") or path == "*"):
        raise UsageError(f"{where}the path {path!r} does not begin with /")
    dialled = parts.get("port") or known["port"]
    if dialled is None and host != parts["host"]:
        dialled = _written_port(str(parts["host"]))
    return Request(
        host=_host(str(host), where),
        method=str(parts.get("method") or "GET"),
        path=path,
        headers=given,
        port=dialled,
        scheme=str(parts.get("scheme") or "http"),
        sni=str(parts.get("sni") or known["sni"]),
        client_ip=parts.get("clientIp") or known["client_ip"],
        principal=str(parts.get("principal") or known["principal"]).removeprefix("spiffe://"),
    )


_TYPES: dict[str, type] = {
    "host": str,
    "method": str,
    "path": str,
    "headers": dict,
    "port": int,
    "scheme": str,
    "sni": str,
    "clientIp": str,
    "principal": str,
    "url": str,
}


def _check_types(value: dict[str, Any], where: str) -> None:
    for name, type_ in _TYPES.items():
        found = value.get(name)
        if found is not None and (not isinstance(found, type_) or isinstance(found, bool)):
            raise UsageError(f'{where}"{name}" cannot be {type_name(found)}')
    scheme = value.get("scheme")
    if scheme is not None and scheme not in _SCHEMES:
        raise UsageError(f'{where}"scheme" is one of {", ".join(_SCHEMES)}')
    headers: Iterable[Any] = (value.get("headers") or {}).values()
    if not all(isinstance(text, str | int | float) for text in headers):
        raise UsageError(f'{where}every one of "headers" has a text')


def _of_url(url: str, where: str) -> dict[str, Any]:
    """Scheme, host and path of a URL; without a scheme it is http."""
    written = url if "://" in url else f"http://{url}"
    if not written.isprintable() or " " in written:
        raise UsageError(f"{where}{url!r} is no URL", hint="as in http://reviews.shop/x?q=1")
    try:
        parts = urlsplit(written)
        host = parts.netloc.rpartition("@")[2]
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{where}{url} is no URL: {str(error).lower()}") from None
    if parts.scheme not in _SCHEMES or not host:
        raise UsageError(
            f"{where}{url} is no URL of a request", hint=f"it begins with {', '.join(_SCHEMES)}"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query or written.endswith("?") else "")
    return {"scheme": parts.scheme, "host": host, "path": path}


def _host(host: str, where: str) -> str:
    if not host or not host.isprintable() or set(host) & set(" /?#"):
        raise UsageError(f"{where}{host!r} is no host")
    return host


def _written_port(host: str) -> int | None:
    text = host[port_start(host) + 1 :]
    return int(text) if text else None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 65536
