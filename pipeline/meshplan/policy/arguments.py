"""The arguments of calls: how many, and of which types."""

import ast
from typing import TYPE_CHECKING

from meshplan.policy import ir, loops
from meshplan.policy.types import UNKNOWN, Items, Set, describe

if TYPE_CHECKING:
    from meshplan.policy.expressions import Expressions


def arguments(of: "Expressions", node: ast.Call, least: int, most: int) -> bool:
    """Whether the call has a number of arguments, all by position; else report it."""
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        of.scope.error("E182", node, "arguments are given by position here")
        return False
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        of.scope.error("E182", node, f"this takes {wanted} arguments, and has {len(node.args)}")
        return False
    return True


def sequence(of: "Expressions", node: ast.expr, what: str) -> ir.Expression:
    """A list or set, or a generator as a list."""
    if isinstance(node, ast.GeneratorExp):
        return loops.generated(of, node)
    found = of.present(node, what)
    if not isinstance(found.type, Items | Set) and found.type is not UNKNOWN:
        return of.wrong("E181", node, f"{what} takes a list or a set, not {describe(found.type)}")
    return found
