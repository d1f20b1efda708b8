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
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

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

    def joined(self, other: "_Part") -> "_Part":
        return self.sharing(other, names=tuple(sorted({*self.names, *other.names})))

    def sharing(self, other: "_Part", names: tuple[str, ...] = ()) -> "_Part":
        return _Part(
            names or self.names,
            self.folders | other.folders,
            self.disputed | other.disputed,
            self.ids | other.ids,
            self.ties | other.ties,
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
    return _named(_parts(disputed, contents, ""))


def _parts(
    disputed: Mapping[str, Ids], contents: Callable[[str], Contents], folder: str
) -> tuple[_Part, ...]:
    """The parts that a folder is made of, by the rule."""
    children = sorted({_child(folder, path) for path in disputed} - {None, folder})
    found = [
        part
        for child in children
        if child is not None
        for part in _parts(disputed, contents, child)
    ]
    if folder in disputed:
        own = contents(folder)
        part = _Part((folder,), frozenset({folder}), disputed[folder], own.ids, own.ties)
        found.insert(0, part)
    return _settled(folder, found)


def _child(folder: str, path: str) -> str | None:
    """The folder directly in `folder` through which `path` leads; None if it is not below."""
    prefix = f"{folder}/" if folder else ""
    if not path.startswith(prefix) or path == folder:
        return None
    return prefix + path[len(prefix) :].split("/", 1)[0]


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
            variants[index] = variants[index].sharing(component)
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
            variants[index] = variants[index].joined(part)
        else:
            variants.append(part)
    return variants


def _alike(one: _Part, other: _Part) -> bool:
    """Whether two variants are much the same, as environments are and examples are not."""
    return 2 * len(one.ids & other.ids) >= min(len(one.ids), len(other.ids))


def _same_name(one: _Part, other: _Part) -> bool:
    return posixpath.basename(one.path) == posixpath.basename(other.path)


def _components(parts: Sequence[_Part]) -> list[_Part]:
    """Parts that are tied, directly or through others, as one."""
    components: list[_Part] = []
    for part in parts:
        tied = [found for found in components if found.ties & part.ties]
        components = [found for found in components if not found.ties & part.ties]
        components.append(reduce(lambda one, other: one.joined(other), tied, part))
    return components


def _merged(folder: str, parts: Sequence[_Part]) -> _Part:
    """Parts that do not contradict each other, under the name of the folder they are in."""
    if len(parts) == 1 and len(parts[0].folders) == 1:
        return parts[0]
    whole = reduce(lambda one, other: one.sharing(other), parts)
    return _Part((folder,), whole.folders, whole.disputed, whole.ids, whole.ties)


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
