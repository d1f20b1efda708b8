"""What is worked out once for a mesh, and goes when the mesh goes."""

from collections.abc import Callable
from typing import TypeVar, cast

from meshplan.mesh import Mesh

_T = TypeVar("_T")


def remembered(mesh: Mesh, name: str, make: Callable[[], _T]) -> _T:
    """What `make` gives, made when it is first asked for."""
    if name not in mesh.memory:
        mesh.memory[name] = make()
    return cast("_T", mesh.memory[name])
