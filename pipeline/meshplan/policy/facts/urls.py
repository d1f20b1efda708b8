"""The URLs in a text: the value of an environment variable, an argument, a line of a file."""

from collections.abc import Iterator

from meshplan.dataclass import dataclass

_SCHEMES = ("http", "https", "grpc", "ws", "wss", "tcp")
#: What ends the part of a URL that names the host.
_ENDS = frozenset("/?#\"'`<>()[]{},;|\\ \t\r\n")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")


@dataclass(frozen=True, slots=True)
class Url:
    """A scheme, a host, a port."""

    scheme: str
    host: str
    #: 0 where none is written.
    port: int


def urls(text: str) -> Iterator[Url]:
    """The URLs of a text that name a host; placeholders such as `${HOST}` name none, nor does `localhost`."""
    before, *pieces = text.split("://")
    for piece in pieces:
        scheme = _scheme(before)
        if scheme in _SCHEMES and (found := _authority(scheme, piece)) is not None:
            yield found
        before = piece


def _scheme(text: str) -> str:
    start = len(text)
    while start and text[start - 1].isascii() and text[start - 1].isalpha():
        start -= 1
    return text[start:].lower()


def _authority(scheme: str, text: str) -> Url | None:
    end = next((at for at, char in enumerate(text) if char in _ENDS), len(text))
    host, colon, port = text[:end].rpartition("@")[2].lower().partition(":")
    host = host.rstrip(".")
    if not host or not _NAME.issuperset(host) or host.replace(".", "").isdecimal():
        return None
    # What a pod says to itself goes past its sidecar.
    if host == "localhost" or host.endswith(".localhost"):
        return None
    if colon and not (port.isdecimal() and len(port) < 6):
        return None
    # Something like `http://$HOST` ends where the placeholder begins.
    if text[end : end + 1] in {"{", "("}:
        return None
    return Url(scheme, host, int(port) if port else 0)
