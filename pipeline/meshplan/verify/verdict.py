"""What the checker found, and how much it looked at."""

from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.verify.replay import Stage
from meshplan.verify.views import Fate


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is looked at; beyond, the checker says that it could not confirm."""

    requests: int = 500_000
    #: Requests of one client for one host and port.
    product: int = 20_000
    #: Writes of one stage that one of the three looks at a request can tell from none.
    writes: int = 8
    refutations: int = 20
    #: Up to so many objects it is not worth leaving any out.
    small: int = 60


@dataclass(frozen=True, slots=True)
class Verification:
    """What the checker found."""

    refutations: tuple[str, ...] = ()
    #: What could not be looked at, in words; a plan with gaps is not confirmed.
    gaps: tuple[str, ...] = ()
    requests: int = 0
    views: int = 0

    @property
    def verdict(self) -> str:
        """confirmed, refuted or unknown."""
        if self.refutations:
            return "refuted"
        return "unknown" if self.gaps else "confirmed"


@dataclass(frozen=True, slots=True)
class Break:
    """A request that fares as it must not, or of which that is not known."""

    stage: Stage
    invariant: str
    visible: tuple[ResourceId, ...]
    #: Before, on the way, after.
    fate: tuple[Fate, Fate, Fate]


@dataclass
class Report:
    """What has been found so far, and how much has been looked at."""

    limits: Limits
    refutations: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    requests: int = 0
    views: int = 0

    @property
    def is_full(self) -> bool:
        """Whether more would help nobody."""
        return len(self.refutations) >= self.limits.refutations

    def allows(self, count: int, what: str) -> bool:
        """Whether there may be so many requests more; if not, that is a gap."""
        limits = self.limits
        if count <= limits.product and self.requests + count <= limits.requests:
            return True
        self.gaps.append(f"there are too many requests for {what}: {count} at once")
        return False

    def take(self, found: Break, asked: str) -> None:
        """Take down what is wrong with a request."""
        before, during, after = found.fate
        sentence = (
            f"wave {found.stage.wave + 1}, "
            f"with {', '.join(map(str, found.visible)) or 'nothing'} in force: "
            f"{asked} is {during.text} "
            f"(before: {before.text}, after: {after.text}) [{found.invariant}]"
        )
        (self.gaps if found.invariant == "unknown" else self.refutations).append(sentence)
