"""Writing figures into a mesh's data, whether it is new or is given another shape."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["paint", "place_vertices"]

FIELDS: Final = {"FLOAT": "value", "FLOAT_VECTOR": "vector"}


def place_vertices(mesh: Any, points: NDArray[np.float64]) -> None:
    """Move a mesh's vertices to points (V, 3)."""
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.update()


def paint(mesh: Any, name: str, values: NDArray[np.float64], *, domain: str = "POINT") -> None:
    """Store numbers (N,) or vectors (N, 3) as an attribute of a mesh's points or faces, in place of what it had."""
    kind = "FLOAT" if values.ndim == 1 else "FLOAT_VECTOR"
    painted = mesh.attributes.get(name) or mesh.attributes.new(name, kind, domain)
    painted.data.foreach_set(FIELDS[kind], values.astype(np.float32).ravel())
