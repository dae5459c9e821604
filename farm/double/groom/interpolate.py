"""Strands between guides: interpolated by Blender's own hair node assets, or laid where hair is tied."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from farm.double.alone import alone
from farm.double.body import UV_MAP
from farm.double.groom.agree import keep_to_guides
from farm.double.groom.comb import Guides
from farm.double.groom.curling import Strands
from farm.double.groom.nodes import Attribute, add_asset, set_inputs
from farm.double.groom.spread import spread_strands
from farm.double.groom.style import Hairstyle
from farm.double.groom.surface import Scalp
from farm.errors import DigidoubleError
from farm.recipe.variant import stream

__all__ = ["ROOT_UV", "build_scalp_object", "spread_between"]

Array = NDArray[np.float64]

ROOT_UV: Final = "surface_uv_coordinate"
"""Blender's name for where on its surface a strand is rooted."""
DENSITY: Final = "density"
SIDE: Final = "parting_side"
"""Attribute of guides and strands: which part of the scalp they grow on, so that locks do not form across its edge."""
SPARE: Final = 1.03
"""Strands that are grown for each that is wanted, so that their number can be met exactly."""
ROUNDS: Final = 5
SEED_LIMIT: Final = 10_000
"""The hair assets take seeds below this."""


def build_scalp_object(scalp: Scalp, collection: Any) -> Any:
    """The scalp as a mesh object that strands can be attached to; never rendered."""
    mesh = bpy.data.meshes.new("scalp")
    mesh.from_pydata(scalp.posed, [], scalp.triangles, shade_flat=False)
    mesh.uv_layers.new(name=UV_MAP, do_init=False).uv.foreach_set("vector", scalp.uvs.ravel())
    mesh.attributes.new(DENSITY, "FLOAT", "POINT").data.foreach_set("value", scalp.density)
    thing = bpy.data.objects.new("scalp", mesh)
    thing.hide_render = True
    thing.display_type = "BOUNDS"
    collection.objects.link(thing)
    return thing


def spread_between(guides: Guides, style: Hairstyle, count: int, *, seed: int, scalp: Any) -> Strands:
    """`count` strands of guides (G, P, 3), as coarse as the guides are.

    `scalp` is the object of `build_scalp_object`; it must be linked to the scene.
    """
    if guides.tied is not None:
        laid = spread_strands(guides, count, seed)
        points, uvs, side = laid.points, laid.roots.uvs, laid.roots.side
        locks, loose = laid.locks.astype(np.int32), laid.loose
    else:
        points, uvs, side = _interpolated(guides, style, count, seed=seed, scalp=scalp)
        points = keep_to_guides(points, side, guides)
        locks, loose = np.zeros(len(points), dtype=np.int32), np.ones(points.shape[1])
    nearest = cKDTree(guides.scalp.posed).query(points[:, 0])[1]
    return Strands(
        points=np.asarray(points, dtype=np.float32),
        uvs=uvs.astype(np.float32),
        side=side.astype(np.float32),
        density=guides.scalp.density[nearest].astype(np.float32),
        locks=locks,
        loose=loose.astype(np.float32),
    )


def _interpolated(guides: Guides, style: Hairstyle, count: int, *, seed: int, scalp: Any) -> tuple[Any, Any, Any]:
    """Points (count, P, 3), root UV (count, 2) and side (count,) of strands that Blender's assets make."""
    random = stream(seed, "groom", "strands")
    thing = bpy.data.objects.new("guides", _guides_curves(guides, scalp))
    interpolate = add_asset(
        thing,
        "Interpolate Hair Curves",
        Resting_Surface=False,
        Part_by_Mesh_Islands=style.divided,
        Interpolation_Guides=style.blend,
        Density_Mask=Attribute(DENSITY),
        Seed=int(random.integers(SEED_LIMIT)),
    )
    density = SPARE * count / float((guides.scalp.areas() * guides.scalp.density[guides.scalp.triangles].mean(1)).sum())
    try:
        with alone(thing):
            for _ in range(ROUNDS):
                set_inputs(interpolate, Density=density)
                curves = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
                grown = len(curves.curves)
                if grown >= count:
                    break
                density *= SPARE * count / max(grown, 1)
            else:
                raise DigidoubleError(
                    f"{count} strands were asked for and {grown} grew on a scalp of {guides.scalp.areas().sum():.4f} m²"
                )
            chosen = np.sort(random.permutation(grown)[:count])
            points = _values(curves.attributes["position"], "vector", 3).reshape(grown, -1, 3)
            uvs = _values(curves.attributes[ROOT_UV], "vector", 2).reshape(grown, 2)
            side = _values(curves.attributes[SIDE], "value", 1)
    finally:
        data = thing.data
        bpy.data.objects.remove(thing)
        bpy.data.hair_curves.remove(data)
    return points[chosen], uvs[chosen], side[chosen]


def _guides_curves(guides: Guides, scalp: Any) -> Any:
    curves = bpy.data.hair_curves.new("guides")
    count, points, _ = guides.points.shape
    curves.add_curves([points] * count)
    curves.position_data.foreach_set("vector", guides.points.astype(np.float32).ravel())
    curves.surface = scalp
    curves.surface_uv_map = UV_MAP
    side = guides.roots.side
    curves.attributes.new(ROOT_UV, "FLOAT2", "CURVE").data.foreach_set("vector", guides.roots.uvs.ravel())
    curves.attributes.new(SIDE, "INT", "CURVE").data.foreach_set("value", side.astype(np.int32))
    return curves


def _values(attribute: Any, field: str, width: int) -> NDArray[np.float32]:
    flat = np.empty(len(attribute.data) * width, dtype=np.int32 if attribute.data_type == "INT" else np.float32)
    attribute.data.foreach_get(field, flat)
    return flat.astype(np.float32)
