"""Eyes: a sclera with iris and pupil, under a clear wet cornea that refracts.

Each eye is turned on a lathe around its gaze, which is straight ahead (−Y) at rest, and rolls with its eye bone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh, target
from farm.double.eyeball import IRIS_RADIUS, PUPIL_RADIUS, ball_profile, cornea_profile, eye_of, lathe
from farm.double.face import SIDES, UNITS, add_keys, unit_path
from farm.double.geometry import paint, place_vertices
from farm.double.rig import skin_to_rig
from farm.double.shading import Graph, give_material, linear_colours, new_material
from farm.recipe import templates
from farm.recipe.parameters import Skin

__all__ = ["build_eyes"]

GAZE: Final = "gaze"
CORNEA_IOR: Final = 1.376
COLOURS: Final = ("inner", "outer", "rim")


def build_eyes(
    shape: NDArray[np.float64],
    skin: Skin,
    weights: Mapping[str, float],
    armature: Any,
    collection: Any,
    *,
    rig: str,
    into: Any = None,
) -> Any:
    """Both eyes as one mesh object, skinned to the armature's eye bones, with the units that turn them as shape keys.

    A key goes straight from gaze to gaze: halfway, a ball that turns 24° is 2 % flatter. `into` is the object of
    another double's eyes on that armature, which becomes these.
    """
    points: list[NDArray[np.float64]] = []
    gazes: list[NDArray[np.float64]] = []
    faces: list[NDArray[np.int64]] = []
    materials: list[int] = []
    sources: list[int] = []
    for side in "lr":
        eye = eye_of(shape, side)
        for material, profile in enumerate((ball_profile(eye.radius), cornea_profile(eye.radius))):
            local, quads = lathe(profile)
            faces.append(quads + sum(len(part) for part in points))
            points.append(eye.centre + local * (1, -1, 1))
            gazes.append(local)
            materials += [material] * len(quads)
            sources += [eye.vertex] * len(local)
    placed = np.concatenate(points)
    thing = into
    if thing is None:
        mesh = bpy.data.meshes.new("eyes")
        mesh.from_pydata(placed, [], np.concatenate(faces))
        mesh.polygons.foreach_set("material_index", materials)
        mesh.shade_smooth()
        thing = bpy.data.objects.new("eyes", mesh)
        collection.objects.link(thing)
        skin_to_rig(thing, armature, rig=rig, sources=np.array(sources, dtype=np.int32))
    else:
        place_vertices(thing.data, placed)
    paint(thing.data, GAZE, np.concatenate(gazes))
    give_material(thing.data, 0, lambda: _eyeball_material(skin.eyes))
    give_material(thing.data, 1, _cornea_material)
    add_keys(thing, _turns(shape, placed), weights)
    return thing


def _turns(shape: NDArray[np.float64], points: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The offsets (N, 3) of both eyes' points by each unit that turns one: the rotation nearest to its target.

    Rotations are found by Kabsch's algorithm (Acta Crystallographica A32, 1976).
    """
    made = {}
    rest = base_mesh().vertices
    for name in UNITS:
        if not name.startswith("eyeLook"):
            continue
        side = next(side for suffix, side in SIDES.items() if name.endswith(suffix))
        ball = base_mesh().group_vertices(f"helper-{side}-eye")
        vertices, offsets = target(unit_path(name))
        moved = rest.copy()
        moved[vertices] += offsets
        before, after = (place[ball] - place[ball].mean(axis=0) for place in (rest, moved))
        left, _, right = np.linalg.svd(before.T @ after)
        turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
        local = points - eye_of(shape, side).centre
        mine = (points[:, 0] > 0) == (side == "l")
        made[name] = np.where(mine[:, None], local @ turn - local, 0.0)
    return made


class _Iris(templates.Part):
    """templates/eyes: sRGB codes around the pupil, of the stroma and of its rim; how much the threads show."""

    inner: str
    outer: str
    rim: str
    fibres: float = Field(ge=0, le=1)
    description: str


def _colours(name: str) -> tuple[dict[str, tuple[float, float, float]], float]:
    iris, place = templates.read(_Iris, "eyes", name), templates.place("eyes", name)
    return linear_colours(iris, COLOURS, place=place), iris.fibres


