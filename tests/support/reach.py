"""Which lines of the traffic model run while it is asked about recorded and real proxies.

    PYTHONPATH=tests:bench python tests/support/reach.py

prints what does not run. It has to be a program of its own, as patterns that were compiled once
are not compiled again.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from oracle import observations

import meshplan.mesh
import meshplan.traffic
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import View, request_of, route_in
from support.envoy_edges import EDGES
from support.meshes import mesh

KEPT = Path(__file__).parents[1] / "data" / "oracle"
PACKAGES = tuple(
    Path(package.__file__ or "").parent for package in (meshplan.traffic, meshplan.mesh)
)
_FUNCTION = 2  # CO_NEWLOCALS: neither a module nor a class


@dataclass
class Source:
    """A module, and the lines of its functions that have not run so far."""

    name: str
    lines: list[str]
    #: By function, without the comprehensions and functions inside it.
    functions: dict[str, set[int]] = field(default_factory=dict)
    ran: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, path: Path, name: str) -> "Source":
        text = path.read_text("utf-8")
        made = cls(name, text.splitlines())
        made._take(compile(text, str(path), "exec"))
        return made

    def _take(self, code: CodeType) -> None:
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._take(constant)
        if not code.co_flags & _FUNCTION:
            return
        outer = code.co_qualname.partition(".<locals>")[0]
        # The first line is that of `def`, or of a decorator.
        lines = {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
        known = self.functions.setdefault(outer, set())
        known |= {line for line in lines if not self._is_unreachable(line)}

    def _is_unreachable(self, line: int) -> bool:
        """Whether a line is there for the type checker."""
        return any(
            "assert_never(" in text for text in self.lines[line - 1 : line + 1]
        ) and self.lines[line - 1].strip().startswith(("case _:", "assert_never("))

    def unreached(self) -> Iterator[str]:
        """Functions of which no line ran, and the first line of each gap in the others."""
        for function, lines in self.functions.items():
            missing = lines - self.ran
            if missing == lines and lines:
                yield f"{self.name}.{function}"
                continue
            order = sorted(lines)
            for before, line in zip([0, *order], order, strict=False):
                if line in missing and before not in missing:
                    yield f"{self.name}.{function}: {self.lines[line - 1].strip()}"


def unreached(run: Callable[[], None], packages: Iterable[Path]) -> list[str]:
    """What does not run of the modules in some folders."""
    sources = {
        str(path): Source.of(path, f"{folder.name}.{path.stem}")
        for folder in packages
        for path in sorted(folder.glob("*.py"))
    }
    complete: set[CodeType] = set()

    def tracer(frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        source = sources.get(code.co_filename)
        if source is None or code in complete:
            return None
        ran = source.ran
        if all(line is None or line in ran for _, _, line in code.co_lines()):
            complete.add(code)
            return None

        def line(frame: FrameType, _: str, __: Any) -> Any:
            ran.add(frame.f_lineno)
            return line

        return line(frame, "", None)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        run()
    finally:
        sys.settrace(before)
    return [entry for source in sources.values() for entry in source.unreached()]


def evaluate() -> None:
    """The model's answers to everything that real proxies were asked."""
    for path in sorted(KEPT.glob("*.jsonl")):
        for _ in observations(path):
            pass
    for edge in EDGES.values():
        states = [
            mesh(text, world=World.CLOSED, enable_auto_mtls=edge.auto_mtls)
            for text in (edge.before, edge.after)
        ]
        client = (
            gateway("edge", {"istio": "ingressgateway"})
            if edge.gateway
            else sidecar("web", edge.labels)
        )
        for view in product(states, repeat=3):
            for request in edge.requests:
                route_in(View(*view), request_of(request, port=edge.port), client)


if __name__ == "__main__":
    print("\n".join(unreached(evaluate, PACKAGES)))
