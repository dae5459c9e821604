"""Outfits: what they cover, that skin stays under them, and how their templates are read."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from farm.double.base_mesh import base_mesh
from farm.double.body import remove_double
from farm.double.wardrobe import cloth, dress, outfit, sheet
from farm.errors import TemplateError
from farm.motion.apply import apply_motion
from farm.recipe import templates
from farm.recipe.parameters import Pose, Stunt, Wardrobe

from .poke import came_through, cloth_came_through, covered_cloth, covered_skin, shown

OUTFITS = templates.names("wardrobe")
BODIES = {
    "thin and old": {"weight": 0.0, "age": 75, "gender": 0.0},
    "heavy and strong": {"weight": 1.0, "muscle": 0.9, "gender": 1.0},
}
MOTIONS = [
    *((name, "none", 0.0) for name in templates.names("poses")),
    *(("standing", stunt, at) for stunt in templates.names("stunts") for at in (0.3, 0.6)),
]

SHOWS = {"tank_shorts": 2}
"""So many points of skin may show at once: a tuck presses the arm's against the edge of a tank top's armhole."""
CLOTH_THROUGH = 0.015
"""The share of covered cloth that may show through what is worn over it where hips are bent."""


def _base(place, reach):
    """The body's vertices near a joint of the unshaped mesh."""
    points = base_mesh().vertices[base_mesh().group_vertices("body")]
    middle = base_mesh().vertices[base_mesh().group_vertices(f"joint-{place}")].mean(axis=0)
    return np.flatnonzero(np.linalg.norm(points - middle, axis=1) < reach)


@pytest.mark.parametrize(
    ("worn", "bare", "covered"),
    [
        ("stunt_suit", ("head", "l-finger-3-2"), ("l-knee", "r-elbow", "l-ankle", "l-upper-leg")),
        ("tshirt_trousers", ("head", "l-finger-3-2", "r-elbow"), ("l-knee", "l-upper-leg")),
        ("tank_shorts", ("head", "l-finger-3-2", "r-elbow", "l-knee"), ("l-upper-leg",)),
    ],
)
def test_an_outfit_hides_the_skin_well_under_it_and_no_other(worn, bare, covered):
    hidden = dress.hidden_vertices(worn)
    assert not hidden[base_mesh().group_vertices("body").max() + 1 :].any()
    for place in bare:
        assert not hidden[_base(place, 0.04)].any(), place
    for place in covered:
        assert hidden[_base(place, 0.1)].mean() > 0.9, place


@pytest.mark.parametrize("worn", OUTFITS)
def test_no_skin_comes_through_in_poses_and_stunts(build, worn):
    for number, (name, body) in enumerate(BODIES.items()):
        double = build(outfit=worn, **body)
        under = covered_skin(double, worn)
        assert len(under) > 500
        assert not len(came_through(double, under)), name
        for pose, stunt, phase in MOTIONS[number % 2 :: 2]:
            _move(double, pose, stunt, phase)
            assert len(came_through(double, under)) <= SHOWS.get(worn, 0), (name, pose, stunt, phase)
        remove_double(double)


@pytest.mark.parametrize("worn", OUTFITS)
def test_clothes_stay_under_those_worn_over_them(build, worn):
    for body in ({"gender": 1.0}, {"gender": 0.0, "weight": 1.0}):
        double = build(outfit=worn, **body)
        pairs = covered_cloth(double)
        assert pairs
        assert not any(cloth_came_through(double, pairs)), body
        for pose, stunt, phase in (("crouching", "none", 0.0), ("standing", "jump", 0.28), ("standing", "jump", 0.8)):
            _move(double, pose, stunt, phase)
            assert max(cloth_came_through(double, pairs)) < CLOTH_THROUGH, (body, pose, phase)
        remove_double(double)


def test_the_test_of_clothes_coming_through_can_fail(build):
    double = build(outfit="tshirt_trousers")
    pairs = covered_cloth(double)
    trousers = double.garments[1].data
    points = np.array([vertex.co for vertex in trousers.vertices])
    trousers.vertices.foreach_set("co", (points + np.array([0.0, -0.05, 0.0])).astype(np.float32).ravel())
    for thing in double.garments:
        for modifier in thing.modifiers:
            modifier.show_viewport = modifier.type != "SHRINKWRAP"
    trousers.update()
    bpy.context.view_layer.update()
    assert max(cloth_came_through(double, pairs)) > 3 * CLOTH_THROUGH


def test_a_hem_gives_way_to_what_is_worn_below(build):
    double = build(outfit="tshirt_trousers", gender=1.0)
    _move(double, "crouching", "none", 0.0)
    shirt = double.garments[2]
    laid = shown(shirt)[0]
    shirt.modifiers[dress.LAID].show_viewport = False
    hanging = shown(shirt)[0]
    moved = np.linalg.norm(laid - hanging, axis=1)
    assert moved.max() > 0.003
    assert (moved > 1e-6).mean() < 0.5, "the chest and the sleeves are left alone"


