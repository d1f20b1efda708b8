"""What a tree is known to declare, now or in another of its states.

In an open world a host that nobody declares may be declared elsewhere. But a host that the tree
declares before a change, or after it, is the tree's own: in a state without it, it is not there.
"""

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId

#: Group, kind and namespace of those who may refer; of what they may refer to; its name, or "".
Grant = tuple[tuple[str, str, str], tuple[str, str, str], str]


@dataclass(frozen=True, slots=True)
class Known:
    """Hosts whose absence in a state means that they are absent."""

    #: Declared by a Service or ServiceEntry in some state.
    hosts: frozenset[str] = frozenset()
    #: With pods or endpoints in some state.
    populated: frozenset[str] = frozenset()
    #: Secrets that are there in some state, and that nothing but the tree makes.
    secrets: frozenset[ResourceId] = frozenset()
    #: What ReferenceGrants allow in some state.
    granted: frozenset[Grant] = frozenset()

    def __or__(self, other: "Known") -> "Known":
        return Known(
            self.hosts | other.hosts,
            self.populated | other.populated,
            self.secrets | other.secrets,
            self.granted | other.granted,
        )


NOTHING = Known()
