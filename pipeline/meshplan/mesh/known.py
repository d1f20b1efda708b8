"""What a tree is known to declare, now or in another of its states.

In an open world a host that nobody declares may be declared elsewhere. But a host that the tree
declares before a change, or after it, is the tree's own: in a state without it, it is not there.
"""

from meshplan.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Hosts whose absence in a state means that they are absent."""

    #: Declared by a Service or ServiceEntry in some state.
    hosts: frozenset[str] = frozenset()
    #: With pods or endpoints in some state.
    populated: frozenset[str] = frozenset()

    def __or__(self, other: "Known") -> "Known":
        return Known(self.hosts | other.hosts, self.populated | other.populated)


NOTHING = Known()
