"""GitHub's REST API as far as a comment needs it, with its refusals in words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from meshplan.dataclass import dataclass
from meshplan.delivery.http import Answer, DeliveryError, Http

VERSION = "2022-11-28"
#: Comments of one pull request that are looked at: a hundred pages.
MAX_PAGES = 100
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="next"')
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+\Z")
#: Who writes with the token that every workflow has.
WORKFLOW_BOT = "github-actions[bot]"


class ForbiddenError(DeliveryError):
    """The token is good, and may not do this."""


class TooLongError(DeliveryError):
    """GitHub does not take a text of this length."""


class GoneError(DeliveryError):
    """What was to be changed is not there, or not to be seen."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request, as far as it decides whether to comment."""

    number: int
    is_open: bool
    is_locked: bool
    head_commit: str
    base_commit: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request."""

    id: int
    author: str
    body: str
    url: str


class GitHub:
    """One repository at GitHub, or at a server that speaks as it does."""

    def __init__(self, http: Http, repository: str, graphql: str = ""):
        if not _REPOSITORY.match(repository):
            raise DeliveryError(f"{repository!r} is no repository", hint="as in owner/name")
        self._http = http
        self._root = f"repos/{repository}"
        self._graphql = graphql or f"{http.base.rstrip('/').removesuffix('/v3')}/graphql"
        self.repository = repository

    @classmethod
    def connect(cls, http: Http, token: str, repository: str, graphql: str = "") -> "GitHub":
        """With the headers that GitHub wants. Raises DeliveryError where there is no token."""
        if not token:
            raise DeliveryError(
                "there is no token, so nothing can be written at GitHub",
                hint="hand over GITHUB_TOKEN with the permission `pull-requests: write`",
            )
        http.headers = {
            **http.headers,
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": VERSION,
        }
        return cls(http, repository, graphql)

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of that number."""
        return _pull_request(self._get(f"{self._root}/pulls/{number}", f"pull request {number}"))

    def pull_requests_from(self, owner: str, branch: str, commit: str) -> tuple[PullRequest, ...]:
        """The open pull requests whose head is that commit, of that branch of `owner`."""
        query = urlencode({"state": "open", "head": f"{owner}:{branch}", "per_page": 100})
        pages = self._pages(f"{self._root}/pulls?{query}", "the pull requests")
        found = (_pull_request(entry) for entry in pages)
        return tuple(one for one in found if one.head_commit == commit)

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit."""
        value = self._get(f"{self._root}/git/commits/{quote(commit, safe='')}", f"commit {commit}")
        parents = value.get("parents") if isinstance(value, dict) else None
        return tuple(str(p["sha"]) for p in parents or () if isinstance(p, dict) and "sha" in p)

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a pull request, the oldest first."""
        path = f"{self._root}/issues/{number}/comments?per_page=100"
        for entry in self._pages(path, f"the comments of pull request {number}"):
            yield _comment(entry)

    def create(self, number: int, body: str) -> Comment:
        """A new comment."""
        answer = self._http.send("POST", f"{self._root}/issues/{number}/comments", {"body": body})
        return _comment(_expected(answer, f"a comment on pull request {number}"))

    def update(self, comment: int, body: str) -> Comment:
        """Another text for a comment."""
        path = f"{self._root}/issues/comments/{comment}"
        return _comment(_expected(self._http.send("PATCH", path, {"body": body}), "the comment"))

    def delete(self, comment: int) -> None:
        """Remove a comment; one that is gone already is no error."""
        answer = self._http.send("DELETE", f"{self._root}/issues/comments/{comment}")
        if answer.status not in (404, 410) and not answer.ok:
            _refused(answer, "the comment")

    def viewer(self) -> str:
        """Whose token it is; that of a workflow may only be asked this way."""
        answer = self._http.send("POST", self._graphql, {"query": "query{viewer{login}}"})
        try:
            login = answer.json()["data"]["viewer"]["login"]
        except (DeliveryError, KeyError, TypeError):
            return WORKFLOW_BOT
        return login if isinstance(login, str) and login else WORKFLOW_BOT

    def _get(self, path: str, what: str) -> Any:
        return _expected(self._http.send("GET", path), what)

    def _pages(self, path: str, what: str) -> Iterator[Any]:
        for _ in range(MAX_PAGES):
            answer = self._http.send("GET", path)
            entries = _expected(answer, what)
            if not isinstance(entries, list):
                raise DeliveryError(f"GitHub lists {what} in a form that is not known")
            yield from entries
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            path = following[1]


def _pull_request(value: Any) -> PullRequest:
    try:
        return PullRequest(
            number=int(value["number"]),
            is_open=value["state"] == "open",
            is_locked=bool(value.get("locked")),
            head_commit=str(value["head"]["sha"]),
            base_commit=str(value["base"]["sha"]),
        )
    except (KeyError, TypeError, ValueError):
        raise DeliveryError("GitHub describes a pull request in a form that is not known") from None


def _comment(value: Any) -> Comment:
    try:
        user: Mapping[str, Any] = value.get("user") or {}
        return Comment(
            int(value["id"]),
            str(user.get("login") or ""),
            str(value.get("body") or ""),
            str(value.get("html_url") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DeliveryError("GitHub describes a comment in a form that is not known") from None


def _expected(answer: Answer, what: str) -> Any:
    if not answer.ok:
        _refused(answer, what)
    return answer.json()


def _refused(answer: Answer, what: str) -> NoReturn:
    """The refusal as an error with a next step."""
    said = f": {answer.message}" if answer.message else ""
    match answer.status:
        case 401:
            raise ForbiddenError(
                f"GitHub does not accept the token{said}", hint="it may have expired"
            )
        case 403 if "rate limit" in answer.message.lower():
            raise DeliveryError(
                f"GitHub's rate limit is used up{said}", hint="run the job again later"
            )
        case 403:
            raise ForbiddenError(
                f"the token may not write {what}{said}",
                hint="the job needs `permissions: pull-requests: write`; the token of a pull "
                "request from a fork never has it: see docs/how-to/github-action.md",
            )
        case 404 | 410:
            raise GoneError(f"{what} is not there, or the token may not see it{said}")
        case 413:
            raise TooLongError(f"{what} is too long")
        case 422 if _is_about_length(answer):
            raise TooLongError(f"{what} is too long{said}")
        case 429:
            raise DeliveryError(f"GitHub's rate limit is used up{said}")
        case _:
            raise DeliveryError(f"GitHub refuses {what} with status {answer.status}{said}")


def _is_about_length(answer: Answer) -> bool:
    return b"too long" in answer.body.lower() or b"maximum is" in answer.body.lower()
