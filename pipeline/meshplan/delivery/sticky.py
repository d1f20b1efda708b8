"""One comment on a pull request, kept up to date: created, updated, resolved or left alone.

A comment is ours if it begins with our marker *and* was written by whoever the token belongs to:
anybody can quote a marker. The marker says which run wrote the comment, so that an older run never
overwrites what a newer one has to say.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, Self

from meshplan.dataclass import dataclass
from meshplan.delivery.budget import COMMENT_BYTES, fitted, size
from meshplan.delivery.github import Comment, ForbiddenError, GoneError, PullRequest, TooLongError
from meshplan.delivery.http import DeliveryError, UncertainError

_MARKER = re.compile(
    r"<!-- meshplan v1 id=([A-Za-z0-9._-]{1,64}) run=(\d{1,20}) attempt=(\d{1,6})"
    r" digest=([0-9a-f]{16}) -->\n"
)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
#: How often a comment that comes and goes is written.
_TRIES = 3


class Api(Protocol):
    """What is asked of GitHub."""

    def pull_request(self, number: int) -> PullRequest: ...
    def comments(self, number: int) -> Iterable[Comment]: ...
    def create(self, number: int, body: str) -> Comment: ...
    def update(self, comment: int, body: str) -> Comment: ...
    def delete(self, comment: int) -> None: ...
    def viewer(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Marker:
    """The first line of our comment, which nobody sees."""

    id: str
    run: int
    attempt: int
    digest: str = ""

    def over(self, body: str) -> str:
        """The comment: marker and body."""
        digest = hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:16]
        return (
            f"<!-- meshplan v1 id={self.id} run={self.run} attempt={self.attempt}"
            f" digest={digest} -->\n{body}"
        )

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker that a comment begins with; None if it begins with anything else."""
        found = _MARKER.match(body.replace("\r\n", "\n"))
        return cls(found[1], int(found[2]), int(found[3]), found[4]) if found else None


class Mode(StrEnum):
    """When there is a comment."""

    #: When there is something to say, or there was.
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said."""

    #: Markdown of any length.
    body: str
    #: Whether anything changes or is wrong; otherwise a comment that is there is put right.
    matters: bool
    #: The commit of the pull request's head that it is about; "" where that is not known.
    commit: str = ""
    #: Where the whole of it can be read, as a line of Markdown.
    rest: str = "*This is not all: the summary of the job has the rest.*"


class Done(StrEnum):
    """What became of the comment."""

    CREATED = "created"
    UPDATED = "updated"
    RESOLVED = "resolved"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the comment, and why it was left alone."""

    done: Done
    why: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"comment {self.done}" + (f": {self.why}" if self.why else "")


def marker(name: str, run: int, attempt: int) -> Marker:
    """The marker of a run. Raises DeliveryError for a name that could end the marker."""
    if not _NAME.match(name):
        raise DeliveryError(
            f"{name!r} is no name for a comment", hint="letters, digits, dots, hyphens; 64 at most"
        )
    return Marker(name, run, attempt)


def stick(api: Api, number: int, mine: Marker, note: Note, mode: Mode = Mode.AUTO) -> Outcome:
    """Make the one comment of this name say what is to be said.

    Raises DeliveryError where GitHub cannot be reached or refuses.
    """
    if mode is Mode.NEVER:
        return Outcome(Done.LEFT, "comments are switched off")
    pull = api.pull_request(number)
    if not pull.is_open:
        return Outcome(Done.LEFT, f"pull request {number} is closed")
    if note.commit and note.commit != pull.head_commit:
        return Outcome(Done.LEFT, f"pull request {number} has moved on to {pull.head_commit[:9]}")
    for attempt in range(_TRIES):
        ours = _ours(api, number, mine)
        last = attempt == _TRIES - 1
        try:
            return _written(api, number, mine, note, mode, ours)
        except UncertainError:
            # It may be there: look before writing again.
            if last:
                raise
        except GoneError:
            if last or not ours:
                raise
        except ForbiddenError as error:
            if pull.is_locked:
                raise ForbiddenError(
                    f"the conversation of pull request {number} is locked, so there is no comment"
                ) from error
            raise
    raise AssertionError("the last attempt returns or raises")


def _written(
    api: Api, number: int, mine: Marker, note: Note, mode: Mode, ours: Sequence[Comment]
) -> Outcome:
    if not ours:
        if not note.matters and mode is Mode.AUTO:
            return Outcome(Done.LEFT, "there is nothing to say")
        made = _shorter(note, mine, lambda body: api.create(number, body))
        return Outcome(Done.CREATED, url=made.url)
    current, *copies = sorted(ours, key=_age, reverse=True)
    before = _marker_of(current)
    for copy in copies:
        api.delete(copy.id)
    if (before.run, before.attempt) > (mine.run, mine.attempt):
        return Outcome(Done.LEFT, f"run {before.run} is newer than this one", current.url)
    same = mine.over(fitted(note.body, COMMENT_BYTES, note.rest))
    if _same(current.body, same):
        return Outcome(Done.LEFT, "it says the same already", current.url)
    made = _shorter(note, mine, lambda body: api.update(current.id, body))
    return Outcome(Done.UPDATED if note.matters else Done.RESOLVED, url=made.url or current.url)


def _ours(api: Api, number: int, mine: Marker) -> list[Comment]:
    """Comments of this name that whoever has the token wrote."""
    named = [
        comment
        for comment in api.comments(number)
        if (found := Marker.of(comment.body)) is not None and found.id == mine.id
    ]
    if not named:
        return []
    author = api.viewer()
    return [comment for comment in named if comment.author == author]


def _marker_of(comment: Comment) -> Marker:
    """The marker of a comment that is known to have one."""
    return Marker.of(comment.body) or Marker("", 0, 0)


def _age(comment: Comment) -> tuple[int, int, int]:
    """By the run that wrote it last; of equals the first comment is kept."""
    found = _marker_of(comment)
    return found.run, found.attempt, -comment.id


def _same(body: str, wanted: str) -> bool:
    """Whether two comments read the same, whatever run wrote them."""
    return _text(body).rstrip() == _text(wanted).rstrip()


def _text(body: str) -> str:
    return _MARKER.sub("", body.replace("\r\n", "\n"), count=1)


class _Write(Protocol):
    def __call__(self, body: str, /) -> Comment: ...


def _shorter(note: Note, mine: Marker, write: _Write) -> Comment:
    """Write the comment, with less of it each time that it is too long for the server."""
    limit = COMMENT_BYTES
    while True:
        body = fitted(note.body, limit, note.rest)
        try:
            return write(mine.over(body))
        except TooLongError:
            limit = min(limit, size(body)) // 2
            if limit < size(note.rest) + 2:
                raise
