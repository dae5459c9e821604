"""A groom in Blender: combed guides become strands, and strands native hair curves that follow the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from farm.algebra import on_one_thread
from farm.double.groom.band import build_bands
from farm.double.groom.cache import solved_guides
from farm.double.groom.collider import Shell
from farm.double.groom.comb import Guides
from farm.double.groom.curling import Strands, clump_locks, curl_locks, cut_unevenly, find_locks, stray
from farm.double.groom.curves import build_curves
from farm.double.groom.interpolate import build_scalp_object, spread_between
from farm.double.groom.material import build_hair_material
from farm.double.groom.outside import Solid, lead_out
from farm.double.groom.style import Hairstyle, load_hairstyle
from farm.double.groom.texture import textured
from farm.double.groom.wearer import Wearer, Worn, read_wearer
from farm.double.shading import drop_materials
from farm.recipe.parameters import Hair
from farm.recipe.variant import stream

__all__ = ["PREVIEW_STRANDS", "Detail", "Groom", "build_groom", "grow_strands", "remove_groom", "strand_points"]
__all__ += ["strand_radius"]

Array = NDArray[np.float64]
Detail = Literal["preview", "final"]

STRAND_RADIUS: Final = 0.00004
"""Radius of a strand on a full head of `FULL_HEAD` strands, in metres."""
FULL_HEAD: Final = 120_000
PREVIEW_STRANDS: Final = 1800
"""Strands of a preview: few enough to be drawn and edited interactively."""
LOCK_SIZE: Final = 0.012
"""Distance between locks of hair that does not curl, in metres, which are of one tone each."""
FINEST: Final = 0.55
"""Thickness of strands at the hairline, relative to those behind it."""
FRIZZ_LOOSENS: Final = 0.5
"""How much less firmly the frizziest hair gathers into locks."""
THICKNESS_SPREAD: Final = 0.12
"""Standard deviation of strands' thickness, as a share of it."""


@dataclass(frozen=True)
class Groom:
    """A groom in Blender's scene.

    curves  the hair object; its data is in world space as it was built, its matrix follows the head bone
    scalp   the surface that it grows from, never rendered
    bands   the elastic bands that hold it, one mesh; None where nothing is gathered
    guides  combed guides, in the same space as the data of `curves`
    style   what was combed, textured by the type of hair
    points  (N, P, 3) float32 strands, in the same space
    """

    curves: Any
    scalp: Any
    bands: Any
    guides: Guides
    style: Hairstyle
    points: NDArray[np.float32]

    @property
    def strands(self) -> int:
        """How many strands there are."""
        return len(self.points)


@on_one_thread
def build_groom(
    double: Wearer, hair: Hair, *, collection: Any, detail: Detail = "final", worn: Worn | None = None
) -> Groom:
    """Comb `hair` on the double as it is posed now, in `collection`, which must be linked to the scene.

    `worn` is what `read_wearer` reads of it, where that is at hand.
    Gravity is that of the posed world. Strands follow the head bone afterwards as one rigid piece. A preview has the
    same guides and fewer, thicker strands.
    """
    style = textured(load_hairstyle(hair.style), hair)
    head, shells = worn or read_wearer(double)
    guides = solved_guides(head, shells, style, length=hair.length, frizz=hair.frizz, seed=hair.seed)
    if detail == "preview":
        hair = hair.model_copy(update={"strands": min(hair.strands, PREVIEW_STRANDS)})
    return grow_strands(double, guides, style, hair, collection=collection, shells=shells)


def grow_strands(
    double: Wearer,
    guides: Guides,
    style: Hairstyle,
    hair: Hair,
    *,
    collection: Any,
    name: str = "groom",
    shells: Sequence[Shell] = (),
) -> Groom:
    """Strands of combed guides as a hair object called `name`, led out of `shells`: the posed skin, then clothes."""
    scalp = build_scalp_object(guides.scalp, collection)
    strands = _spread(guides, style, hair, scalp)
    if shells and len(strands):
        solid = Solid.of(shells, strands.points.reshape(-1, 3))
        strands = replace(strands, points=lead_out(strands.points, solid))
    radius = _radius(strands, style, hair)
    tone = stream(hair.seed, "groom", "tones").standard_normal(int(strands.locks.max(initial=0)) + 1)
    curves = build_curves(
        name,
        strands,
        radius,
        tone[strands.locks].astype(np.float32),
        scalp=scalp,
        material=build_hair_material(name, hair),
    )
    bands = build_bands(guides, collection)
    for thing in filter(None, (scalp, curves, bands)):
        _follow_head(thing, double)
    return Groom(curves=curves, scalp=scalp, bands=bands, guides=guides, style=style, points=strands.points)


