"""An independent checker of plans: it shares no code with the planner and the prover."""

from meshplan.verify.check import verify
from meshplan.verify.verdict import Limits, Verification

__all__ = ["Limits", "Verification", "verify"]
