"""An independent checker of plans: it shares no code with the planner and the prover."""

from meshplan.verify.check import Limits, Verification, verify

__all__ = ["Limits", "Verification", "verify"]