def _eyeball_material(name: str) -> Any:
    """White with faint veins and a soft limbus; an iris of threads; a black pupil."""
    colours, fibres = _colours(name)
    material, graph = new_material("eyeball")
    gaze = graph.attribute(GAZE, "Vector")
    across, around = _polar(graph, gaze)
    colour = graph.mix(graph.ramp(across, 0.0042, 0.0026), colours["outer"], colours["inner"])
    threads = graph.noise(around, size=1.0, detail=4.0, roughness=0.65)
    strength = graph.math("MULTIPLY", graph.ramp(threads, 0.38, 0.68), 0.75 * fibres)
    colour = graph.mix(strength, colour, tuple(min(1.0, 1.7 * value + 0.01) for value in colours["outer"]))
    colour = graph.mix(graph.ramp(across, 0.0046, IRIS_RADIUS), colour, colours["rim"])
    colour = graph.mix(graph.ramp(across, PUPIL_RADIUS + 0.0001, PUPIL_RADIUS - 0.0001), colour, (0.002, 0.002, 0.002))
    colour = graph.mix(
        graph.ramp(across, IRIS_RADIUS - 0.0003, IRIS_RADIUS + 0.0005), colour, _white(graph, gaze, across)
    )
    shine = graph.ramp(across, IRIS_RADIUS - 0.0003, IRIS_RADIUS + 0.0005)
    inputs = {
        "Base Color": colour,
        "Roughness": 0.35,
        "Specular IOR Level": 0.3,
        "Subsurface Weight": graph.math("MULTIPLY", shine, 0.3),
        "Subsurface Radius": (1.0, 0.6, 0.5),
        "Subsurface Scale": 0.0015,
    }
    graph.surface(graph.node("BsdfPrincipled", inputs))
    return material


def _polar(graph: Graph, gaze: Any) -> tuple[Any, Any]:
    """Distance from the gaze's axis in metres, and a place whose noise runs in radial threads."""
    parts = graph.node("SeparateXYZ", {"Vector": gaze})
    flat = graph.node("CombineXYZ", {"X": parts.outputs[0], "Z": parts.outputs[2]})
    across = graph.node("VectorMath", {0: flat}, operation="LENGTH").outputs[1]
    unit = graph.node("VectorMath", {0: flat}, operation="NORMALIZE")
    spun = graph.node("VectorMath", {0: unit, 1: (14.0, 14.0, 14.0)}, operation="MULTIPLY")
    radial = graph.node("CombineXYZ", {"Y": graph.math("MULTIPLY", across, 600.0)})
    return across, graph.node("VectorMath", {0: spun, 1: radial}, operation="ADD")


def _white(graph: Graph, gaze: Any, across: Any) -> Any:
    """Off-white, pinker and veined towards the corners of the lids."""
    outward = graph.ramp(across, 0.0065, 0.0135)
    veins = graph.ramp(graph.noise(gaze, size=0.0016, detail=4.0, roughness=0.7), 0.56, 0.70)
    white = graph.mix(outward, (0.58, 0.545, 0.505), (0.50, 0.36, 0.31))
    return graph.mix(graph.math("MULTIPLY", veins, graph.math("MULTIPLY", outward, 0.5)), white, (0.55, 0.22, 0.18))


def _cornea_material() -> Any:
    """Cornea and tear film: reflects by Fresnel, refracts what the camera sees, and lets all other light through.

    Without caustics a refracting surface would leave the iris in the dark, so that shadow rays and bounced light pass
    straight; the iris is lit as if the cornea were air, and seen as through a cornea.
    """
    material, graph = new_material("cornea")
    glint = graph.node("BsdfGlossy", {"Roughness": 0.03})
    ray = graph.node("LightPath").outputs
    straight = graph.node("BsdfTransparent")
    bent = graph.node("BsdfRefraction", {"IOR": CORNEA_IOR, "Roughness": 0.0})
    outside = graph.math("SUBTRACT", 1.0, graph.node("NewGeometry").outputs["Backfacing"])
    through = graph.node(
        "MixShader", {"Factor": graph.math("MULTIPLY", ray["Is Camera Ray"], outside), 1: straight, 2: bent}
    )
    seen = graph.math("SUBTRACT", 1.0, ray["Is Shadow Ray"])
    reflected = graph.math(
        "MULTIPLY", graph.node("Fresnel", {"IOR": CORNEA_IOR}), graph.math("MULTIPLY", seen, outside)
    )
    graph.surface(graph.node("MixShader", {"Factor": reflected, 1: through, 2: glint}))
    return material
