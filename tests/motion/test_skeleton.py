"""The canonical skeleton, its forward kinematics and the words for its angles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from farm.errors import TemplateError
from farm.motion.anatomy import ANGLES, SLOTS, mirror_angles, read_bones, rotations
from farm.motion.mass import SEGMENTS, centre_of_mass
from farm.motion.skeleton import BONES, INDEX, MIRROR, PARENTS

FLIP = np.diag([-1.0, 1.0, 1.0])
some_angles = arrays(np.float64, (len(BONES), SLOTS), elements=st.floats(-90, 90))


def posed(skeleton, bones):
    return skeleton.pose(rotations(read_bones(bones, "test")), skeleton.joint("hips"))


def towards(places, start, end):
    along = places[INDEX[end]] - places[INDEX[start]]
    return along / np.linalg.norm(along)


def test_the_bones_are_those_of_vrm():
    assert len(BONES) == 55
    assert all(parent is None or BONES.index(parent) < BONES.index(bone) for bone, parent in PARENTS.items())
    assert PARENTS["leftShoulder"] == "upperChest"
    assert PARENTS["rightThumbMetacarpal"] == "rightHand"


def test_no_rotation_is_the_rest_pose(skeleton):
    _, places = posed(skeleton, {})
    assert places == pytest.approx(skeleton.joints)


@pytest.mark.parametrize(
    ("bones", "start", "end", "direction"),
    [
        ({"leftUpperArm": {"lower": 90}}, "leftUpperArm", "leftLowerArm", (0, 0, -1)),
        ({"rightUpperArm": {"lower": 90}}, "rightUpperArm", "rightHand", (0, 0, -1)),
        ({"bothUpperArm": {"lower": 90, "swing": 90}}, "rightUpperArm", "rightHand", (0, -1, 0)),
        ({"bothUpperArm": {"lower": 90, "swing": 180}}, "leftUpperArm", "leftHand", (0, 0, 1)),
        ({"leftLowerArm": {"bend": 90}}, "leftLowerArm", "leftHand", (0, -1, 0)),
        ({"bothUpperArm": {"lower": 90}, "rightLowerArm": {"bend": 90}}, "rightLowerArm", "rightHand", (0, -1, 0)),
        ({"bothUpperLeg": {"swing": 90}}, "rightUpperLeg", "rightLowerLeg", (0, -1, 0)),
        ({"leftUpperLeg": {"out": 45}}, "leftUpperLeg", "leftLowerLeg", (0.7071, 0, -0.7071)),
        ({"rightUpperLeg": {"out": 45}}, "rightUpperLeg", "rightLowerLeg", (-0.7071, 0, -0.7071)),
        ({"leftLowerLeg": {"bend": 90}}, "leftLowerLeg", "leftFoot", (0, 1, 0)),
        ({"hips": {"turn": 90}}, "rightUpperLeg", "leftUpperLeg", (0, 1, 0)),
        ({"hips": {"lean": 90}}, "rightUpperLeg", "leftUpperLeg", (0, 0, -1)),
        ({"bothShoulder": {"raise": 40}, "bothUpperArm": {"lower": 40}}, "leftUpperArm", "leftHand", (1, 0, 0)),
    ],
)
def test_angles_mean_what_they_say(skeleton, bones, start, end, direction):
    _, places = posed(skeleton, bones)
    assert towards(places, start, end) == pytest.approx(direction, abs=1e-4)


def test_bending_forward_moves_the_head_forward(skeleton):
    _, places = posed(skeleton, {"spine": {"bend": 30}})
    assert places[INDEX["head"], 1] < skeleton.joint("head")[1] - 0.2


@given(angles=some_angles)
def test_mirroring_twice_changes_nothing(angles):
    assert mirror_angles(mirror_angles(angles)) == pytest.approx(angles)


@given(angles=some_angles)
def test_mirrored_angles_are_mirrored_rotations(angles):
    assert rotations(mirror_angles(angles)) == pytest.approx((FLIP @ rotations(angles) @ FLIP)[MIRROR], abs=1e-9)


def test_later_lines_override_groups():
    angles = read_bones({"bothFingers": {"curl": 20}, "leftIndexDistal": {"curl": 5}}, "test")
    assert angles[INDEX["leftIndexDistal"], 0] == 5
    assert angles[INDEX["rightLittleProximal"], 0] == 20


@pytest.mark.parametrize(
    ("bones", "message"),
    [
        ({"leftUperArm": {"lower": 10}}, "unknown bone 'leftUperArm'; did you mean 'leftUpperArm'?"),
        ({"bothFinger": {"curl": 10}}, "unknown bone 'bothFinger'; did you mean 'bothFingers'?"),
        ({"bothhips": {"bend": 10}}, "unknown bone 'bothhips'"),
        ({"leftUpperArm": {"lowr": 10}}, "unknown angle 'lowr' of leftUpperArm; did you mean 'lower'?"),
        ({"leftLowerLeg": {"bend": -5}}, "bend of leftLowerLeg is -5; it must be a number of degrees from 0 to 145"),
        ({"leftLowerLeg": {"bend": "much"}}, "bend of leftLowerLeg is 'much'"),
        ({"leftLowerLeg": {"bend": float("nan")}}, "bend of leftLowerLeg is nan"),
        ({"leftLowerLeg": 30}, "expected angles such as {bend: 10}, found 30"),
        ([], "expected bones and their angles"),
    ],
)
def test_wrong_bones_are_one_clear_message(bones, message):
    with pytest.raises(TemplateError, match=r"^somewhere\.yaml: ") as caught:
        read_bones(bones, "somewhere.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_bone_has_angles_within_the_slots():
    for bone, angles in ANGLES.items():
        assert 1 <= len(angles) <= SLOTS, bone
        assert all(angle.low < angle.high for angle in angles), bone


def test_the_centre_of_mass_of_a_standing_body_is_where_anatomy_has_it(skeletons):
    assert sum(segment.share for segment in SEGMENTS) == pytest.approx(1, abs=0.002)
    for skeleton in skeletons:
        height = skeleton.joint("head")[2] / 0.915
        assert 0.53 < centre_of_mass(skeleton.joints)[2] / height < 0.62  # arms out at the sides
