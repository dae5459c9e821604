"""The set and its light in Blender: a backdrop, a world and lamps, built from a light set."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from farm.errors import TemplateError
from farm.recipe.parameters import Light
from farm.stage.template import Backdrop, Lamp, LightSet, World, load_light_set

__all__ = ["build_set", "remove_set"]

AIM: Final = Vector((0.0, 0.0, 1.2))
DISC_RADIUS: Final = 2.4
DISC_CORNERS: Final = 96
CYCLORAMA_WIDTH: Final = 40.0
CYCLORAMA_FRONT: Final = 40.0
CYCLORAMA_BACK: Final = 2.6
CYCLORAMA_BEND: Final = 1.8
CYCLORAMA_HEIGHT: Final = 14.0
BEND_STEPS: Final = 24


def build_set(scene: Any, light: Light, collection: Any, *, facing: float) -> list[Any]:
    """Build backdrop, world and lamps; returns what `remove_set` takes.

    `facing` is the camera's azimuth in radians: a cyclorama stands across from the camera, as a photographer's
    does. The lamps and the world turn with `light.rotation`.
    """
    light_set = load_light_set(light.preset)
    turn = math.radians(light.rotation)
    made = [_build_backdrop(light_set.backdrop, collection, facing)]
    made += [
        _build_lamp(name, lamp, light.strength, turn, collection) for name, lamp in sorted(light_set.lamps.items())
    ]
    scene.world = _build_world(light_set, light.strength, turn, light.preset)
    return [*made, scene.world]


def remove_set(made: list[Any]) -> None:
    """Remove what `build_set` made, with its meshes, materials, lamps and images."""
    for thing in made:
        if isinstance(thing, bpy.types.World):
            images = [node.image for node in thing.node_tree.nodes if node.type == "TEX_ENVIRONMENT"]
            bpy.data.worlds.remove(thing)
            bpy.data.batch_remove([image for image in images if image is not None])
            continue
        data = thing.data
        materials = list(data.materials) if thing.type == "MESH" else []
        bpy.data.objects.remove(thing)
        bpy.data.batch_remove([data, *materials])


def _build_backdrop(backdrop: Backdrop, collection: Any, facing: float) -> Any:
    vertices, faces = _cyclorama() if backdrop.shape == "cyclorama" else _disc()
    mesh = bpy.data.meshes.new(backdrop.shape)
    mesh.from_pydata(vertices, [], faces)
    mesh.shade_smooth()
    material = bpy.data.materials.new(backdrop.shape)
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*backdrop.colour, 1.0)
    shader.inputs["Roughness"].default_value = backdrop.roughness
    shader.inputs["Specular IOR Level"].default_value = 0.3
    mesh.materials.append(material)
    thing = bpy.data.objects.new(backdrop.shape, mesh)
    thing.rotation_euler.z = facing
    collection.objects.link(thing)
    return thing


def _disc() -> tuple[NDArray[np.float64], list[list[int]]]:
    angles = np.linspace(0, 2 * np.pi, DISC_CORNERS, endpoint=False)
    rim = DISC_RADIUS * np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    return rim, [list(range(DISC_CORNERS))]


def _cyclorama() -> tuple[NDArray[np.float64], list[list[int]]]:
    """A floor that bends into a wall; its profile runs along +Y, away from the camera."""
    angles = np.linspace(0, np.pi / 2, BEND_STEPS)
    bend_y = CYCLORAMA_BACK - CYCLORAMA_BEND + CYCLORAMA_BEND * np.sin(angles)
    bend_z = CYCLORAMA_BEND * (1 - np.cos(angles))
    profile_y = np.concatenate([[-CYCLORAMA_FRONT], bend_y, [CYCLORAMA_BACK]])
    profile_z = np.concatenate([[0.0], bend_z, [CYCLORAMA_HEIGHT]])
    left = np.stack([np.full_like(profile_y, -CYCLORAMA_WIDTH / 2), profile_y, profile_z], axis=1)
    right = left * (-1, 1, 1)
    steps = len(profile_y)
    faces = [[row, steps + row, steps + row + 1, row + 1] for row in range(steps - 1)]
    return np.concatenate([left, right]), faces


def _build_lamp(name: str, lamp: Lamp, strength: float, turn: float, collection: Any) -> Any:
    data = bpy.data.lights.new(name, "AREA")
    data.shape = "SQUARE"
    data.size = lamp.size
    data.spread = math.radians(lamp.spread)
    data.energy = lamp.power * strength
    data.use_temperature = True
    data.temperature = lamp.temperature
    thing = bpy.data.objects.new(name, data)
    azimuth, elevation = math.radians(lamp.azimuth) + turn, math.radians(lamp.elevation)
    direction = Vector(
        (
            math.sin(azimuth) * math.cos(elevation),
            -math.cos(azimuth) * math.cos(elevation),
            math.sin(elevation),
        )
    )
    thing.location = AIM + lamp.distance * direction
    thing.rotation_euler = direction.to_track_quat("Z", "Y").to_euler()
    thing.visible_camera = False
    collection.objects.link(thing)
    return thing


def _build_world(light_set: LightSet, strength: float, turn: float, name: str) -> Any:
    world = bpy.data.worlds.new(name)
    tree = world.node_tree
    background = next(node for node in tree.nodes if node.type == "BACKGROUND")
    background.inputs["Strength"].default_value = light_set.world.strength * strength
    texture = tree.nodes.new("ShaderNodeTexEnvironment")
    texture.image = bpy.data.images.load(str(_world_file(light_set.world)))
    mapping = tree.nodes.new("ShaderNodeMapping")
    # The mapping turns the direction that is looked up: the picture turns the other way
    mapping.inputs["Rotation"].default_value[2] = -(math.radians(light_set.world.rotation) + turn)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], background.inputs["Color"])
    return world


def _world_file(world: World) -> Path:
    folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world"
    file = folder / f"{world.image}.exr"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.exr")))
        raise TemplateError(f"no HDRI '{world.image}' in Blender's studio lights; known: {known}")
    return file
