"""What proxies do to paths: normalization, rewrites, the location of a redirect."""

from meshplan.traffic.condition import (
    Exact,
    PathCondition,
    Prefix,
    SeparatedPrefix,
    path_of,
)
from meshplan.traffic.outcome import Failed
from meshplan.traffic.regex import compiled
from meshplan.traffic.request import Request, port_start
from meshplan.traffic.table import Rewrite, Route, SendElsewhere

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalized(path: str, level: str) -> str | None:
    """A path as the proxy reads it; None for one that it refuses (`refusal`).

    `level` is `pathNormalization` of the mesh: BASE resolves `.` and `..` and turns `\\` into `/`,
    the others merge slashes as well (Envoy's `normalize_path`, `merge_slashes`).
    """
    if not path.startswith("/"):
        return None
    if level == "NONE":
        return path
    pure = path_of(path)
    rest = path[len(pure) :]
    if level == "DECODE_AND_MERGE_SLASHES":
        for code in ("%2f", "%2F", "%5c", "%5C"):
            pure = pure.replace(code, "/")
    decoded = _decoded(pure.replace("\\", "/"))
    if decoded is None:
        return None
    segments: list[str] = []
    parts = decoded.split("/")[1:]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "..":
            segments = segments[:-1]
        if part in (".", ".."):
            if last:
                segments.append("")
        else:
            segments.append(part)
    joined = "/" + "/".join(segments)
    if level in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"):
        while "//" in joined:
            joined = joined.replace("//", "/")
    return joined + rest


def refusal(path: str) -> Failed:
    """What the proxy says to a path that it refuses: only those that begin with `/` are read."""
    if path.startswith("/"):
        return Failed(400, "-", "path_normalization_failed")
    return Failed(404, "-", "absolute_path_rejected")


def rewritten(path: str, rewrite: Rewrite, route: Route) -> str | None:
    """The path that the backend sees; None where it cannot be told."""
    pure = path_of(path)
    rest = path[len(pure) :]
    if rewrite.regex is not None:
        program = compiled(rewrite.regex[0])
        return None if program is None else program.replace_all(pure, rewrite.regex[1]) + rest
    if rewrite.prefix is None:
        return path
    return rewrite.prefix + pure[_matched(route, pure) :] + rest


def location(action: SendElsewhere, route: Route, request: Request) -> str:
    """Where a redirect leads (Envoy's `newUri`)."""
    scheme = action.scheme or ("https" if request.scheme == "https" else "http")
    host = action.authority or _host(request, action, scheme)
    port = f":{action.port}" if action.port else ""
    return f"{scheme}://{host}{port}{_location_path(action, route, request)}"


def _location_path(action: SendElsewhere, route: Route, request: Request) -> str:
    pure = path_of(request.path)
    query = request.path[len(pure) :].partition("#")[0]
    if action.path:
        # A query of the redirect takes the place of that of the request.
        return action.path if "?" in action.path else action.path + query
    if action.prefix is not None:
        return action.prefix + pure[_matched(route, pure) :] + query
    return pure + query


def _host(request: Request, action: SendElsewhere, scheme: str) -> str:
    """The host of the request; its port stays unless it is replaced or was the scheme's own."""
    start = port_start(request.host)
    port = request.host[start:]
    own = "https" if request.scheme == "https" else "http"
    default = {"http": ":80", "https": ":443"}
    dropped = action.port or (scheme != own and port == default[own])
    return request.host[:start] if dropped else request.host


def _matched(route: Route, path: str) -> int:
    """How much of the path the route matched; all of it unless that was a prefix."""
    for condition in route.conditions:
        if isinstance(condition, PathCondition):
            match condition.text:
                case Prefix(value) | SeparatedPrefix(value):
                    return len(value)
                case Exact():
                    return len(path)
                case _:
                    return len(path)
    return len(path)


def _decoded(path: str) -> str | None:
    """Escapes of characters that need none are undone; a null byte is refused."""
    out: list[str] = []
    index = 0
    while index < len(path):
        char = path[index]
        code = path[index + 1 : index + 3]
        if char == "%" and len(code) == 2 and all(c in "0123456789abcdefABCDEF" for c in code):
            found = chr(int(code, 16))
            if found == "\0":
                return None
            out.append(found if found in _UNRESERVED else path[index : index + 3])
            index += 3
            continue
        out.append(char)
        index += 1
    return "".join(out)
