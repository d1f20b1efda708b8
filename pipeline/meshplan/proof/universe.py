"""Which texts there are in the parts of a request."""

from collections.abc import Hashable, Iterable

from meshplan.dataclass import dataclass
from meshplan.proof.product import Alphabet

_HEX = "0123456789abcdefABCDEF"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

#: Beyond ASCII; used where nothing nearer is left.
_BEYOND = (0xA1, 0xD7FF)
#: Of header values: what can be seen, and the space.
TEXT: Alphabet = ((0x20, 0x7E), _BEYOND)
#: Of a path without `?` and `#`.
PATH: Alphabet = ((0x21, 0x22), (0x24, 0x3E), (0x40, 0x7E), _BEYOND)
#: Of a value in a query, where `&` and `#` end it.
QUERY: Alphabet = ((0x21, 0x22), (0x24, 0x25), (0x27, 0x7E), _BEYOND)
#: Of a method.
TOKEN: Alphabet = ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A), (0x2D, 0x2D), (0x5F, 0x5F))
#: Of a host, with its port.
HOST: Alphabet = ((0x2D, 0x2E), (0x30, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))


@dataclass(frozen=True, slots=True)
class AnyText:
    """Every text, or every one that is not empty, without a space at its ends.

    The states: nothing was read (``), a space or something else (`x`) last, and the dead end (`!`).
    """

    may_be_empty: bool = True

    @property
    def start(self) -> Hashable:
        """Nothing was read."""
        return ""

    def step(self, state: Hashable, char: str) -> Hashable:
        """See spaces."""
        if char != " " and state != "!":
            return "x"
        return "!" if state in ("", "!") else " "

    def accepts(self, state: Hashable) -> bool:
        """No space at an end."""
        return state == "x" or (state == "" and self.may_be_empty)

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Behind the space, which is the first character of all."""
        del state
        return (0x21,)


@dataclass(frozen=True, slots=True)
class NormalPath:
    """Paths that the normalization of a mesh leaves as they are, which are all that rules see.

    `level` is `pathNormalization`. The states: where the segment began (`/`), in it (`x`), a dot or
    two at its beginning (`.`, `..`), an escape (`%`, `%4`), and the dead end (`!`).
    """

    level: str = "BASE"

    @property
    def start(self) -> Hashable:
        """Nothing was read."""
        return ""

    def step(self, state: Hashable, char: str) -> Hashable:
        """The state after one more character."""
        assert isinstance(state, str)  # noqa: S101
        if state == "":
            return "/" if char == "/" else "!"
        if state == "!" or self.level == "NONE":
            return state
        if char == "\\":
            return "!"
        if state.startswith("%") and char in _HEX:
            return self._escape(state, char)
        if char == "/":
            doubled = state == "/" and "MERGE_SLASHES" in self.level
            return "!" if doubled or state in (".", "..") else "/"
        if char == ".":
            return {"/": ".", ".": ".."}.get(state, "x")
        return "%" if char == "%" else "x"

    def _escape(self, state: str, char: str) -> str:
        if len(state) == 1:
            return f"%{char}"
        code = chr(int(f"{state[1]}{char}", 16))
        slashes = self.level == "DECODE_AND_MERGE_SLASHES" and code in "/\\"
        return "!" if code in _UNRESERVED or code == "\0" or slashes else "x"

    def accepts(self, state: Hashable) -> bool:
        """Not in the middle of what would be taken away."""
        return state not in ("", "!", ".", "..")

    def cuts(self, state: Hashable) -> Iterable[int]:
        """Around all characters that have a meaning."""
        if state == "!":
            return ()
        special = "/.%\\" + (_HEX if str(state).startswith("%") else "")
        return {cut for char in special for cut in (ord(char), ord(char) + 1)}
