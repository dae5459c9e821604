from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from mathutils import Vector
from mathutils.bvhtree import BVHTree
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.body import Look, build_double
from farm.double.expression import expression_weights
from farm.double.eyeball import eye_of, eye_surface
from farm.double.face import UNITS, body_offsets, express, face_units
from farm.double.groom.material import build_hair_material
from farm.double.lashes import brow_strands, lash_strands
from farm.double.shape import shape_vertices
from farm.recipe.parameters import Body, Face, Hair
from farm.recipe.variant import stream

PEOPLE = [
    {"identity": 1},
    {"identity": 2, "age": 78, "gender": 0.0},
    {"identity": 3, "gender": 1.0, "weight": 1.0, "height": 1.95},
    {"identity": 4, "african": 0, "caucasian": 0, "height": 1.5},
    {"identity": 5, "african": 1, "asian": 0, "caucasian": 0, "gender": 0.8},
]
AHEAD = Vector((0, -1, 0))


def _body(shape):
    return shape[base_mesh().group_vertices("body")]


def _show(double, **weights):
    for name, weight in weights.items():
        double.body.data.shape_keys.key_blocks[name].value = weight
    bpy.context.view_layer.update()


def test_the_body_has_arkits_52_units_and_nothing_else(build):
    keys = build().body.data.shape_keys
    assert [key.name for key in keys.key_blocks] == ["Basis", *UNITS]
    assert len(set(UNITS)) == 52
    assert all(key.slider_min == 0 and key.slider_max == 1 and key.value == 0 for key in keys.key_blocks[1:])


def test_every_unit_moves_something_and_partners_mirror_each_other():
    rest = base_mesh().vertices
    units = face_units(rest)
    mirror = cKDTree(rest).query(rest * (-1, 1, 1))
    paired = (mirror[0] < 1e-5) & (mirror[1][mirror[1]] == np.arange(len(rest)))
    whole = {}
    for name, unit in units.items():
        whole[name] = np.zeros_like(rest)
        whole[name][unit.vertices] = unit.offsets
        assert np.linalg.norm(unit.offsets, axis=1).max() > 0.0005, name
    swapped = {"Left": "Right", "mouthLeft": "mouthRight", "jawLeft": "jawRight"}
    for name in UNITS:
        if name.endswith("Left"):
            partner = swapped.get(name, name[:-4] + "Right")
            apart = np.linalg.norm(whole[name][mirror[1]] * (-1, 1, 1) - whole[partner], axis=1)[paired]
            assert np.percentile(apart, 99.5) < 0.0006, name


def test_the_evaluated_face_is_the_sum_of_its_weighted_units(build, posed):
    face = Face(expression="shout", second="pain", blend=0.3)
    double = build(identity=2, expression="shout", second="pain", blend=0.3)
    for modifier in double.body.modifiers:
        modifier.show_viewport = False
    shown = posed(double.body).points
    offsets = body_offsets(face_units(double.shape))
    wanted = _body(double.shape) + sum(weight * offsets[name] for name, weight in expression_weights(face).items())
    assert np.abs(shown - wanted).max() < 1e-5


def test_sliders_of_the_body_move_teeth_tongue_and_eyes(build, posed):
    double = build(identity=1)
    before = {thing.name: posed(thing).points for thing in (double.mouth, double.eyes)}
    _show(double, jawOpen=1.0, eyeLookOutLeft=1.0)
    mouth = posed(double.mouth).points - before["mouth"]
    low = before["mouth"][:, 2] < np.median(before["mouth"][:, 2])
    assert mouth[low, 2].min() < -0.02
    assert np.linalg.norm(mouth, axis=1).min() < 1e-6, "the upper jaw stands still"
    eyes = posed(double.eyes).points - before["eyes"]
    left = before["eyes"][:, 0] > 0
    front = before["eyes"][:, 1] < np.percentile(before["eyes"][:, 1], 10)
    assert eyes[left & front, 0].min() > 0.002
    assert np.abs(eyes[~left]).max() < 1e-6


