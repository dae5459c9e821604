from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="materials need Blender's Python module")

from scipy.ndimage import label

from farm.double import pigment, skin
from farm.double.base_mesh import base_mesh
from farm.double.beard_area import beard_shares
from farm.double.eyes import _colours
from farm.double.pigment import tint
from farm.double.shading import Graph, linear_colour
from farm.double.zones import BODY_VERTICES, zone_masks
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Body, Skin

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def inputs_of(material):
    """What the textures of a material are looked up by: names of attributes, and kinds of other nodes."""
    found = set()
    for node in material.node_tree.nodes:
        if node.bl_idname.startswith("ShaderNodeTex") and "Vector" in node.inputs:
            found |= sources(node.inputs["Vector"])
    return found


def sources(socket):
    if not socket.is_linked:
        return {"nothing"}
    node = socket.links[0].from_node
    if node.bl_idname == "ShaderNodeAttribute":
        return {node.attribute_name}
    linked = [each for each in node.inputs if each.is_linked]
    return set().union(*(sources(each) for each in linked)) if linked else {node.bl_idname}


FULL = {"freckles": 1.0, "sweat": 1.0, "dirt": 1.0}


def test_every_texture_is_looked_up_by_the_rest_position_alone():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    material = skin.build_skin(Skin(**FULL), Body(age=80))
    kinds = {node.bl_idname for node in material.node_tree.nodes}
    assert {"ShaderNodeTexNoise", "ShaderNodeTexVoronoi"} <= kinds
    assert inputs_of(material) == {skin.REST}
    graph = Graph(material.node_tree)
    graph.noise(graph.node("TexCoord").outputs["UV"], size=1.0)
    assert inputs_of(material) != {skin.REST}, "and this test can fail"


def test_what_the_skin_reads_is_continuous_across_the_seams_of_uvs(build):
    """Both sides of a seam are one vertex, also after smoothing, and what is painted stands on vertices."""
    double = build()
    mesh = double.body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    names = [
        node.attribute_name for node in double.body.active_material.node_tree.nodes if hasattr(node, "attribute_name")
    ]
    assert set(names) == {skin.REST, skin.TINT, skin.RELIEF, skin.EXPOSURE, "crease1", "crease2"}
    for name in names:
        assert mesh.attributes[name].domain == "POINT"
        assert mesh.attributes[name].data_type == "FLOAT_VECTOR"
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    uvs = np.empty(len(mesh.loops) * 2, dtype=np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uvs)
    column, row = np.round(uvs.reshape(-1, 2) * 10_000).astype(np.int64).T
    distinct = np.unique((corners.astype(np.int64) << 32) + (column << 16) + row)
    vertices, places = np.unique(distinct >> 32, return_counts=True)
    seam = vertices[places > 1]
    assert len(seam) > 200
    rest = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.attributes[skin.REST].data.foreach_get("vector", rest)
    rest = rest.reshape(-1, 3)
    assert len(np.unique(np.round(rest[seam], 6), axis=0)) == len(seam), "no seam is cut open into two vertices"


