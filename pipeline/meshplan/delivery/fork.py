"""The pull request of a fork, for the second of two jobs: the one that may write.

The first job runs with what the fork brings along and can only read; what it leaves behind may say
anything. So nothing that it says decides where the comment goes: the number is GitHub's answer to
which pull request has the commit that the run was started for.
"""

from typing import Protocol

from meshplan.delivery.github import PullRequest
from meshplan.delivery.http import DeliveryError
from meshplan.delivery.runner import Runner


class Api(Protocol):
    """What is asked of GitHub."""

    def pull_requests_from(
        self, owner: str, branch: str, commit: str
    ) -> tuple[PullRequest, ...]: ...
    def parents(self, commit: str) -> tuple[str, ...]: ...


def pull_request_of(
    runner: Runner, api: Api, base: str | None, head: str | None
) -> PullRequest | None:
    """The pull request that a result of `base` and `head` is about; None where it has moved on.

    Raises DeliveryError where the result is not about what the run was started for.
    """
    tip = runner.text("workflow_run", "head_sha")
    owner = runner.text("workflow_run", "head_repository", "owner", "login")
    branch = runner.text("workflow_run", "head_branch")
    if runner.event_name != "workflow_run" or not (tip and owner and branch):
        raise DeliveryError(
            "the event is not about a pull request",
            hint="name it with --pull-request, or run on pull_request or workflow_run",
        )
    if runner.text("workflow_run", "event") != "pull_request":
        raise DeliveryError("the run that was waited for was not started by a pull request")
    if head is None or base is None:
        raise DeliveryError("the result does not say which commits it compares")
    parents = api.parents(head) if head != tip else ()
    if head != tip and parents != (base, tip):
        raise DeliveryError(
            f"the result is about {head[:9]}, which is not the merge of {tip[:9]} "
            f"into {base[:9]}: it does not belong to the run that was waited for"
        )
    found = api.pull_requests_from(owner, branch, tip)
    into_base = [pull for pull in found if pull.base_commit == base]
    chosen = into_base or list(found)
    if len(chosen) > 1:
        numbers = ", ".join(str(pull.number) for pull in chosen)
        raise DeliveryError(f"several pull requests have the commit {tip[:9]}: {numbers}")
    return chosen[0] if chosen else None
