"""Proofs of plans: no request is lost, misled or let in on the way, whatever a proxy sees when."""

from meshplan.proof.meter import WorkSpentError
from meshplan.proof.prove import Prover, prove
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
    "prove",
]