@pytest.fixture(scope="module")
def patch():
    """A square of cheek, 2 cm wide, filling a camera's view in an evenly white world."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("patch")
    corners = np.array([(-1, 0, -1), (1, 0, -1), (1, 0, 1), (-1, 0, 1)]) * 0.01
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.attributes.new(skin.REST, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", corners.astype("f").ravel())
    mesh.attributes.new(skin.TINT, "FLOAT_VECTOR", "POINT")
    exposed = np.tile(np.array([1.0, 0.0, 0.5], dtype="f"), 4)
    mesh.attributes.new(skin.EXPOSURE, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", exposed)
    scene.collection.objects.link(bpy.data.objects.new("patch", mesh))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale, camera.data.clip_start = "ORTHO", 0.012, 0.01
    camera.location, camera.rotation_euler = (0, -0.5, 0), (np.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera, scene.world = camera, bpy.data.worlds.new("white")
    scene.world.color = (1, 1, 1)
    background = next(node for node in scene.world.node_tree.nodes if node.type == "BACKGROUND")
    background.inputs["Color"].default_value = (1, 1, 1, 1)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 32, False
    scene.render.image_settings.file_format = "OPEN_EXR"
    return mesh


@pytest.fixture
def pixels(patch, tmp_path):
    """The colours (R, R, 3) of a square of cheek as rendered, scene-linear, R pixels to a side."""
    cheek = np.linalg.norm(base_mesh().vertices[:BODY_VERTICES] - (0.050, -0.118, 0.675), axis=1).argmin()

    def pixels(side=64, **values):
        look, scene = Skin(**values), bpy.context.scene
        patch.attributes[skin.TINT].data.foreach_set("vector", np.tile(tint(look.tone)[cheek], 4).astype("f"))
        patch.materials.clear()
        patch.materials.append(skin.build_skin(look, Body()))
        scene.render.resolution_x = scene.render.resolution_y = side
        scene.render.filepath = str(tmp_path / "patch.exr")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(str(tmp_path / "patch.exr"))
        found = np.array(image.pixels[:]).reshape(side, side, 4)[..., :3]
        bpy.data.images.remove(image)
        return found

    return pixels


@pytest.fixture
def rendered(pixels):
    """The mean colour of a square of cheek as rendered, scene-linear."""
    return lambda **values: pixels(12, **values).mean(axis=(0, 1))


def test_the_ten_tones_render_in_order_warm_and_apart(rendered):
    colours = np.array([rendered(tone=tone, gloss=0.0) for tone in range(1, 11)])
    light = colours @ LUMINANCE
    assert (light[1:] < 0.96 * light[:-1]).all()
    assert (colours[:, 0] > colours[:, 1]).all()
    assert (colours[:, 1] > colours[:, 2]).all()
    apart = np.linalg.norm(np.diff([pigment._lab(colour) for colour in colours], axis=0), axis=1)
    assert apart.min() > 2.3, "a just noticeable difference in CIE L*a*b*"


def test_more_freckles_are_more_spots_and_more_of_the_cheek(pixels):
    plain = pixels(tone=2) @ LUMINANCE
    counts, covered = [], []
    for amount in (0.0, 0.2, 0.5, 1.0):
        shown = pixels(tone=2, freckles=amount) @ LUMINANCE / plain < 0.93
        counts.append(label(shown)[1])
        covered.append(shown.mean())
    assert counts[0] == 0
    assert counts[1] >= 3
    assert (np.diff(covered) > 0.01).all()
    assert counts[2] > counts[1]
    assert 0.1 < covered[-1] < 0.6


def test_sweat_lies_on_the_skin_and_leaves_its_relief(patch):
    heights = []
    for sweat in (0.0, 1.0):
        nodes = skin.build_skin(Skin(sweat=sweat), Body()).node_tree.nodes
        shader = next(node for node in nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
        heights.append([shader.inputs[name].links[0].from_node for name in ("Normal", "Coat Normal")])
    assert heights[0][0] == heights[0][1], "dry skin shines as its relief lies"
    assert heights[1][0] != heights[1][1], "water has a surface of its own"


def test_men_have_the_shadow_of_a_beard_and_women_not():
    made = [skin._beard_shadow(Skin(tone=2), Body(gender=gender)) for gender in (0.0, 0.5, 1.0)]
    assert (made[0] == 1).all()
    assert (made[1] == 1).all()
    chin = beard_shares()["chin"][:BODY_VERTICES] > 0.9
    assert made[2][chin].max() < 0.85
    assert made[2][zone_masks()["lips"] > 0.95].min() > 0.9
    assert (skin._beard_shadow(Skin(tone=10), Body(gender=1.0)) >= made[2]).all()


def test_caked_skin_is_darker_than_clean_light_skin(rendered):
    assert rendered(tone=2, dirt=1.0) @ LUMINANCE < 0.8 * rendered(tone=2) @ LUMINANCE


def test_what_is_not_asked_for_costs_no_nodes():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    plain = len(skin.build_skin(Skin(), Body()).node_tree.nodes)
    for name, value in FULL.items():
        assert len(skin.build_skin(Skin(**{name: value}), Body()).node_tree.nodes) > plain


@pytest.mark.parametrize("code", ["#12345", "#gggggg", "red"])
def test_a_wrong_colour_is_named(code):
    with pytest.raises(TemplateError, match=f"here: '{code}' is not a colour; write it as '#a07e56'"):
        linear_colour(code, place="here")


def test_an_unknown_eye_colour_is_answered_with_the_nearest():
    with pytest.raises(TemplateError, match="did you mean 'brown'"):
        _colours("browm")


def test_a_missing_colour_of_an_eye_is_named(monkeypatch):
    monkeypatch.setattr(templates, "load", lambda kind, name: {"inner": "#000000", "outer": "#000000"})
    with pytest.raises(TemplateError, match=r"brown\.yaml: 'rim' is missing"):
        _colours("brown")


@pytest.mark.parametrize("name", templates.names("eyes"))
def test_shipped_eyes_are_complete(name):
    colours, fibres = _colours(name)
    assert list(colours) == ["inner", "outer", "rim"]
    assert 0 < fibres <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fibres": 7}, r"eyes/brown\.yaml: fibres: must be at most 1, found 7"),
        ({"fibers": 1}, r"eyes/brown\.yaml: unknown key 'fibers'; did you mean 'fibres'\?"),
        ({"rim": 0x102030}, r"eyes/brown\.yaml: rim: expected text, found 1056816; put it in quotes"),
        ({"rim": "brwn"}, r"eyes/brown\.yaml: rim: 'brwn' is not a colour"),
    ],
)
def test_a_wrong_eye_is_one_clear_message(monkeypatch, change, message):
    whole = templates.load("eyes", "brown")
    monkeypatch.setattr(templates, "load", lambda kind, name: whole | change)
    with pytest.raises(TemplateError, match=message):
        _colours("brown")
