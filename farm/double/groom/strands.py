"""A groom in Blender: combed guides become native hair curves, and Blender's hair node assets the strands between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from farm.double.body import UV_MAP, Double
from farm.double.groom.comb import Guides, comb_guides
from farm.double.groom.material import build_hair_material
from farm.double.groom.nodes import Attribute, add_asset, set_inputs
from farm.double.groom.style import Hairstyle, load_hairstyle
from farm.double.groom.surface import Scalp
from farm.double.groom.wearer import read_wearer
from farm.errors import DigidoubleError
from farm.recipe.parameters import Hair
from farm.recipe.variant import stream

__all__ = ["Groom", "build_groom", "remove_groom", "strand_points", "strand_radius"]

Array = NDArray[np.float64]

DENSITY: Final = "density"
SIDE: Final = "parting_side"
"""Attribute of guides and strands: which side of the parting they grow on, so that locks do not form across it."""
HEAD_BONE: Final = "head"
STRAND_RADIUS: Final = 0.00004
"""Radius of a strand on a full head of `FULL_HEAD` strands, in metres."""
FULL_HEAD: Final = 120_000
COUNT_TOLERANCE: Final = 0.02
COUNT_ROUNDS: Final = 4
FRIZZ_SHAPE: Final = 0.65
"""Strays leave their lock towards the tip rather than at the skin."""
TURNS_PER_FREQUENCY: Final = 2.925
"""Turns per metre that the curl asset makes at frequency 1 (measured)."""
SEED_LIMIT: Final = 10_000
"""The hair assets take seeds below this."""


@dataclass(frozen=True)
class Groom:
    """A groom in Blender's scene: `curves` is the hair object, `scalp` the surface it grows from, never rendered."""

    curves: Any
    scalp: Any
    strands: int


def build_groom(double: Double, hair: Hair, *, collection: Any) -> Groom:
    """Comb `hair` on the double as it is posed now, in `collection`, which must be linked to the scene.

    Gravity is that of the posed world. Strands follow the head bone afterwards as one rigid piece.
    """
    style = load_hairstyle(hair.style)
    head, shells = read_wearer(double)
    guides = comb_guides(head, shells, style, length=hair.length, frizz=hair.frizz, seed=hair.seed)
    scalp = _build_scalp_object(guides.scalp, collection)
    curves = _build_guides_object(guides, scalp, collection)
    curves.data.materials.append(build_hair_material("hair", hair))
    strands = _style_strands(curves, guides, style, hair)
    for thing in (scalp, curves):
        _follow_head(thing, double)
    return Groom(curves=curves, scalp=scalp, strands=strands)


def remove_groom(groom: Groom) -> None:
    """Remove a groom's objects, their data and its material; the shared hair assets stay."""
    materials = list(groom.curves.data.materials)
    data = [groom.curves.data, groom.scalp.data]
    for thing in (groom.curves, groom.scalp):
        bpy.data.objects.remove(thing)
    for blocks in (data, materials):
        bpy.data.batch_remove([block for block in blocks if block and block.users == 0])


def strand_points(groom: Groom) -> tuple[Array, NDArray[np.int32]]:
    """The evaluated points (N, 3) of all strands in world space, and where each strand begins (strands + 1,)."""
    curves, evaluated = _evaluated_curves(groom.curves)
    first = np.empty(len(curves.curves) + 1, dtype=np.int32)
    curves.curve_offset_data.foreach_get("value", first)
    matrix = np.array(evaluated.matrix_world)
    return _positions(curves) @ matrix[:3, :3].T + matrix[:3, 3], first


def strand_radius(strands: int, thickness: float = 1.0) -> float:
    """The radius in metres at the root that lets `strands` stand for a full head of hair.

    It grows with the square root of what is missing: half-way between the real radius, which would leave the scalp
    bare, and keeping the sum of all widths, which would turn strands to wires; hair lies in many layers, so that
    coverage saturates long before. At 20,000 strands it is 0.098 mm, thinner than a pixel of a 256×256 portrait.
    """
    return STRAND_RADIUS * thickness * float(np.sqrt(FULL_HEAD / strands))


def _build_scalp_object(scalp: Scalp, collection: Any) -> Any:
    mesh = bpy.data.meshes.new("scalp")
    mesh.from_pydata(scalp.posed, [], scalp.triangles)
    mesh.uv_layers.new(name=UV_MAP, do_init=False).uv.foreach_set("vector", scalp.uvs.ravel())
    mesh.attributes.new(DENSITY, "FLOAT", "POINT").data.foreach_set("value", scalp.density)
    mesh.shade_smooth()
    thing = bpy.data.objects.new("scalp", mesh)
    thing.hide_render = True
    thing.display_type = "BOUNDS"
    collection.objects.link(thing)
    return thing


