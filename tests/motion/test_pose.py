"""The poses that ship: feet on the floor, weight over them, joints within limits, and what makes each of them."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import TemplateError
from farm.motion import sample_pose
from farm.motion.mass import centre_of_mass
from farm.motion.skeleton import INDEX
from farm.recipe import templates
from farm.recipe.parameters import Pose

POSES = ("crouching", "reaching", "standing", "walking")


@pytest.fixture(scope="module")
def posed(posed_soles):
    """The bones' rotations and places, and the soles, of a pose."""

    def posed(skeleton, name, mirror=False):
        clip = sample_pose(Pose(name=name, mirror=mirror), skeleton)
        turned, places = skeleton.pose(clip.rotations, clip.hips)
        return turned[0], places[0], posed_soles(skeleton, turned, places)[0]

    return posed


def test_these_ship():
    assert set(POSES) <= set(templates.names("poses"))


@pytest.mark.parametrize("name", templates.names("poses"))
def test_poses_stand_on_the_floor_with_their_weight_over_the_feet(posed, skeletons, name):
    for skeleton in skeletons:
        _, places, soles = posed(skeleton, name)
        assert soles[..., 2].min() == pytest.approx(0, abs=1e-6)
        assert soles[..., 2].min(axis=1) == pytest.approx(0, abs=1e-6), "both feet touch the floor"
        centre = centre_of_mass(places)[:2]
        assert (soles[..., :2].min(axis=(0, 1)) < centre).all()
        assert (centre < soles[..., :2].max(axis=(0, 1))).all()


@pytest.mark.parametrize("name", templates.names("poses"))
def test_legs_keep_to_the_limits_of_their_joints(skeletons, leg_angles, name):
    for skeleton in skeletons:
        for angle in leg_angles(sample_pose(Pose(name=name), skeleton)):
            assert angle.low - 1 <= angle.degrees.min(), angle.name
            assert angle.degrees.max() <= angle.high + 1, angle.name


@pytest.mark.parametrize("name", templates.names("poses"))
def test_mirrored_poses_are_mirror_images(posed, skeleton, name):
    _, places, _ = posed(skeleton, name)
    _, mirrored, _ = posed(skeleton, name, mirror=True)
    for left, right in (("leftHand", "rightHand"), ("leftFoot", "rightFoot"), ("leftLowerLeg", "rightLowerLeg")):
        assert mirrored[INDEX[right]] == pytest.approx(places[INDEX[left]] * [-1, 1, 1], abs=2e-3)


def test_standing_arms_hang_beside_the_body(posed, skeletons):
    for skeleton in skeletons:
        _, places, soles = posed(skeleton, "standing")
        for side, sign in (("left", 1), ("right", -1)):
            hand, shoulder = places[INDEX[f"{side}Hand"]], places[INDEX[f"{side}UpperArm"]]
            upper = skeleton.length(f"{side}UpperArm", f"{side}LowerArm")
            lower = skeleton.length(f"{side}LowerArm", f"{side}Hand")
            assert hand[2] < shoulder[2] - 0.9 * (upper + lower)
            assert hand[0] * sign > abs(shoulder[0]), "clear of the hips"
        assert soles[..., 2] == pytest.approx(0, abs=1e-6), "flat feet"


def test_each_pose_is_what_its_name_says(posed, skeletons):
    for skeleton in skeletons:
        _, walking, soles = posed(skeleton, "walking")
        assert walking[INDEX["rightFoot"], 1] - walking[INDEX["leftFoot"], 1] > 0.65 * skeleton.leg, "a long step"
        assert walking[INDEX["rightHand"], 1] < walking[INDEX["leftHand"], 1], "arms swing against the legs"
        assert soles[0, 2, 2] > 0.02, "the front foot's toes are up"
        assert soles[1, 0, 2] > 0.02, "the back foot's heel is up"
        _, crouching, soles = posed(skeleton, "crouching")
        assert crouching[INDEX["hips"], 2] < 0.65 * skeleton.joint("hips")[2]
        assert soles[..., 2] == pytest.approx(0, abs=1e-6), "both feet planted"
        _, reaching, _ = posed(skeleton, "reaching")
        assert reaching[INDEX["leftHand"], 2] > reaching[INDEX["head"], 2] + 0.1
        assert reaching[INDEX["leftHand"], 1] < reaching[INDEX["head"], 1] - 0.2


def test_an_unknown_pose_is_named_with_the_nearest(skeleton):
    with pytest.raises(TemplateError, match=r"no template 'standin' in poses; did you mean 'standing'\?"):
        sample_pose(Pose(name="standin"), skeleton)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: x\nkne: 4\nbones: {}", "unknown key 'kne'; did you mean 'knee'?"),
        ("description: x\nbones: {}\nfeet: {left: {ahed: 1}}", "unknown key 'feet.left.ahed'; did you mean 'ahead'?"),
        ("description: x\nbones: {}\nknee: 400", "knee: must be at most 140, found 400"),
        ("bones: {}", "'description' is missing"),
        ("description: x\nbones: {}\nfeet: {left: {ahead: 1}, right: {ahead: -1}}", "the legs do not reach the feet"),
        ("description: x\nbones: {hip: {bend: 1}}", "bones: unknown bone 'hip'; did you mean 'hips'?"),
    ],
)
def test_a_wrong_template_is_one_clear_message(skeleton, template, text, message):
    template("poses", "odd", text)
    with pytest.raises(TemplateError) as caught:
        sample_pose(Pose(name="odd"), skeleton)
    assert str(caught.value).startswith("templates/poses/odd.yaml: ")
    assert message in str(caught.value)


def test_equal_poses_are_equal_bytes(skeleton):
    first, second = (sample_pose(Pose(name="walking"), skeleton) for _ in range(2))
    assert np.array_equal(first.rotations, second.rotations)
    assert np.array_equal(first.hips, second.hips)
