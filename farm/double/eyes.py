"""Eyeballs: a sclera with iris and pupil, under a clear wet cornea.

Each eye is turned on a lathe around its gaze, which is straight ahead (−Y) at rest, and rolls with its eye bone.
Sizes are those of the adult human eye (Bekerman et al., J. Ophthalmol. 2014; Rüfer et al., Cornea 2005: iris 11.7 mm);
the ball itself has the size of the base mesh's eye, which its lids fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.double.base_mesh import base_mesh
from farm.double.rig import skin_to_rig
from farm.double.shading import Graph, linear_colour, new_material
from farm.recipe import templates
from farm.recipe.parameters import Skin

__all__ = ["IRIS_RADIUS", "Eye", "build_eyes", "eye_of"]

IRIS_RADIUS: Final = 0.00585
PUPIL_RADIUS: Final = 0.0019
IRIS_DEPTH: Final = 0.0004
CORNEA_RISE: Final = 0.0011
FILM: Final = 0.00006
SEGMENTS: Final = 40
GAZE: Final = "gaze"
COLOURS: Final = ("inner", "outer", "rim")


@dataclass(frozen=True)
class Eye:
    """The ball that a side's lids fit: centre (3,) and radius in metres, and a base vertex that moves as it does."""

    centre: NDArray[np.float64]
    radius: float
    vertex: int


def eye_of(shape: NDArray[np.float64], side: str) -> Eye:
    """The eye of a shaped base mesh (V, 3) on side `l` or `r`: the least-squares sphere of its helper's vertices."""
    vertices = base_mesh().group_vertices(f"helper-{side}-eye")
    points = shape[vertices]
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return Eye(centre, float(np.sqrt(solution[3] + centre @ centre)), int(vertices[0]))


def build_eyes(shape: NDArray[np.float64], skin: Skin, armature: Any, collection: Any, *, rig: str) -> Any:
    """Both eyes as one mesh object, skinned to the armature's eye bones."""
    points: list[NDArray[np.float64]] = []
    gazes: list[NDArray[np.float64]] = []
    faces: list[NDArray[np.int64]] = []
    materials: list[int] = []
    sources: list[int] = []
    for side in "lr":
        eye = eye_of(shape, side)
        for material, profile in enumerate((_ball(eye.radius), _cornea(eye.radius))):
            local, quads = _lathe(profile)
            faces.append(quads + sum(len(part) for part in points))
            points.append(eye.centre + local * (1, -1, 1))
            gazes.append(local)
            materials += [material] * len(quads)
            sources += [eye.vertex] * len(local)
    mesh = bpy.data.meshes.new("eyes")
    mesh.from_pydata(np.concatenate(points), [], np.concatenate(faces))
    mesh.attributes.new(GAZE, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", np.concatenate(gazes).ravel())
    mesh.polygons.foreach_set("material_index", materials)
    mesh.shade_smooth()
    mesh.materials.append(_eyeball_material(skin.eyes))
    mesh.materials.append(_cornea_material())
    thing = bpy.data.objects.new("eyes", mesh)
    collection.objects.link(thing)
    skin_to_rig(thing, armature, rig=rig, sources=np.array(sources, dtype=np.int32))
    return thing


def _sphere(radius: float, start: float, end: float, count: int) -> NDArray[np.float64]:
    """A profile (N, 2) of (distance from the gaze's axis, place along it) on a sphere, by angle from the gaze."""
    angles = np.linspace(start, end, count)
    return radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)


def _ball(radius: float) -> NDArray[np.float64]:
    """Profile from the back of the ball to the limbus, then over the shallow bowl of the iris to the pupil's centre."""
    limbus = float(np.arcsin(IRIS_RADIUS / radius))
    rim = radius * np.cos(limbus)
    across = np.array([1.0, 0.97, 0.9, 0.75, 0.6, 0.45, PUPIL_RADIUS / IRIS_RADIUS, 0.2, 0.0])
    bowl = np.stack([across * IRIS_RADIUS, rim - IRIS_DEPTH * (2 - across**2)], axis=1)
    bowl[0, 1] = rim - 0.2 * IRIS_DEPTH
    return np.concatenate([_sphere(radius, np.pi, limbus, 28), bowl[1:]])


def _cornea(radius: float) -> NDArray[np.float64]:
    """Profile of the tear film over the white, which rises into the cornea over the iris."""
    outer = radius + FILM
    profile = _sphere(outer, np.radians(80), 0.0, 44)
    inward = np.clip((1.12 * IRIS_RADIUS - profile[:, 0]) / (1.12 * IRIS_RADIUS), 0.0, 1.0)
    profile[:, 1] += CORNEA_RISE * (1 - (1 - inward) ** 2) * np.clip(inward / 0.25, 0.0, 1.0)
    return profile


def _lathe(profile: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A profile (N, 2) turned: points (N·SEGMENTS, 3) as (right, forward, up) and quads facing outwards."""
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    across, along = profile[:, 0, None], np.repeat(profile[:, 1, None], SEGMENTS, axis=1)
    points = np.stack([across * np.cos(turn), along, across * np.sin(turn)], axis=-1).reshape(-1, 3)
    ring = np.arange(SEGMENTS)
    first = (np.arange(len(profile) - 1) * SEGMENTS)[:, None]
    here, beside = first + ring, first + (ring + 1) % SEGMENTS
    quads = np.stack([here, beside, beside + SEGMENTS, here + SEGMENTS], axis=-1).reshape(-1, 4)
    return points, quads


class _Iris(templates.Part):
    """templates/eyes: sRGB codes around the pupil, of the stroma and of its rim; how much the threads show."""

    inner: str
    outer: str
    rim: str
    fibres: float = Field(ge=0, le=1)
    description: str


def _colours(name: str) -> tuple[dict[str, tuple[float, float, float]], float]:
    iris, place = templates.read(_Iris, "eyes", name), templates.place("eyes", name)
    return {key: linear_colour(getattr(iris, key), place=f"{place}: {key}") for key in COLOURS}, iris.fibres


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
    outward = graph.ramp(across, 0.007, 0.014)
    veins = graph.ramp(graph.noise(gaze, size=0.0016, detail=4.0, roughness=0.7), 0.56, 0.70)
    white = graph.mix(outward, (0.72, 0.69, 0.65), (0.64, 0.50, 0.45))
    return graph.mix(graph.math("MULTIPLY", veins, graph.math("MULTIPLY", outward, 0.5)), white, (0.55, 0.22, 0.18))


def _cornea_material() -> Any:
    """A clear film that reflects by Fresnel and lets everything else straight through: no caustics, no noise."""
    material, graph = new_material("cornea")
    glint = graph.node("BsdfGlossy", {"Roughness": 0.03})
    clear = graph.node("BsdfTransparent")
    reflected = graph.math("MULTIPLY", graph.node("Fresnel", {"IOR": 1.376}), _unless_shadow(graph))
    mixed = graph.node("MixShader", {"Factor": reflected, 1: clear, 2: glint})
    graph.surface(mixed)
    return material


def _unless_shadow(graph: Graph) -> Any:
    """1, and 0 for shadow rays."""
    return graph.math("SUBTRACT", 1.0, graph.node("LightPath").outputs["Is Shadow Ray"])
