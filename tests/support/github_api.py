"""A server on loopback that answers as GitHub's API does, as far as comments need it.

Failures are queued: each request takes the first that fits it, so that a test says "the second
PATCH is answered with 502" in one line.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = "github-actions[bot]"
HEAD = "c" * 40


@dataclass
class Reply:
    """An answer that is given in the place of the real one."""

    status: int = 500
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether the request is carried out all the same.
    done: bool = False
    #: Whether the connection is closed without an answer.
    hangs_up: bool = False


@dataclass
class FakeGitHub:
    """The state of one repository, and what was asked."""

    repository: str = "acme/shop"
    token: str = "ghs_secret"
    login: str = BOT
    per_page: int = 100
    #: Longest comment, in characters.
    max_body: int = 65_536
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    commits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    replies: list[tuple[str, str, Reply]] = field(default_factory=list)
    #: Method and path of every request.
    asked: list[tuple[str, str]] = field(default_factory=list)
    #: Called after each request, with method and path.
    after: Callable[[str, str], None] | None = None
    url: str = ""
    next_id: int = 1000

    def pull(self, number: int = 7, head: str = HEAD, **fields: Any) -> dict[str, Any]:
        """Add a pull request."""
        found = {
            "number": number,
            "state": "open",
            "locked": False,
            "head": {"sha": head, "ref": "change", "user": {"login": "fork-owner"}},
            "base": {"sha": "b" * 40, "ref": "main"},
            **fields,
        }
        self.pulls.append(found)
        return found

    def comment(self, body: str, author: str = BOT, number: int = 7) -> dict[str, Any]:
        """Add a comment."""
        self.next_id += 1
        found = {
            "id": self.next_id,
            "user": {"login": author},
            "body": body,
            "html_url": f"https://github.example/{self.repository}/pull/{number}#c{self.next_id}",
            "number": number,
        }
        self.comments.append(found)
        return found

    def fail(self, method: str, path: str, *replies: Reply) -> None:
        """Answer the next requests whose path contains `path` like this."""
        self.replies += [(method, path, reply) for reply in replies]

    def writes(self) -> list[str]:
        """The methods that changed something, in order; questions to GraphQL do not."""
        return [m for m, path in self.asked if m != "GET" and path != "/graphql"]

    def answer(self, method: str, target: str, body: bytes, token: str) -> Reply:
        parts = urlsplit(target)
        self.asked.append((method, target))
        for entry in self.replies:
            if entry[0] == method and entry[1] in target:
                self.replies.remove(entry)
                if entry[2].done:
                    self._real(method, parts.path, parse_qs(parts.query), body)
                return entry[2]
        if token != f"Bearer {self.token}":
            return Reply(401, {"message": "Bad credentials"})
        return self._real(method, parts.path, parse_qs(parts.query), body)

    def _real(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Reply:
        value = json.loads(body) if body else None
        root = f"/repos/{self.repository}"
        if path == "/graphql":
            return Reply(200, {"data": {"viewer": {"login": self.login}}})
        if path.startswith(f"{root}/issues"):
            return self._issues(method, path, query, value)
        if found := re.fullmatch(rf"{root}/pulls/(\d+)", path):
            pulls = [pull for pull in self.pulls if pull["number"] == int(found[1])]
            return Reply(200, pulls[0]) if pulls else Reply(404, {"message": "Not Found"})
        if path == f"{root}/pulls":
            wanted = query.get("head", [""])[0]
            return self._page(
                [
                    pull
                    for pull in self.pulls
                    if pull["state"] == query.get("state", ["open"])[0]
                    and wanted in ("", f"{pull['head']['user']['login']}:{pull['head']['ref']}")
                ],
                path,
                query,
            )
        if found := re.fullmatch(rf"{root}/git/commits/(\w+)", path):
            if found[1] not in self.commits:
                return Reply(404, {"message": "Not Found"})
            parents = [{"sha": sha} for sha in self.commits[found[1]]]
            return Reply(200, {"sha": found[1], "parents": parents})
        return Reply(404, {"message": "Not Found"})

    def _issues(self, method: str, path: str, query: Mapping[str, list[str]], value: Any) -> Reply:
        root = f"/repos/{self.repository}"
        if found := re.fullmatch(rf"{root}/issues/(\d+)/comments", path):
            number = int(found[1])
            if method == "GET":
                here = [c for c in self.comments if c["number"] == number]
                return self._page(here, path, query)
            return self._checked(value) or Reply(
                201, self.comment(value["body"], self.login, number)
            )
        if found := re.fullmatch(rf"{root}/issues/comments/(\d+)", path):
            here = [c for c in self.comments if c["id"] == int(found[1])]
            if not here:
                return Reply(404, {"message": "Not Found"})
            if method == "DELETE":
                self.comments.remove(here[0])
                return Reply(204)
            refused = self._checked(value)
            if refused is None:
                here[0]["body"] = value["body"]
            return refused or Reply(200, here[0])
        return Reply(404, {"message": "Not Found"})

    def _checked(self, value: Any) -> Reply | None:
        if len(value["body"]) <= self.max_body:
            return None
        message = f"body is too long (maximum is {self.max_body} characters)"
        errors = [{"resource": "IssueComment", "code": "unprocessable", "message": message}]
        return Reply(422, {"message": "Validation Failed", "errors": errors})

    def _page(self, entries: list[Any], path: str, query: Mapping[str, list[str]]) -> Reply:
        size = min(self.per_page, int(query.get("per_page", ["30"])[0]))
        page = int(query.get("page", ["1"])[0])
        rest = entries[page * size :]
        link = f'<{self.url}{path}?per_page={size}&page={page + 1}>; rel="next", <x>; rel="last"'
        here = entries[(page - 1) * size : page * size]
        return Reply(200, here, {"Link": link} if rest else {})


@contextmanager
def github_server(**fields: Any) -> Iterator[FakeGitHub]:
    """A running server and its state."""
    fake = FakeGitHub(**fields)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            token = self.headers.get("Authorization", "")
            reply = fake.answer(self.command, self.path, body, token)
            if fake.after:
                fake.after(self.command, self.path)
            if reply.hangs_up:
                self.close_connection = True
                return
            is_json = not isinstance(reply.body, str)
            content = (json.dumps(reply.body) if is_json else reply.body).encode()
            self.send_response(reply.status)
            kind = "application/json; charset=utf-8" if is_json else "text/html"
            for name, text in {"Content-Type": kind, **reply.headers}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