def remove_groom(groom: Groom) -> None:
    """Remove a groom's objects, their data and its material; the shared hair assets stay."""
    things = [thing for thing in (groom.curves, groom.scalp, groom.bands) if thing]
    data = [thing.data for thing in things]
    materials = [material for block in data for material in block.materials]
    for thing in things:
        bpy.data.objects.remove(thing)
    bpy.data.batch_remove([block for block in data if block and block.users == 0])
    drop_materials(materials)


def strand_points(groom: Groom) -> tuple[Array, NDArray[np.int32]]:
    """The points (N, 3) of all strands in world space now, and where each strand begins (strands + 1,)."""
    evaluated = groom.curves.evaluated_get(bpy.context.evaluated_depsgraph_get())
    curves = evaluated.data
    first = np.zeros(len(curves.curves) + 1, dtype=np.int32)
    flat = np.empty(len(curves.points) * 3, dtype=np.float32)
    if len(flat):
        curves.curve_offset_data.foreach_get("value", first)
        curves.position_data.foreach_get("vector", flat)
    matrix = np.array(evaluated.matrix_world)
    points = np.empty((len(flat) // 3, 3))
    x, y, z = flat.reshape(-1, 3).T
    for axis in range(3):
        points[:, axis] = x * matrix[axis, 0] + y * matrix[axis, 1] + z * matrix[axis, 2] + matrix[axis, 3]
    return points, first


def strand_radius(strands: int, thickness: float = 1.0) -> float:
    """The radius in metres at the root that lets `strands` stand for a full head of hair.

    It grows with the square root of what is missing: half-way between the real radius, which would leave the scalp
    bare, and keeping the sum of all widths, which would turn strands to wires; hair lies in many layers, so that
    coverage saturates long before. At 20,000 strands it is 0.098 mm, thinner than a pixel of a 256×256 portrait.
    """
    return STRAND_RADIUS * thickness * float(np.sqrt(FULL_HEAD / strands))


def _spread(guides: Guides, style: Hairstyle, hair: Hair, scalp: Any) -> Strands:
    """All strands of guides, with what each does by itself."""
    if style.bald:
        nothing = np.zeros(0, dtype=np.float32)
        locks = np.zeros(0, dtype=np.int32)
        return Strands(np.zeros((0, 2, 3), np.float32), np.zeros((0, 2), np.float32), nothing, nothing, locks, nothing)
    frizz, length = style.within("frizz", hair.frizz), style.within("length", hair.length)
    strands = spread_between(guides, style, hair.strands, seed=hair.seed, scalp=scalp)
    if guides.tied is None:
        random = stream(hair.seed, "groom", "locks")
        for clump in style.clumps:
            strands = clump_locks(strands, clump, 1 - FRIZZ_LOOSENS * frizz, random)
    random = stream(hair.seed, "groom", "single strands")
    strands = cut_unevenly(strands, style.uneven * length, random)
    strands = stray(strands, style.frizz * frizz, random)
    if style.curl is not None:
        return curl_locks(strands, style.curl, random)
    if guides.tied is None:
        return _with_locks(strands, random)
    return strands


def _with_locks(strands: Strands, random: np.random.Generator) -> Strands:
    return Strands(**{**vars(strands), "locks": find_locks(strands, LOCK_SIZE, random)[0]})


def _radius(strands: Strands, style: Hairstyle, hair: Hair) -> NDArray[np.float32]:
    """Radius of strands at their points (N, P), falling to the tip and at the hairline."""
    random = stream(hair.seed, "groom", "thickness")
    own = 1 + THICKNESS_SPREAD * random.standard_normal(len(strands), dtype=np.float32).clip(-2, 2)
    root = strand_radius(hair.strands, style.thickness) * own * (FINEST + (1 - FINEST) * strands.density)
    along = np.linspace(1.0, style.taper, strands.points.shape[1], dtype=np.float32)
    radius: NDArray[np.float32] = root[:, None] * along
    return radius


def _follow_head(thing: Any, double: Wearer) -> None:
    """Parent an object that stands in world space to the posed head bone, rigidly and without moving it."""
    armature = double.armature
    bone = armature.pose.bones[double.head_bone]
    thing.parent = armature
    thing.parent_type = "BONE"
    thing.parent_bone = bone.name
    tail = armature.matrix_world @ bone.matrix @ Matrix.Translation((0.0, bone.length, 0.0))
    thing.matrix_parent_inverse = tail.inverted()