def _move(double, pose, stunt, phase):
    apply_motion(double.armature, Pose(name=pose), Stunt(name=stunt, phase=phase), rig="default", frames=range(1, 2))
    bpy.context.scene.frame_set(1)


def test_the_test_of_skin_coming_through_can_fail(build):
    double = build(outfit="tshirt_trousers")
    under = covered_skin(double, "tshirt_trousers")
    shirt = double.garments[-1].data
    points = np.array([vertex.co for vertex in shirt.vertices])
    shirt.vertices.foreach_set("co", (points + np.array([0.0, 0.03, 0.0])).astype(np.float32).ravel())
    shirt.update()
    bpy.context.view_layer.update()
    assert len(came_through(double, under)) > 20


@pytest.mark.parametrize("worn", OUTFITS)
def test_garments_are_closed_cloth_on_the_ground_with_openings_only_where_they_are_cut(build, worn):
    double = build(outfit=worn)
    lowest = min(shown(garment)[0][:, 2].min() for garment in double.garments)
    assert lowest == pytest.approx(0.0, abs=2e-3)
    for garment, pattern in zip(double.garments, dress._patterns(worn), strict=True):
        assert np.isfinite([vertex.co for vertex in garment.data.vertices]).all()
        starts = pattern.rim[:, 0].tolist()
        assert len(starts) == len(set(starts)), "a border passes each of its vertices once"


def test_loose_clothes_stand_off_the_body_and_are_worn_over_each_other(build):
    double = build(outfit="tshirt_trousers", gender=0.0)
    body = double.shape[base_mesh().group_vertices("body")]
    points = {thing.name: np.array([vertex.co for vertex in thing.data.vertices]) for thing in double.garments}
    waist = np.abs(body[:, 2] - 1.05) < 0.02
    shirt = points["shirt"][np.abs(points["shirt"][:, 2] - 1.05) < 0.02]
    assert 0.03 < np.ptp(shirt[:, 0]) - np.ptp(body[waist & (np.abs(body[:, 0]) < 0.2), 0]) < 0.15
    hips = np.abs(points["trousers"][:, 2] - 0.9) < 0.02
    over = np.abs(points["shirt"][:, 2] - 0.9) < 0.02
    assert np.ptp(points["shirt"][over, 0]) > np.ptp(points["trousers"][hips, 0]) + 2 * 0.003


def test_subdividing_and_cutting_keep_weights_whole_and_rims_on_the_line():
    tights = sheet.tights()
    assert np.asarray(tights.mix.sum(axis=1)).ravel() == pytest.approx(1.0)
    on, faces, origin = sheet.cut(tights, tights.rest[:, 2] - 0.1)
    assert np.asarray(on.sum(axis=1)).ravel() == pytest.approx(1.0)
    heights = (on @ tights.rest)[[here for here, _ in sheet.rims(faces)], 2]
    assert heights[heights < 0.2] == pytest.approx(0.1, abs=1e-9)
    assert len(origin) == on.shape[0] == faces.max() + 1


def test_colours_and_cloths_come_from_the_wardrobe(build):
    assert cloth.hsv_colour(120, 1.0, 0.5) == pytest.approx((0.0, 0.2140, 0.0), abs=1e-4)
    one = build(outfit="tshirt_trousers", upper_hue=0.0, upper_saturation=1.0, upper_value=1.0, upper_cloth="wool")
    shader = next(node for node in one.garments[-1].data.materials[0].node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Sheen Weight"].default_value == pytest.approx(0.6)
    mixed = shader.inputs["Base Color"].links[0].from_node
    colours = [tuple(socket.default_value) for socket in mixed.inputs if socket.type == "RGBA"]
    assert (1.0, 0.0, 0.0, 1.0) in colours


@pytest.mark.parametrize("name", templates.names("cloths"))
def test_every_cloth_makes_a_material(name):
    material = cloth.cloth_material(Wardrobe(lower_cloth=name), "lower")
    assert any(node.type == "BSDF_PRINCIPLED" for node in material.node_tree.nodes)
    bpy.data.materials.remove(material)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sleeve", 0.3, "unknown key 'garments[2].sleeve'"),
        ("ease", {"body": [[0.3, 0.01], [0.1, 0.01]]}, "the places must rise"),
        ("shoe", {"upper": "#000000", "sole": "#000000", "thick": 0.02}, "garments[2]: a garment that takes 'shoe'"),
        ("pads", [{"joint": "kne", "centre": [0, 0, 0], "radius": 0.05, "height": 0.01}], "did you mean 'knee'?"),
    ],
)
def test_a_wrong_outfit_is_one_clear_message(monkeypatch, key, value, message):
    data = templates.load("wardrobe", "tshirt_trousers")
    garments = [*data["garments"][:2], {**data["garments"][2], key: value}]
    monkeypatch.setattr(templates, "load", lambda kind, name: {**data, "garments": garments})
    with pytest.raises(TemplateError, match=r"^templates/wardrobe/odd\.yaml: ") as caught:
        outfit.load_outfit("odd")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
