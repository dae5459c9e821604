"""The head of an artist's double: where hair grows on it, its eyes and chin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from farm.double.own.fit import HeadFit, fit_head
from farm.double.own.reading import OwnDouble, at_rest, shares_of, surface_of
from farm.double.own.scalp import GROUPS, find_scalp, scalp_area
from farm.double.own.surface import Surface
from farm.errors import BadInput, DigidoubleError

__all__ = ["OwnHead", "paint_scalp", "read_head", "scalp_group"]

Array = NDArray[np.float64]

WORST_FIT: Final = 0.006
"""A head whose skin lies farther than this from the fitted one (median, relative to a common head) is no human one."""
LEAST_AREA: Final = 0.005
"""A scalp group with less than this is not the whole scalp, in m²."""


@dataclass(frozen=True)
class OwnHead:
    """surface of the head's mesh in upright axes and metres, hair density (V,) and the vertex group that it is of."""

    surface: Surface
    fit: HeadFit
    density: Array
    group: str | None

    @property
    def area(self) -> float:
        """Area of the scalp in m²."""
        return scalp_area(self.surface, self.density)


def scalp_group(thing: Any) -> str | None:
    """The vertex group of a mesh that says where hair grows, by its name."""
    told = {group.name.rpartition(":")[2].casefold(): group.name for group in thing.vertex_groups}
    return next((told[name] for name in GROUPS if name in told), None)


def read_head(double: OwnDouble, *, group: bool = True) -> OwnHead:
    """Measure the head; the scalp is its vertex group where there is one, unless `group` is off, else found by shape.

    BadInput where the double has no head mesh or no scalp is found on it.
    """
    if double.head is None:
        raise BadInput(
            f"no mesh that '{double.armature.name}' moves is a head: bind the head's skin to '{double.head_bone}'"
        )
    surface = surface_of(double, double.head)
    fit = fit_head(surface, eyes=_eyes(double))
    name = scalp_group(double.head) if group else None
    if name is None:
        if fit.residual > WORST_FIT * fit.scale:
            raise BadInput(
                f"'{double.head.name}' has no vertex group for hair and is too unlike a human head to find one "
                f"({fit.residual * 1000:.0f} mm off): paint a vertex group 'scalp'"
            )
        density = find_scalp(surface, fit)
    else:
        with at_rest(double.armature):
            density = np.clip(shares_of(double.head, {name}), 0.0, 1.0)
    head = OwnHead(surface, fit, density, name)
    if head.area < LEAST_AREA * fit.scale**2:
        where = f"vertex group '{name}'" if name else "scalp"
        raise BadInput(
            f"the {where} of '{double.head.name}' covers {head.area * 1e4:.0f} cm²; "
            "paint it as 'scalp' where hair grows"
        )
    return head


def paint_scalp(double: OwnDouble, head: OwnHead, *, name: str = "scalp") -> int:
    """Write the found scalp into a vertex group of the head's mesh for the artist to correct; returns its vertices."""
    mesh = double.head.data
    flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    if len(mesh.vertices) == len(head.density):
        density = head.density
    else:
        matrix = np.array(double.head.matrix_world)
        places = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        density = _at(head, double.to_upright(places))
    if double.head.library or mesh.library:
        raise DigidoubleError(f"'{double.head.name}' is linked from another file and cannot be painted here")
    old = double.head.vertex_groups.get(name)
    if old is not None:
        double.head.vertex_groups.remove(old)
    group = double.head.vertex_groups.new(name=name)
    for vertex in np.flatnonzero(density > 0).tolist():
        group.add([vertex], float(density[vertex]), "REPLACE")
    return int((density > 0).sum())


def _at(head: OwnHead, points: Array) -> Array:
    """The density (N,) of the nearest of the head's vertices."""
    from scipy.spatial import cKDTree

    density: Array = head.density[cKDTree(head.surface.vertices).query(points)[1]]
    return density


def _eyes(double: OwnDouble) -> Array | None:
    """The eyes' joints (2, 3), the left one first, where the rig has both."""
    if not {"leftEye", "rightEye"} <= set(double.guessed):
        return None
    eyes = double.to_upright(np.stack([double.joint("leftEye"), double.joint("rightEye")]))
    eyes = eyes[np.argsort(-eyes[:, 0])]
    return eyes if np.linalg.norm(eyes[0] - eyes[1]) > 0.005 else None
