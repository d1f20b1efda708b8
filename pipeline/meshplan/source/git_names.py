"""What the user calls a commit, and which commit that is."""

import difflib
import os
import re

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError, UsageError
from meshplan.source.git_command import Answer, complaints, failure
from meshplan.source.git_repository import Repository

_STEPS = re.compile(r"(?:~\d*|\^\d*)+\Z")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{7,64}\Z")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, and the name that the user knows it by."""

    name: str
    id: str


def resolve(repository: Repository, name: str) -> Commit:
    """The commit of a branch, tag, object id, `HEAD~1`, `@{upstream}` or any other name git knows.

    The name can be nothing but a name: neither an option nor a path. Raises UsageError with what
    the user could have meant.
    """
    if not name or "\n" in name or "\0" in name:
        raise UsageError(f"{name!r} is no name of a revision")
    exact = name
    if ":" in name:  # what follows the colon, `:/text` or `A:path`, takes no `^{commit}`
        exact = _verify(repository, name).stdout.decode("ascii").strip() or name
    answer = _verify(repository, f"{exact}^{{commit}}")
    if answer.status == 0:
        return Commit(name, answer.stdout.decode("ascii").strip())
    raise _unresolved(repository, name, answer.stderr)


def merge_base(repository: Repository, one: Commit, other: Commit) -> Commit:
    """Where two histories part; raises UsageError where they have nothing in common."""
    answer = repository.git.attempt("merge-base", one.id, other.id)
    if answer.status == 0:
        found = answer.stdout.decode("ascii").strip()
        return Commit(f"merge base of {one.name} and {other.name}", found)
    if answer.status != 1:
        raise failure("merge-base", answer.stderr)
    if repository.info.is_shallow:
        raise UsageError(
            f"the merge base of {one.name} and {other.name} is not in this shallow clone",
            hint="use `fetch-depth: 0` in actions/checkout, or run `git fetch --unshallow`",
        )
    raise UsageError(
        f"{one.name} and {other.name} have unrelated histories: they share no commit",
        hint=f"compare them as they are with {one.name}..{other.name}",
    )


def _verify(repository: Repository, name: str) -> Answer:
    """The object id of a name, taken as nothing but a name."""
    return repository.git.attempt("rev-parse", "--verify", "--end-of-options", name)


def _unresolved(repository: Repository, name: str, stderr: str) -> MeshplanError:
    said = [line for line in complaints(stderr) if line != "Needed a single revision"]
    stem = _STEPS.sub("", name) or "HEAD"
    exists = _verify(repository, f"{stem}^{{object}}")
    if stem in ("HEAD", "@") and exists.status != 0:
        return _no_commits(repository)
    if said and "dereferences to" in said[0]:
        kind = said[0].rpartition("dereferences to ")[2].removesuffix(" type")
        return UsageError(f"{name} is a {kind}, not a commit")
    if said and "ambiguous" in said[0]:
        return UsageError(f"{name} is ambiguous: several objects begin with it", hint="add digits")
    if repository.info.is_shallow and (stem != name and exists.status == 0):
        return _too_shallow(name)
    if (_OBJECT_ID.match(stem) and exists.status != 0) or _is_missing_object(said):
        return _absent_object(repository, name)
    if said:
        return UsageError(f"cannot tell which commit {name} is: {said[0]}")
    if stem != name and exists.status == 0:
        return UsageError(f"unknown revision {name}: the history of {stem} does not go that far")
    return _unknown(repository, name, stem)


def _no_commits(repository: Repository) -> MeshplanError:
    branch = repository.info.current_branch
    where = f"branch {branch} of this repository" if branch else "this repository"
    listing = repository.git.output("for-each-ref", "--count=1")
    if listing:
        return UsageError(f"{where} has no commit yet", hint="name a revision that has")
    return UsageError(
        "this repository is empty: it has no commit to compare with",
        hint="commit something first, or look at the files alone with `meshplan check`",
    )


def _too_shallow(name: str) -> MeshplanError:
    steps = _STEPS.search(name)
    depth = 1 + sum(
        (int(count or "1") if sign == "~" else 1)
        for sign, count in re.findall(r"([~^])(\d*)", steps.group() if steps else "")
        if count != "0"
    )
    return UsageError(
        f"{name} is not in this shallow clone",
        hint=f"use `fetch-depth: 0`, or at least {depth}, in actions/checkout,"
        f" or run `git fetch --deepen={depth - 1}`",
    )


def _absent_object(repository: Repository, name: str) -> MeshplanError:
    if repository.info.is_shallow:
        return UsageError(
            f"commit {name} is not in this shallow clone",
            hint="use `fetch-depth: 0` in actions/checkout, or run `git fetch --unshallow`",
        )
    return UsageError(
        f"unknown revision {name}: no such commit in this repository",
        hint="fetch it first: git fetch --all --tags",
    )


def _is_missing_object(said: list[str]) -> bool:
    return any("bad object" in line or "could not parse" in line.lower() for line in said)


def _unknown(repository: Repository, name: str, stem: str) -> MeshplanError:
    close = [known + name[len(stem) :] for known in _similar(repository, stem)]
    hints = ["did you mean " + " or ".join(close) + "?"] if close else []
    if repository.info.is_shallow:
        branch = stem.removeprefix("origin/")
        hints.append(
            "this clone is shallow: use `fetch-depth: 0` in actions/checkout, or run"
            f" `git fetch origin {branch}` and compare with origin/{branch}"
        )
    elif not close:
        hints.append("`git branch --all` and `git tag` list what there is")
    return UsageError(f"unknown revision {name}", hint=" ".join(hints))


def _similar(repository: Repository, stem: str) -> list[str]:
    """Up to three branches and tags that the user may have meant; a remote's of that name first."""
    listing = repository.git.output(
        "for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/remotes"
    )
    known: list[str] = []
    for line in os.fsdecode(listing).splitlines():
        short = line.removeprefix("refs/").partition("/")[2]
        if short not in known and not line.endswith("/HEAD"):
            known.append(short)
    remotes = [remote.name for remote in repository.info.remotes]
    exact = [short for short in known if short in [f"{remote}/{stem}" for remote in remotes]]
    if exact:
        return exact[:3]
    close = difflib.get_close_matches(stem, known, n=3, cutoff=0.7)
    if not close and stem in ("main", "master") and repository.info.default_branch:
        return [repository.info.default_branch]
    return close
