"""Symbolic links, followed only inside the tree that they are in."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from meshplan.dataclass import dataclass
from meshplan.source.revision import Entry, EntryKind, Revision

#: As Linux counts (ELOOP).
_MAX_HOPS = 40
#: Links to folders full of links to folders multiply; no repository needs so many paths.
_MAX_PATHS = 100_000
_MAX_TARGET = 4096


@dataclass(frozen=True, slots=True)
class ResolvedLinks:
    """What the symbolic links of a revision lead to."""

    #: The files behind links, under the paths that lead through the links; `Entry.real` says where
    #: a file is. A link to a folder brings everything below it.
    entries: Mapping[str, Entry]
    #: Links that are not followed, with the reason.
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str


def resolve_symlinks(revision: Revision) -> ResolvedLinks:
    """Follow all symbolic links of a revision, as the kernel would, but never out of the tree.

    Absolute links, links that leave the tree, dangling ones and loops are refused.
    """
    links = [entry for entry in revision.entries.values() if entry.kind is EntryKind.SYMLINK]
    targets = {entry.path: text for entry, text in revision.read(links)}
    named = {path: text.decode("utf-8", "surrogateescape") for path, text in targets.items()}
    walk = _Walk(revision.entries, tuple(revision.entries), named)
    entries: dict[str, Entry] = {}
    refused: dict[str, str] = {}
    for link in links:
        for path, found in walk.below(link.path, link.path, ()):
            if len(entries) + len(refused) >= _MAX_PATHS:
                refused[link.path] = f"symbolic links lead to more than {_MAX_PATHS:,} paths"
                break
            if isinstance(found, _Refusal):
                refused[path] = found.reason
            else:
                entries[path] = found
    return ResolvedLinks(dict(sorted(entries.items())), dict(sorted(refused.items())))


@dataclass(frozen=True, slots=True)
class _Walk:
    entries: Mapping[str, Entry]
    #: The keys of `entries`, sorted, to find what is below a folder.
    paths: Sequence[str]
    named: Mapping[str, str]

    def below(
        self, link: str, shown: str, above: tuple[str, ...]
    ) -> Iterator[tuple[str, Entry | _Refusal]]:
        """The files that a link at `link`, shown as `shown`, stands for."""
        real = self.follow(link)
        if isinstance(real, _Refusal):
            yield shown, real
        elif real in self.entries:
            yield shown, replace(self.entries[real], path=shown, real=real)
        elif real in above or f"{link}/".startswith(f"{real}/" if real else ""):
            yield shown, _Refusal("a symbolic link to a folder that it is in")
        elif len(above) >= _MAX_HOPS:
            yield shown, _Refusal(f"behind more than {_MAX_HOPS} symbolic links to folders")
        else:
            yield from self._folder(real, shown, (*above, real))

    def _folder(
        self, folder: str, shown: str, above: tuple[str, ...]
    ) -> Iterator[tuple[str, Entry | _Refusal]]:
        for path in self._under(folder):
            name = shown + path[len(folder) :]
            entry = self.entries[path]
            if entry.kind is EntryKind.FILE:
                yield name, replace(entry, path=name, real=path)
            elif entry.kind is EntryKind.SYMLINK:
                yield from self.below(path, name, above)

    def follow(self, link: str) -> str | _Refusal:
        """The path of the file or folder that a link leads to in the end; "" for the top."""
        done: list[str] = []
        ahead = link.split("/")[::-1]
        hops = 0
        while ahead:
            step = ahead.pop()
            if step in ("", "."):
                continue
            if step == "..":
                if not done:
                    return _Refusal("a symbolic link that leads out of the repository")
                done.pop()
                continue
            done.append(step)
            path = "/".join(done)
            entry = self.entries.get(path)
            if entry is None and not self._is_folder(path):
                return _Refusal(f"a symbolic link to {path}, which is not there")
            if entry is not None and entry.kind is EntryKind.SUBMODULE:
                return _Refusal(f"a symbolic link into the submodule {path}")
            if entry is not None and entry.kind is EntryKind.FILE and ahead:
                return _Refusal(f"a symbolic link through {path}, which is no folder")
            if entry is not None and entry.kind is EntryKind.SYMLINK:
                hops += 1
                target = self.named.get(path)
                if target is None:
                    return _Refusal("a symbolic link that cannot be read")
                if target.startswith("/"):
                    return _Refusal("a symbolic link to an absolute path")
                if len(target) > _MAX_TARGET:
                    return _Refusal("a symbolic link with a target too long for any file system")
                if hops > _MAX_HOPS:
                    return _Refusal("a symbolic link that leads back to itself")
                done.pop()
                ahead.extend(target.split("/")[::-1])
        return "/".join(done)

    def _is_folder(self, path: str) -> bool:
        start = bisect_left(self.paths, f"{path}/")
        return start < len(self.paths) and self.paths[start].startswith(f"{path}/")

    def _under(self, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        for index in range(bisect_left(self.paths, prefix), len(self.paths)):
            if not self.paths[index].startswith(prefix):
                return
            yield self.paths[index]
