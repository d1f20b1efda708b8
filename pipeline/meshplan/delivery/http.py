"""Requests to a REST API: patient with an API that is busy, and never long.

Redirects are followed on the same origin only, because the token goes with every request; and
what a server says is read as JSON or not at all.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import field
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError

#: No answer that is needed here is longer.
MAX_BYTES = 32 * 1024 * 1024
TIMEOUT_SECONDS = 30.0
#: How often a request is made before its failure counts.
ATTEMPTS = 4
#: What GitHub asks for where a secondary rate limit names no time.
UNNAMED_PAUSE = 60.0
_REDIRECTS = (301, 302, 307, 308)
#: Asking once more cannot do twice what should be done once.
_REPEATABLE = ("GET", "PATCH", "PUT", "DELETE")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class DeliveryError(MeshplanError):
    """An API cannot be reached, or does not do what it is asked for."""


class UncertainError(DeliveryError):
    """Whether the request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body. Raises DeliveryError for anything that is not JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            what = kind or "something"
            raise DeliveryError(
                f"{_shown(self.url)} answers {self.status} with {what}, not with JSON",
                hint="is it the address of the API, and no login page or proxy in between?",
            ) from None

    @property
    def message(self) -> str:
        """What an error says of itself; empty where it is not JSON."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        found = value.get("message") or value.get("error") if isinstance(value, dict) else ""
        return " ".join(found.split())[:300] if isinstance(found, str) else ""


@dataclass(slots=True)
class Clock:
    """The time, and waiting for it to pass."""

    now: Callable[[], float] = field(default_factory=lambda: time.time)
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leave redirects to the caller, who knows what may be sent where."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """No redirect."""


@dataclass(slots=True)
class Http:
    """An API at one address."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    #: How long all waiting together may take, in seconds.
    patience: float = 120.0
    #: Whether a token may travel unencrypted to another machine.
    plain: bool = False
    handlers: tuple[urllib.request.BaseHandler, ...] = ()

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DeliveryError(f"{self.base!r} is no address of an API", hint="as in https://…")
        if parts.scheme == "http" and not self.plain and parts.hostname not in _LOOPBACK:
            raise DeliveryError(f"{self.base} is not encrypted, so no token is sent there")

    def send(
        self, method: str, path: str, value: Any = None, *, kind: str = "application/json"
    ) -> Answer:
        """One request, repeated as long as the API asks to wait or is out of order.

        Raises DeliveryError where the API stays out of reach, and UncertainError where it is
        not known whether something that must not be done twice was done.
        """
        url = self._url(path)
        body = None if value is None else json.dumps(value).encode()
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self._follow(method, url, body, kind)
            except (OSError, HTTPException) as error:
                if method not in _REPEATABLE:
                    raise UncertainError(_unreachable(url, error)) from error
                if last:
                    raise DeliveryError(_unreachable(url, error)) from error
                self._wait(2.0**attempt, url)
                continue
            pause = self._pause(answer, attempt, method)
            if pause is None:
                return answer
            if last:
                return self._given_up(answer, method)
            self._wait(pause, url)
        raise AssertionError("the last attempt returns or raises")

    def _given_up(self, answer: Answer, method: str) -> Answer:
        if answer.status < 500:
            return answer
        kind = DeliveryError if method in _REPEATABLE else UncertainError
        raise kind(f"{_shown(answer.url)} is out of order: it answers {answer.status}")

    def _pause(self, answer: Answer, attempt: int, method: str) -> float | None:
        """How long to wait before asking again; None where the answer counts."""
        if answer.status >= 500:
            if method not in _REPEATABLE:
                raise UncertainError(
                    f"{_shown(answer.url)} is out of order: it answers {answer.status}"
                )
            return _seconds(answer.headers.get("retry-after")) or 2.0**attempt
        if answer.status not in (403, 429):
            return None
        named = _seconds(answer.headers.get("retry-after"))
        if named is not None:
            return named
        if answer.headers.get("x-ratelimit-remaining") == "0":
            reset = _seconds(answer.headers.get("x-ratelimit-reset"))
            return max(1.0, (reset or 0) - self.clock.now()) if reset else UNNAMED_PAUSE
        limited = answer.status == 429 or "rate limit" in answer.message.lower()
        return UNNAMED_PAUSE if limited else None

    def _wait(self, seconds: float, url: str) -> None:
        if seconds > self.patience:
            raise DeliveryError(
                f"{_shown(url)} asks to wait {seconds:.0f} s, which is longer than this run waits",
                hint="run the job again later",
            )
        self.patience -= seconds
        self.clock.sleep(seconds)

    def _url(self, path: str) -> str:
        """An address of the API; one that the API itself names has to be its own."""
        url = path if "://" in path else f"{self.base.rstrip('/')}/{path.lstrip('/')}"
        if _origin(url) != _origin(self.base):
            raise DeliveryError(f"{_shown(self.base)} leads to {_shown(url)}, another server")
        return url

    def _follow(self, method: str, url: str, body: bytes | None, kind: str) -> Answer:
        for _ in range(4):
            answer = self._once(method, url, body, kind)
            target = answer.headers.get("location", "")
            keeps = method == "GET" or answer.status in (307, 308)
            if answer.status not in _REDIRECTS or not target or not keeps:
                return answer
            url = self._url(urljoin(url, target))
        raise DeliveryError(f"{_shown(url)} leads in circles")

    def _once(self, method: str, url: str, body: bytes | None, kind: str) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": "meshplan", **self.headers}
        if body is not None:
            headers["Content-Type"] = kind
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - checked
        opener = urllib.request.build_opener(_Stay(), *self.handlers)
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return _answer(url, response.status, response.headers, response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(url, error.code, error.headers, error)


def _answer(url: str, status: int, headers: Message, stream: Any) -> Answer:
    body = stream.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise DeliveryError(f"{_shown(url)} answers with more than {MAX_BYTES // 1024 // 1024} MB")
    return Answer(url, status, {name.lower(): text for name, text in headers.items()}, body)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


def _shown(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _unreachable(url: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    text = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
    return f"{_shown(url)} cannot be reached: {' '.join(str(text).split()).lower()}"
