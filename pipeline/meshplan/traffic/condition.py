"""Conditions on requests: data that can be looked at, not closures.

Each is decided as Envoy decides it. Truth has three values: None means that it cannot be decided
from what is known of the request, or that the pattern is beyond us.
"""

from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.mesh.virtual_service import MatchKind, StringMatch
from meshplan.traffic.regex import compiled
from meshplan.traffic.request import Request

Truth = bool | None


@dataclass(frozen=True, slots=True)
class Exact:
    """The whole text."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of the text."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Suffix:
    """The end of the text."""

    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Regex:
    """The whole text, by a pattern of RE2."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Present:
    """Any text, as long as there is one."""


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with `*` for one segment and `**` for any number (`uri_template`)."""

    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeparatedPrefix:
    """A path, or one below it: `/a` and `/a/b`, not `/ab`."""

    value: str
    ignore_case: bool = False


TextMatch = Exact | Prefix | Suffix | Regex | Present | PathTemplate | SeparatedPrefix


@dataclass(frozen=True, slots=True)
class PathCondition:
    """On the path without its query."""

    text: TextMatch


@dataclass(frozen=True, slots=True)
class HeaderCondition:
    """On a header; `:method`, `:authority` and `:scheme` are headers too."""

    name: str
    text: TextMatch
    invert: bool = False
    missing_as_empty: bool = False


@dataclass(frozen=True, slots=True)
class QueryCondition:
    """On the first value of a parameter of the query."""

    name: str
    text: TextMatch


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a request may carry a token that is verified."""

    #: header, param or cookie.
    kind: str
    name: str
    prefix: str = ""

    def holds_token(self, request: Request) -> bool:
        """Whether there is one."""
        match self.kind:
            case "header":
                value = request.headers.get(self.name.lower())
                return value is not None and value.startswith(self.prefix)
            case "param":
                return query_value(request.path, self.name) is not None
            case _:
                cookies = request.headers.get("cookie", "")
                return any(part.strip().startswith(f"{self.name}=") for part in cookies.split(";"))


@dataclass(frozen=True, slots=True)
class ClaimCondition:
    """On a claim of a verified token."""

    name: str
    text: TextMatch
    invert: bool = False
    #: Where tokens are looked for; nowhere if none is verified.
    places: tuple[TokenPlace, ...] = ()


Condition = PathCondition | HeaderCondition | QueryCondition | ClaimCondition

#: Every request: the path of a rule without a match.
ANY_PATH = PathCondition(Prefix("/"))


def text_match(match: StringMatch, *, ignore_case: bool = False) -> TextMatch:
    """A StringMatch of Istio; a pattern is never folded."""
    match match.kind:
        case MatchKind.EXACT:
            return Exact(match.value, ignore_case)
        case MatchKind.PREFIX:
            return Prefix(match.value, ignore_case)
        case MatchKind.REGEX:
            return Regex(match.value)
        case MatchKind.PRESENT:
            return Present()
        case _:
            assert_never(match.kind)


def text_holds(match: TextMatch, text: str) -> Truth:
    """Whether a text that is there matches."""
    match match:
        case Exact(value, fold):
            return _folded(text, fold) == _folded(value, fold)
        case Prefix(value, fold):
            return _folded(text, fold).startswith(_folded(value, fold))
        case Suffix(value, fold):
            return _folded(text, fold).endswith(_folded(value, fold))
        case Regex(pattern):
            program = compiled(pattern)
            return None if program is None else program.matches(text)
        case Present():
            return True
        case PathTemplate(segments):
            return _template_holds(segments, text)
        case SeparatedPrefix(value, fold):
            found, wanted = _folded(text, fold), _folded(value, fold)
            return found == wanted or found.startswith(f"{wanted}/")
        case _:
            assert_never(match)


