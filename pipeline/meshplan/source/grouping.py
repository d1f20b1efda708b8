"""Which folders of plain manifests go into one cluster, as far as folders can tell.

A repository without further hints is one target. Only where two folders define one object at one
revision, and not with the same content, they cannot both be meant for one cluster: they are
*variants* (environments, overlays, examples). The rule, applied in every folder from the
innermost outwards to its *parts*, which are its own files and whatever was made of the folders
in it:

1. Parts that do not contradict each other so are one part.
2. Parts that contradict another part are variants and stay apart. A variant joins an earlier one,
   the first in order of path, if the two do not contradict each other and either have the same
   folder name (`a/prod`, `b/prod`) or are tied.
3. The other parts are shared. What is tied to a variant, directly or through another shared part,
   goes into the first variant that it is tied to, and into each further one that is alike: that
   has half of its objects, or of the first one's, in common with the first, as environments do.
   The rest is one part of its own.
4. If only one variant has shared parts tied to it, it is no variant but part of that rest: the
   others are.

Two parts are tied if their mesh objects name the same host or gateway, because an order between
a DestinationRule and a VirtualService can only be found inside one target. Two files of one
folder never split it: the same object in both is a finding.
"""

import posixpath
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence

from meshplan.dataclass import dataclass
from meshplan.source.tree import ancestors

#: Objects, each at one revision.
Ids = frozenset[Hashable]
#: Hosts and gateways that the objects of a folder name.
Ties = frozenset[str]

ROOT = "."


@dataclass(frozen=True, slots=True)
class Group:
    """Folders that belong to one target; a shared folder is in several groups."""

    name: str
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    #: The folders after which the part is named: not those that it shares with other parts.
    names: tuple[str, ...]
    folders: frozenset[str]
    #: Those objects that another folder defines otherwise.
    disputed: Ids
    ids: Ids
    ties: Ties

    @property
    def path(self) -> str:
        return self.names[0]


def _union(parts: Sequence[_Part], names: Collection[str]) -> _Part:
    """Parts as one, under these names."""
    return _Part(
        tuple(sorted(names)),
        frozenset().union(*(part.folders for part in parts)),
        frozenset().union(*(part.disputed for part in parts)),
        frozenset().union(*(part.ids for part in parts)),
        frozenset().union(*(part.ties for part in parts)),
    )


@dataclass(frozen=True, slots=True)
class Contents:
    """What the files of one folder hold, asked for only where folders contradict each other."""

    ids: Ids
    ties: Ties


def group_folders(
    disputed: Mapping[str, Ids], contents: Callable[[str], Contents]
) -> tuple[Group, ...]:
    """The groups of folders that the rule above gives, sorted by name.

    `disputed` has every folder with files of its own, and which of their objects another folder
    defines otherwise at the same revision.
    """
    if not disputed:
        return ()
    if not any(disputed.values()):
        return (Group(ROOT, tuple(sorted(disputed))),)
    return _named(_parts(disputed, contents))


def _parts(disputed: Mapping[str, Ids], contents: Callable[[str], Contents]) -> tuple[_Part, ...]:
    """The parts that the root is made of, by the rule: from the innermost folders outwards."""
    waiting: dict[str, list[_Part]] = {
        folder: [] for path in disputed for folder in ancestors(path)
    }
    for folder in sorted(waiting, key=lambda folder: (-len(folder), folder)):
        found = waiting.pop(folder)
        if folder in disputed:
            own = contents(folder)
            part = _Part((folder,), frozenset({folder}), disputed[folder], own.ids, own.ties)
            found.append(part)
        parts = _settled(folder, sorted(found, key=lambda part: part.names))
        if not folder:
            return parts
        waiting[posixpath.dirname(folder)].extend(parts)
    return ()


def _settled(folder: str, parts: Sequence[_Part]) -> tuple[_Part, ...]:
    """The parts of one folder after the rule has been applied to them."""
    counts = Counter(found for part in parts for found in part.disputed)
    colliding = [part for part in parts if any(counts[found] > 1 for found in part.disputed)]
    shared = [part for part in parts if part not in colliding]
    if not colliding:
        return (_merged(folder, shared),) if shared else ()
    variants = _variants(colliding)
    plain = tuple(variants)
    rest: list[_Part] = []
    taken: set[int] = set()
    for component in _components(shared):
        tied = [index for index, found in enumerate(variants) if found.ties & component.ties]
        takers = [i for i in tied if i == tied[0] or _alike(plain[i], plain[tied[0]])]
        for index in takers:
            variants[index] = _union((variants[index], component), variants[index].names)
        taken.update(takers)
        if not takers:
            rest.append(component)
    if len(taken) == 1:
        rest.append(variants.pop(taken.pop()))
    return (*variants, *([_merged(folder, rest)] if rest else ()))


def _variants(colliding: Sequence[_Part]) -> list[_Part]:
    variants: list[_Part] = []
    for part in sorted(colliding, key=lambda part: part.names):
        fitting = [
            (not _same_name(found, part), index)
            for index, found in enumerate(variants)
            if not found.disputed & part.disputed
            and (_same_name(found, part) or found.ties & part.ties)
        ]
        if fitting:
            _, index = min(fitting)
            both = (variants[index], part)
            variants[index] = _union(both, {*both[0].names, *part.names})
        else:
            variants.append(part)
    return variants


def _alike(one: _Part, other: _Part) -> bool:
    """Whether two variants are much the same, as environments are and examples are not."""
    return 2 * len(one.ids & other.ids) >= min(len(one.ids), len(other.ids))


def _same_name(one: _Part, other: _Part) -> bool:
    return posixpath.basename(one.path) == posixpath.basename(other.path)


def _components(parts: Sequence[_Part]) -> list[_Part]:
    """Parts that are tied, directly or through others, as one, in the order of their first."""
    leader = list(range(len(parts)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    first: dict[str, int] = {}
    for index, part in enumerate(parts):
        for tie in part.ties:
            one, other = sorted((find(first.setdefault(tie, index)), find(index)))
            leader[other] = one
    members: dict[int, list[_Part]] = {}
    for index, part in enumerate(parts):
        members.setdefault(find(index), []).append(part)
    return [
        _union(found, {name for part in found for name in part.names})
        if len(found) > 1
        else found[0]
        for found in members.values()
    ]


def _merged(folder: str, parts: Sequence[_Part]) -> _Part:
    """Parts that do not contradict each other, under the name of the folder they are in."""
    if len(parts) == 1 and len(parts[0].folders) == 1:
        return parts[0]
    return _union(parts, (folder,))


def _named(parts: Sequence[_Part]) -> tuple[Group, ...]:
    """Groups with names that are unique."""
    groups: dict[str, Group] = {}
    for part in sorted(parts, key=lambda part: part.names):
        name = _name(part.names)
        if name in groups:
            name = ", ".join(found or ROOT for found in part.names)
        groups[name] = Group(name, tuple(sorted(part.folders)))
    return tuple(groups[name] for name in sorted(groups))


def _name(names: tuple[str, ...]) -> str:
    """One folder by its path, `a/prod` and `b/prod` as `*/prod`, others as the first and more."""
    if len(names) == 1:
        return names[0] or ROOT
    last = {posixpath.basename(name) for name in names}
    if len(last) == 1:
        common = posixpath.commonpath(names)
        return "/".join(part for part in (common, "*", *last) if part)
    return f"{names[0] or ROOT} (+{len(names) - 1})"