def _build_guides_object(guides: Guides, scalp: Any, collection: Any) -> Any:
    curves = bpy.data.hair_curves.new("groom")
    count, points, _ = guides.points.shape
    curves.add_curves([points] * count)
    curves.points.foreach_set("position", guides.points.ravel())
    curves.surface = scalp
    curves.surface_uv_map = UV_MAP
    anchors = curves.attributes.new("surface_uv_coordinate", "FLOAT2", "CURVE")
    anchors.data.foreach_set("vector", guides.roots.uvs.ravel())
    sides = curves.attributes.new(SIDE, "INT", "CURVE")
    sides.data.foreach_set("value", guides.roots.side.astype(np.int32))
    thing = bpy.data.objects.new("groom", curves)
    collection.objects.link(thing)
    return thing


def _style_strands(thing: Any, guides: Guides, style: Hairstyle, hair: Hair) -> int:
    """Add the hair assets that make strands of guides; returns how many strands there are."""
    random = stream(hair.seed, "groom", "strands")

    def seed() -> int:
        return int(random.integers(SEED_LIMIT))

    interpolate = add_asset(
        thing,
        "Interpolate Hair Curves",
        Resting_Surface=False,
        Part_by_Mesh_Islands=style.parting.side != "none",
        Interpolation_Guides=style.blend,
        Density_Mask=Attribute(DENSITY),
        Seed=seed(),
    )
    strands = _reach_count(thing, interpolate, guides.scalp, hair.strands)
    for clump in style.clumps:
        add_asset(thing, "Create Guide Index Map", Guide_Distance=clump.size, Group_ID=Attribute(SIDE))
        add_asset(
            thing,
            "Clump Hair Curves",
            Factor=clump.strength * (1 - 0.5 * hair.frizz),
            Shape=clump.shape,
            Tip_Spread=clump.spread,
            Existing_Guide_Map=True,
            Seed=seed(),
        )
    if style.curl:
        add_asset(
            thing,
            "Curl Hair Curves",
            Subdivision=0,
            Curl_Start=style.curl.start,
            Radius=style.curl.radius,
            Factor_End=style.curl.tip,
            Frequency=style.curl.turns / TURNS_PER_FREQUENCY,
            Random_Offset=style.curl.disorder,
            Guide_Distance=style.curl.size,
            Existing_Guide_Map=False,
            Seed=seed(),
        )
    if style.frizz and hair.frizz:
        add_asset(thing, "Frizz Hair Curves", Distance=style.frizz * hair.frizz, Shape=FRIZZ_SHAPE, Seed=seed())
    if style.uneven:
        add_asset(
            thing,
            "Trim Hair Curves",
            Replace_Length=False,
            Random_Offset=style.uneven * hair.length,
            Seed=seed(),
        )
    add_asset(
        thing,
        "Set Hair Curve Profile",
        Radius=strand_radius(hair.strands, style.thickness),
        Shape=0.0,
        Factor_Min=style.taper,
        Factor_Max=1.0,
    )
    return strands


def _reach_count(thing: Any, interpolate: Any, scalp: Scalp, wanted: int) -> int:
    """Set the density that gives `wanted` strands; returns how many it gives."""
    density = wanted / float((scalp.areas() * scalp.density[scalp.triangles].mean(axis=1)).sum())
    for _ in range(COUNT_ROUNDS):
        set_inputs(interpolate, Density=density)
        count = len(_evaluated_curves(thing)[0].curves)
        if abs(count - wanted) <= COUNT_TOLERANCE * wanted:
            return count
        density *= wanted / max(count, 1)
    raise DigidoubleError(
        f"{wanted} strands were asked for and {count} grew on a scalp of {scalp.areas().sum():.4f} m²"
    )


def _evaluated_curves(thing: Any) -> tuple[Any, Any]:
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return evaluated.data, evaluated


def _positions(curves: Any) -> Array:
    flat = np.empty(len(curves.points) * 3, dtype=np.float32)
    curves.attributes["position"].data.foreach_get("vector", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _follow_head(thing: Any, double: Double) -> None:
    """Parent an object that stands in world space to the posed head bone, rigidly and without moving it."""
    armature = double.armature
    bone = armature.pose.bones[HEAD_BONE]
    thing.parent = armature
    thing.parent_type = "BONE"
    thing.parent_bone = bone.name
    tail = armature.matrix_world @ bone.matrix @ Matrix.Translation((0.0, bone.length, 0.0))
    thing.matrix_parent_inverse = tail.inverted()