def holds(condition: Condition, request: Request) -> Truth:
    """Whether a request meets a condition."""
    match condition:
        case PathCondition(text):
            return text_holds(text, path_of(request.path))
        case HeaderCondition():
            return _header_holds(condition, request)
        case QueryCondition(name, text):
            value = query_value(request.path, name)
            return False if value is None else text_holds(text, value)
        case ClaimCondition():
            found = any(place.holds_token(request) for place in condition.places)
            return None if found else condition.invert
        case _:
            assert_never(condition)


def described(condition: Condition) -> str:
    """A condition in words, such as `prefix /x` or `header x-v exact 1`."""
    match condition:
        case PathCondition(text):
            return _words(text)
        case HeaderCondition(name, text, invert):
            shown = name.removeprefix(":") if name.startswith(":") else f"header {name}"
            return f"{'no ' if invert else ''}{shown} {_words(text)}".rstrip()
        case QueryCondition(name, text):
            return f"parameter {name} {_words(text)}".rstrip()
        case ClaimCondition(name, text, invert):
            return f"{'no ' if invert else ''}claim {name} {_words(text)}".rstrip()
        case _:
            assert_never(condition)


def _words(match: TextMatch) -> str:
    match match:
        case Exact(value):
            return f"exact {value}"
        case Prefix(value) | SeparatedPrefix(value):
            return f"prefix {value}"
        case Regex(pattern):
            return f"regex {pattern}"
        case Present() | Suffix() | PathTemplate():
            # The latter are in policies alone, whose rules are told by their place.
            return ""
        case _:
            assert_never(match)


def all_hold(conditions: tuple[Condition, ...], request: Request) -> Truth:
    """Whether a request meets all conditions; None only if it depends on one not decided."""
    result: Truth = True
    for condition in conditions:
        truth = holds(condition, request)
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def header_value(request: Request, name: str) -> str | None:
    """The value of a header, or of what Envoy keeps as one."""
    match name.lower():
        case ":method":
            return request.method
        case ":authority" | "host":
            return request.host
        case ":scheme":
            return "https" if request.scheme == "https" else "http"
        case ":path":
            return request.path
        case other:
            return request.headers.get(other)


def path_of(path: str) -> str:
    """A path without query and fragment."""
    end = len(path)
    for char in "?#":
        found = path.find(char)
        if 0 <= found < end:
            end = found
    return path[:end]


def query_value(path: str, name: str) -> str | None:
    """The first value of a parameter, not decoded; None where it is not there."""
    _, mark, query = path.partition("?")
    if not mark:
        return None
    for part in query.partition("#")[0].split("&"):
        key, _, value = part.partition("=")
        if key == name and part:
            return value
    return None


def _header_holds(condition: HeaderCondition, request: Request) -> Truth:
    value = header_value(request, condition.name)
    if value is None and condition.missing_as_empty:
        value = ""
    if value is None:
        # A missing header matches nothing; only the inverse of presence is met by it.
        return condition.invert and isinstance(condition.text, Present)
    truth = text_holds(condition.text, value)
    return truth if truth is None else truth != condition.invert


def _template_holds(segments: tuple[str, ...], path: str) -> bool:
    """A template against the segments of a path; `**` is at most once in one."""
    found = path.split("/")[1:] if path.startswith("/") else None
    if found is None:
        return False
    if "**" not in segments:
        return len(found) == len(segments) and _segments_hold(segments, found)
    at = segments.index("**")
    before, after = segments[:at], segments[at + 1 :]
    end = len(found) - len(after)
    # In the place of `**` there is at least one segment, though it may be an empty one.
    return end > at and _segments_hold(before, found[:at]) and _segments_hold(after, found[end:])


def _segments_hold(segments: tuple[str, ...], found: list[str]) -> bool:
    return all(
        value != "" if segment == "*" else segment == value
        for segment, value in zip(segments, found, strict=True)
    )


def _folded(text: str, fold: bool) -> str:
    return text.lower() if fold else text
