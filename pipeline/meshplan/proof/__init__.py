"""Proofs of plans: no request is lost, misled or let in on the way, whatever a proxy sees when."""

from typing import TYPE_CHECKING, Any

from meshplan.proof.meter import WorkSpentError
from meshplan.proof.types import (
    Budget,
    Client,
    Counterexample,
    Invariant,
    Lost,
    Proof,
    RequestClass,
    Undecided,
)

if TYPE_CHECKING:
    from meshplan.proof.prove import Prover

__all__ = [
    "Budget",
    "Client",
    "Counterexample",
    "Invariant",
    "Lost",
    "Proof",
    "Prover",
    "RequestClass",
    "Undecided",
    "WorkSpentError",
]


def __getattr__(name: str) -> Any:
    # Late: results are made of the types above, also where nothing is proven.
    if name != "Prover":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from meshplan.proof.prove import Prover as Found  # noqa: PLC0415

    return Found
