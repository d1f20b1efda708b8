"""How much a proof has looked at, so that it ends at the same place on every machine."""

from meshplan.dataclass import dataclass


class WorkSpentError(Exception):
    """More would have to be looked at for the whole proof than may be; the message says so."""


@dataclass(slots=True)
class Meter:
    """Counts work: about one for each thing that is worked out of the state of a mesh."""

    limit: int
    spent: int = 0

    def spend(self, work: int) -> None:
        """Count some work; raises WorkSpentError where that is too much."""
        self.spent += work
        if self.spent > self.limit:
            raise WorkSpentError(f"proving it takes more than {self.limit} steps of work")

    def refill(self) -> None:
        """Begin anew."""
        self.spent = 0
