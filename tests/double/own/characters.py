"""Characters as artists have them, made by Blender: a Rigify rig with a mesh, clothes and hair of its own, in a set."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix
from PIL import Image

from farm.double.base_mesh import base_mesh
from farm.double.scalp import scalp_mask
from farm.double.shape import shape_vertices
from farm.recipe.parameters import Body
from tests.motion.rigs.rigged import built, generated

BODY = Body(identity=11, age=35, gender=0.2)
REACH = 0.03
"""Over this length in metres the skin goes from one bone to the next."""


def rigify_hero(path, *, facing=0.0, scale=1.0):
    """Save a character on a rig that Rigify generates, with what else is in an artist's scene; returns the file.

    Beside it lie a texture that its skin uses and a library that its cape's material is linked from.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    Image.new("RGB", (8, 8), (180, 90, 60)).save(path.parent / "skin.png")
    library = _library(path.parent / "cloth.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    rig = generated(BODY)
    rig.name = "Hero Rig"
    body = _mesh("Hero Body", "body", rig)
    body.data.materials.append(_skin(path.parent / "skin.png"))
    cape = _mesh("Hero Cape", "helper-tights", rig)
    with bpy.data.libraries.load(str(library), link=True, relative=True) as (_, wanted):
        wanted.materials = ["Velvet"]
    cape.data.materials.append(wanted.materials[0])
    _grow("Hero Hair", body, scalp_mask()[base_mesh().group_vertices("body")] > 0.5, count=400, length=0.05)
    brows = base_mesh().vertices[base_mesh().group_vertices("body")]
    above = (brows[:, 2] > 0.745) & (brows[:, 2] < 0.76) & (brows[:, 1] < -0.12)
    _grow("Hero Brows", body, above, count=60, length=0.006)
    body.modifiers.new("Smooth", "SUBSURF").render_levels = 1
    body.modifiers["Smooth"].levels = 0
    _animate(rig)
    _scene_around(rig, cape)
    rig.rotation_euler[2], rig.scale, rig.location = facing, (scale,) * 3, (2.0 * scale, 0.5 * scale, 0.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return path


def _library(path):
    material = bpy.data.materials.new("Velvet")
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.12, 0.01, 0.03, 1.0)
    bpy.data.libraries.write(str(path), {material})
    bpy.data.materials.remove(material)
    return path


def _mesh(name, group, rig):
    """A part of the base mesh as an object of its own, bound to the rig's nearest deforming bones."""
    base, shape = base_mesh(), shape_vertices(BODY)
    faces = base.faces[base.groups[group]]
    used, corners = np.unique(faces, return_inverse=True)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(shape[used], [], corners.reshape(faces.shape))
    mesh.shade_smooth()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    bones = [bone for bone in rig.data.bones if bone.use_deform]
    weights = _weights(shape[used], bones)
    for bone, column in zip(bones, weights.T, strict=True):
        if (column > 0).any():
            vertices = thing.vertex_groups.new(name=bone.name)
            for vertex in np.flatnonzero(column).tolist():
                vertices.add([vertex], float(column[vertex]), "REPLACE")
    thing.modifiers.new("Armature", "ARMATURE").object = rig
    thing.parent = rig
    return thing


def _weights(points, bones):
    """Shares (V, B) of bones that lie near points (V, 3)."""
    away = np.empty((len(points), len(bones)))
    for place, bone in enumerate(bones):
        head, along = np.array(bone.head_local), np.array(bone.tail_local - bone.head_local)
        share = np.clip((points - head) @ along / (along @ along), 0.0, 1.0)
        away[:, place] = np.linalg.norm(points - head - share[:, None] * along, axis=1)
    near = np.exp(-(away - away.min(axis=1, keepdims=True)) / REACH)
    near[near < 0.2] = 0.0
    return near / near.sum(axis=1, keepdims=True)


def _skin(texture):
    material = bpy.data.materials.new("Hero Skin")
    nodes = material.node_tree.nodes
    image = nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(texture))
    image.image.filepath = bpy.path.relpath(str(texture))
    material.node_tree.links.new(image.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
    return material


def _grow(name, body, where, *, count, length):
    """Hair curves that stand up from some of a mesh's vertices."""
    places = np.array([vertex.co for vertex in body.data.vertices])[where]
    normals = np.array([vertex.normal for vertex in body.data.vertices])[where]
    chosen = np.linspace(0, len(places) - 1, count).astype(int)
    steps = np.linspace(0.0, length, 4)[None, :, None]
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([4] * count)
    strands = places[chosen, None] + steps * normals[chosen, None]
    curves.position_data.foreach_set("vector", strands.ravel().astype(np.float32))
    curves.surface = body
    thing = bpy.data.objects.new(name, curves)
    thing.parent = body
    bpy.context.scene.collection.objects.link(thing)


def _animate(rig):
    """An idle walk of the artist's own, in the timeline and in a track."""
    for frame, place in ((1, 0.0), (100, 9.0)):
        rig.pose.bones["root"].location = (place, 0.0, 0.0)
        rig.pose.bones["root"].keyframe_insert("location", frame=frame)
    rig.pose.bones["root"].location = (0.0, 0.0, 0.0)
    track = rig.animation_data.nla_tracks.new()
    track.strips.new("walk", 1, rig.animation_data.action)


def _scene_around(rig, cape):
    """What no double needs: a set, a camera on the rig, a light, a hidden proxy, and a script that would run."""
    scene = bpy.context.scene.collection
    floor = bpy.data.meshes.new("Set")
    floor.from_pydata([(-5, -5, 0), (5, -5, 0), (5, 5, 0), (-5, 5, 0)], [], [(0, 1, 2, 3)])
    scene.objects.link(bpy.data.objects.new("Set", floor))
    camera = bpy.data.objects.new("Close-Up", bpy.data.cameras.new("Close-Up"))
    camera.parent = rig
    scene.objects.link(camera)
    hidden = bpy.data.collections.new("Proxies")
    scene.children.link(hidden)
    hidden.hide_render = True
    proxy = bpy.data.objects.new("Proxy", cape.data.copy())
    proxy.modifiers.new("Armature", "ARMATURE").object = rig
    hidden.objects.link(proxy)
    text = bpy.data.texts.new("evil.py")
    text.use_module = True
    text.write("raise SystemExit('a script of the file ran')")


def mixamo_hero(path):
    """Save a character as it comes from Mixamo: its names, in centimetres on an armature scaled to a hundredth."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    armature = built("mixamo", BODY)
    armature.name = "Armature"
    body = _mesh("Beta_Surface", "body", armature)
    for thing in (armature, body):
        thing.data.transform(Matrix.Scale(100.0, 4))
    armature.scale = (0.01,) * 3
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return path
