"""What joints say about a rest pose."""

import numpy as np
import pytest

from farm.double.base_mesh import rig_bones
from farm.double.own.measure import measure_stance, metres_per_unit
from farm.double.rig_table import named_bones, read_table
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from farm.recipe.parameters import Body


@pytest.fixture(scope="module")
def joints():
    shape = shape_vertices(Body())
    heads = {bone.name: bone.head for bone in rig_bones("default", shape)}
    return {bone: heads[named_bones(entry)[0]] for bone, entry in read_table("default").bones.items()}


def turned(joints, matrix):
    return {bone: matrix @ place for bone, place in joints.items()}


@pytest.mark.parametrize("angle", [0.0, 1.1, 3.0])
def test_a_double_is_upright_whatever_it_faces(joints, angle):
    around = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    stance = measure_stance(turned(joints, around), 1.72)
    assert np.allclose(stance.axes @ around, np.eye(3), atol=0.05 if angle else 1e-9)
    assert (stance.pose, stance.crooked, stance.swapped) == ("A-pose", (), False)


def test_a_double_that_lies_down_is_stood_up(joints):
    lying = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert np.allclose(measure_stance(turned(joints, lying), 1.72).axes @ lying, np.eye(3), atol=0.05)


def test_arms_tell_the_pose(joints):
    level = dict(joints)
    for side in ("left", "right"):
        level[f"{side}LowerArm"] = level[f"{side}UpperArm"] + [0.25 if side == "left" else -0.25, 0, -0.02]
    assert measure_stance(level, 1.72).pose == "T-pose"


def test_a_crooked_side_is_named(joints):
    bent = joints | {"leftHand": joints["leftHand"] + [0, 0.1, 0]}
    assert measure_stance(bent, 1.72).crooked == ("Hand",)


def test_exchanged_sides_are_told_by_the_feet(joints):
    other = {"left": "right", "right": "left"}
    swapped = {}
    for bone, place in joints.items():
        side = next((side for side in other if bone.startswith(side)), "")
        swapped[other.get(side, "") + bone.removeprefix(side)] = place
    stance = measure_stance(swapped, 1.72)
    assert stance.swapped
    assert np.allclose(stance.axes, np.eye(3), atol=0.05)


@pytest.mark.parametrize(
    ("height", "metres", "unit"),
    [(1.72, 1, "metres"), (172, 0.01, "centimetres"), (67, 0.0254, "inches"), (0.0172, 100, "100 metres")],
)
def test_units_are_told_by_the_height(height, metres, unit):
    assert metres_per_unit(height) == (pytest.approx(metres), unit)


def test_too_few_bones_are_refused(joints):
    with pytest.raises(BadInput, match="left and right"):
        measure_stance({bone: joints[bone] for bone in ("hips", "spine", "head")}, 1.72)
    with pytest.raises(BadInput, match="hips"):
        measure_stance({"leftHand": joints["leftHand"]}, 1.72)