@pytest.mark.parametrize("values", PEOPLE)
def test_closed_lids_cover_the_eyes_on_every_face(build, posed, values):
    double = build(**values)
    _show(double, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    face, eyes = posed(double.body), posed(double.eyes)
    skin = BVHTree.FromPolygons(face.points.tolist(), face.faces)
    for side in "lr":
        eye = eye_of(double.shape, side)
        local = eyes.points - eye.centre
        mine = (np.linalg.norm(local, axis=1) < 1.2 * eye.radius) & (local[:, 1] < -0.6 * eye.radius)
        for point in eyes.points[mine]:
            hit = skin.ray_cast(Vector(point), AHEAD, 0.1)[0]
            assert hit is not None, (side, np.round(1000 * (point - eye.centre), 1).tolist())


@pytest.mark.parametrize("values", PEOPLE)
def test_teeth_stay_behind_closed_lips_and_cheeks(build, posed, values):
    double = build(**values)
    face, mouth = posed(double.body), posed(double.mouth)
    skin = BVHTree.FromPolygons(face.points.tolist(), face.faces)
    teeth = mouth.points
    for way in ((0.0, -1.0, 0.0), (0.6, -0.8, 0.0), (-0.6, -0.8, 0.0)):
        seen = [skin.ray_cast(Vector(point), Vector(way), 0.1)[0] is None for point in teeth]
        assert sum(seen) <= 0.002 * len(teeth), "a gap between the lips is no wider than a stray ray"
    for point in teeth:
        place, normal, _, _distance = skin.find_nearest(Vector(point))
        assert (Vector(point) - place).dot(normal) > -0.0025, "nothing lies in the flesh but roots of gums"


def test_the_tongue_lies_low_in_an_open_mouth_and_on_the_lower_jaw(build, posed):
    double = build(identity=1)
    before = posed(double.mouth).points
    _show(double, jawOpen=0.7)
    after = posed(double.mouth).points
    material = np.array([face.material_index for face in double.mouth.data.polygons])
    corners = np.array([face.vertices for face in double.mouth.data.polygons])
    tongue, teeth = (np.isin(np.arange(len(after)), corners[material == index]) for index in (2, 0))
    front = teeth & (before[:, 1] < before[teeth, 1].min() + 0.012)
    moved = np.linalg.norm(after - before, axis=1) > 0.003
    edge, upper = after[front & moved, 2].max(), after[front & ~moved, 2].min()
    tip = after[tongue & (after[:, 1] < after[tongue, 1].min() + 0.02), 2].max()
    assert upper - edge > 0.01
    assert edge - 0.004 < tip < edge + 0.65 * (upper - edge)


@pytest.mark.parametrize("change", [{"melanin": 0.9}, {"redness": 0.9}, {"grey": 0.8}, {"dye": 1.0}])
def test_lashes_and_brows_take_the_hairs_colour(collection, change):
    def settings(material):
        sockets = [socket for node in material.node_tree.nodes for socket in node.inputs if not socket.is_linked]
        return [np.array(socket.default_value).tolist() for socket in sockets if hasattr(socket, "default_value")]

    plain, other = Hair(melanin=0.5), Hair(**{"melanin": 0.5} | change)
    worn = build_double(Look(hair=other), collection)
    for thing in (worn.lashes, worn.brows):
        shown = settings(thing.data.materials[0])
        assert shown == settings(build_hair_material("hair", other, darker=True))
        assert shown != settings(build_hair_material("hair", plain, darker=True))


def test_mens_brows_are_fuller_and_flatter_and_each_persons_own():
    shape = shape_vertices(Body())

    def measured(gender, seed):
        roots = brow_strands(shape, gender, stream(seed, "brows"))[:, 0]
        left = roots[roots[:, 0] > 0]
        inner, middle, outer = np.array_split(left[np.argsort(left[:, 0])], 3)
        return len(roots), middle[:, 2].mean() - (inner[:, 2].mean() + outer[:, 2].mean()) / 2

    women, men = (np.array([measured(gender, seed) for seed in range(12)]) for gender in (0.0, 1.0))
    assert men[:, 0].mean() > 1.2 * women[:, 0].mean()
    assert men[:, 1].mean() < 0.8 * women[:, 1].mean()
    assert len({tuple(each) for each in women}) == 12


def test_lashes_stay_on_closed_lids(build, posed):
    double = build(identity=1)
    closed = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    roots = lash_strands(express(double.shape, face_units(double.shape), closed), stream(1, "lashes"))[:, 0]
    _show(double, **closed)
    face = posed(double.body)
    skin = BVHTree.FromPolygons(face.points.tolist(), face.faces)
    assert max(skin.find_nearest(Vector(root))[3] for root in roots) < 0.0015


def test_equal_seeds_make_equal_faces():
    body = Body(identity=7)
    one, other = face_units(shape_vertices(body)), face_units(shape_vertices(body))
    assert all((one[name].offsets == other[name].offsets).all() for name in UNITS)


@pytest.mark.parametrize("kind", ["Blink", "LookDown", "Wide", "Squint"])
def test_no_unit_draws_a_lid_into_the_ball(kind):
    base = base_mesh()
    for values in PEOPLE[:3]:
        shape = shape_vertices(Body(**values))
        units = face_units(shape)
        for suffix, side in (("Left", "l"), ("Right", "r")):
            eye, unit = eye_of(shape, side), units[f"eye{kind}{suffix}"]
            faces = base.faces[base.groups["body"]]
            faces = faces[np.isin(faces, unit.vertices).all(axis=1)]
            moved = express(shape, units, {f"eye{kind}{suffix}": 1.0})
            before, after = (points[faces].mean(axis=1) - eye.centre for points in (shape, moved))
            gap = [np.linalg.norm(local, axis=1) - eye_surface(local, eye.radius) for local in (before, after)]
            ahead = after[:, 1] < -0.5 * eye.radius
            assert (gap[1] - np.minimum(gap[0], 0.0008))[ahead].min() > -4e-4
