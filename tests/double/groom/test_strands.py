"""Baked strands: what their curves carry, that shaders can read it, and that a preview is the same style."""

import numpy as np
import pytest

from farm.recipe.parameters import Hair

bpy = pytest.importorskip("bpy", reason="strands are Blender's native hair curves")

from farm.double.groom.comb import comb_guides
from farm.double.groom.curves import ATTRIBUTES, move_curves
from farm.double.groom.strands import (
    PREVIEW_STRANDS,
    build_groom,
    grow_strands,
    remove_groom,
    strand_points,
    strand_radius,
)
from farm.double.groom.style import load_hairstyle
from farm.double.groom.texture import textured
from farm.double.groom.wearer import read_wearer
from farm.double.shading import new_material

COUNT = 1500
SPREAD = ("1A", "1C", "2B", "3A", "3C", "4A", "4C")


@pytest.fixture(scope="module")
def groom(stage):
    built = build_groom(stage, Hair(style="short", type="3B", seed=4, strands=COUNT), collection=stage.collection)
    yield built
    remove_groom(built)


def values(curves, name, width=1):
    attribute = curves.attributes[name]
    flat = np.empty(len(attribute.data) * width, dtype=np.int32 if attribute.data_type == "INT" else np.float32)
    attribute.data.foreach_get("vector" if width > 1 else "value", flat)
    return flat.reshape(-1, width) if width > 1 else flat


def test_there_are_exactly_as_many_strands_as_asked_for(groom):
    assert groom.strands == len(groom.curves.data.curves) == COUNT


def test_strands_need_no_modifiers(groom):
    assert len(groom.curves.modifiers) == 0


def test_points_are_those_that_blender_has(groom):
    points, first = strand_points(groom)
    assert np.allclose(points, groom.points.reshape(-1, 3), atol=1e-6)
    assert len(first) == COUNT + 1


def test_strands_carry_what_passes_read(groom):
    curves = groom.curves.data
    assert set(ATTRIBUTES) <= set(curves.attributes.keys())
    assert (values(curves, "strand_id") == np.arange(1, COUNT + 1)).all()
    tangent = values(curves, "strand_tangent", 3).reshape(groom.points.shape)
    assert np.allclose(np.linalg.norm(tangent, axis=2), 1, atol=1e-4)
    ahead = groom.points[:, 1] - groom.points[:, 0]
    assert (np.einsum("nc,nc->n", ahead, tangent[:, 0]) > 0.99 * np.linalg.norm(ahead, axis=1)).all()
    root = values(curves, "root_uv", 2)
    assert 0 <= root.min() <= root.max() < 1
    assert len(np.unique(root, axis=0)) > 0.99 * COUNT
    assert 10 < len(np.unique(values(curves, "lock_id"))) < COUNT
    assert curves.surface == groom.scalp
    assert 0 < values(curves, "radius").min() < values(curves, "radius").max() < 3 * strand_radius(COUNT)


def test_moved_strands_take_their_tangents_along(groom):
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=np.float32)
    before = values(groom.curves.data, "strand_tangent", 3)
    move_curves(groom.curves.data, groom.points @ turn.T)
    after = values(groom.curves.data, "strand_tangent", 3)
    move_curves(groom.curves.data, groom.points)
    assert np.allclose(after, before @ turn.T, atol=1e-4)


def rendered(groom, attribute, output):
    """The linear pixels (48, 48, 3) of a groom that shines by an attribute."""
    scene = bpy.context.scene
    material, graph = new_material("shining")
    graph.surface(graph.node("Emission", {"Color": graph.attribute(attribute, output)}))
    own = groom.curves.data.materials[0]
    groom.curves.data.materials[0] = material
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 0.3
    middle = groom.points.reshape(-1, 3).mean(axis=0)
    camera.location = (middle[0], middle[1] - 1, middle[2])
    camera.rotation_euler = (np.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.film_transparent = True
    scene.render.resolution_x = scene.render.resolution_y = 48
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Raw"
    hidden = [thing for thing in scene.objects if thing not in (groom.curves, camera) and not thing.hide_render]
    for thing in hidden:
        thing.hide_render = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = bpy.app.tempdir + "shining.exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.array(image.pixels[:]).reshape(48, 48, -1)
    bpy.data.images.remove(image)
    for thing in hidden:
        thing.hide_render = False
    data = camera.data
    bpy.data.objects.remove(camera)
    bpy.data.cameras.remove(data)
    groom.curves.data.materials[0] = own
    bpy.data.materials.remove(material)
    covered = pixels[pixels[..., 3] > 0.2]
    return covered[:, :3] / covered[:, 3:]


@pytest.mark.parametrize(
    ("attribute", "output"), [("strand_id", "Factor"), ("strand_tangent", "Vector"), ("root_uv", "Vector")]
)
def test_shaders_read_attributes(groom, attribute, output):
    seen = rendered(groom, attribute, output)
    assert len(seen) > 200
    if attribute == "strand_id":
        assert 1 <= seen.min() < COUNT / 3
        assert 2 * COUNT / 3 < seen.max() < COUNT + 1
    else:
        width = {"strand_tangent": 3, "root_uv": 2}[attribute]
        assert (seen[:, :width].std(axis=0) > 0.02).all()
        assert np.abs(seen).max() <= 1.001


def shape(groom):
    points = groom.points
    lengths = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    low, high = np.percentile(points.reshape(-1, 3), [2, 98], axis=0)
    return lengths.mean(), low, high, points[:, -1].mean(axis=0)


@pytest.mark.parametrize(
    ("style", "strands"), [("short", 12_000), ("bob", 12_000), ("braid", 12_000), ("long_curly", 100_000)]
)
def test_a_preview_is_the_same_style(stage, style, strands):
    hair = Hair(style=style, type="3A", seed=4, strands=strands)
    found = {}
    for detail in ("preview", "final"):
        built = build_groom(stage, hair, collection=stage.collection, detail=detail)
        found[detail] = shape(built), built.strands, values(built.curves.data, "radius").max()
        names = set(built.curves.data.attributes.keys())
        remove_groom(built)
    (one, few, thick), (other, many, thin) = found["preview"], found["final"]
    assert few == PREVIEW_STRANDS < 2000 < many == strands
    assert thick > 2 * thin
    assert names >= set(ATTRIBUTES)
    assert one[0] == pytest.approx(other[0], rel=0.02)
    for place in (1, 2, 3):
        assert np.abs(one[place] - other[place]).max() < 0.004


def test_types_give_different_hair_on_a_loose_style(stage):
    head, shells = read_wearer(stage)
    found = []
    for kind in SPREAD:
        hair = Hair(style="shoulder_straight", type=kind, seed=4, strands=600)
        style = load_hairstyle(hair.style)
        style = style.model_copy(update={"guides": 150, "texture": style.texture.model_copy(update={"hold": 0.0})})
        style = textured(style, hair)
        guides = comb_guides(head, shells, style, frizz=hair.frizz, seed=4)
        built = grow_strands(stage, guides, style, hair, collection=stage.collection)
        points = built.points
        arc = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
        span = np.linalg.norm(points[:, -1] - points[:, 0], axis=1)
        found.append((np.log(arc / span).mean(), span.mean() * 10, points.reshape(-1, 3).std(axis=0).mean() * 20))
        remove_groom(built)
    apart = np.linalg.norm(np.array(found)[:, None] - np.array(found)[None], axis=2)
    assert apart[~np.eye(len(SPREAD), dtype=bool)].min() > 0.02
    assert found[0][0] < 0.2 < found[4][0]
    assert found[0][1] > 1.6 * found[-1][1]
