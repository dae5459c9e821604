"""The poses that ship: on the floor, weight over what carries it, joints within limits, and what makes each of them."""

from __future__ import annotations

import numpy as np
import pytest

from farm.errors import TemplateError
from farm.motion import sample_pose
from farm.motion.anatomy import rotations
from farm.motion.flesh import CAPSULES, overlaps, surface_points
from farm.motion.joint_angles import angles_of, beyond_limits
from farm.motion.mass import centre_of_mass
from farm.motion.pose import SEATED_ON, load_pose, place_hands, plant
from farm.motion.settle import settle
from farm.motion.skeleton import INDEX, SIDES
from farm.recipe import templates
from farm.recipe.parameters import Pose

POSES = templates.names("poses")
IN_MOTION = ("running", "staggering")
"""Poses on feet whose weight is ahead of or behind what they stand on."""
TOUCHES = 0.04
"""Metres above the lowest part at which flesh still touches what the body rests on."""


@pytest.fixture(scope="module")
def posed(posed_soles):
    """The bones' rotations and places, and the soles, of a pose."""

    def posed(skeleton, name, mirror=False):
        clip = sample_pose(Pose(name=name, mirror=mirror), skeleton)
        turned, places = skeleton.pose(clip.rotations, clip.hips)
        return turned[0], places[0], posed_soles(skeleton, turned, places)[0]

    return posed


def test_these_ship():
    assert len(POSES) >= 36
    assert {
        "crouching",
        "reaching",
        "standing",
        "walking",
        "running",
        "sitting",
        "fighting_guard",
        "lying_prone",
    } <= set(POSES)


@pytest.mark.parametrize("name", POSES)
def test_planted_feet_are_flat_on_the_floor_or_where_the_template_says(posed, skeletons, name):
    stance = load_pose(name).stance
    for skeleton in skeletons:
        _, _, soles = posed(skeleton, name)
        heights = plant(skeleton, stance).place[:, 2]
        for side in np.flatnonzero(stance.bears):
            assert soles[side, :, 2].min() == pytest.approx(heights[side], abs=1e-6)


@pytest.mark.parametrize("name", POSES)
def test_nothing_is_under_the_floor_and_no_limb_in_another(posed, skeletons, name):
    for skeleton in skeletons:
        turned, places, _ = posed(skeleton, name)
        assert surface_points(skeleton, turned, places)[:, 2].min() > -0.005
        depths = overlaps(skeleton, turned, places)
        deepest = max(depths, key=lambda pair: depths[pair])
        assert depths[deepest] < 0.01, deepest


def carried_by(skeleton, name, turned, places):
    """The points (N, 2) of the body that rest on something, seen from above."""
    points, stance = surface_points(skeleton, turned, places), load_pose(name).stance
    low = points[:, 2] < points[:, 2].min() + TOUCHES
    if stance.seat is not None:
        low[list(SEATED_ON)] = True
    if any(up.up for up in (stance.feet.left, stance.feet.right)):
        low[2 * len(CAPSULES) :] = True
    flat = points[low, :2]
    if not stance.lays.any():
        return flat
    return np.concatenate([flat, place_hands(skeleton, stance).place[stance.lays, :2]])


@pytest.mark.parametrize("name", [name for name in POSES if load_pose(name).stance.air is None])
def test_weight_is_over_what_carries_it(posed, skeletons, name):
    for skeleton in skeletons:
        turned, places, _ = posed(skeleton, name)
        centre, points = centre_of_mass(places)[:2], carried_by(skeleton, name, turned, places)
        ways = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        along = np.stack([np.cos(ways), np.sin(ways)])
        inside = ((points @ along).max(axis=0) - centre @ along).min()
        assert (inside > -0.02) != (name in IN_MOTION), f"{inside:.3f} m inside"


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("name", POSES)
def test_joints_keep_to_their_limits(skeletons, name, mirror):
    for skeleton in skeletons:
        over = beyond_limits(angles_of(sample_pose(Pose(name=name, mirror=mirror), skeleton).rotations[0]))
        assert over.max() < 1.0


@pytest.mark.parametrize("name", POSES)
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


def test_what_the_other_poses_are_called_they_are(posed, skeletons):
    for skeleton in skeletons:
        _, kicking, _ = posed(skeleton, "kicking")
        assert kicking[INDEX["rightFoot"], 1] < kicking[INDEX["hips"], 1] - 0.7 * skeleton.leg
        assert kicking[INDEX["rightFoot"], 2] > 0.9 * skeleton.leg
        _, sitting, _ = posed(skeleton, "sitting")
        assert abs(sitting[INDEX["leftLowerLeg"], 2] - sitting[INDEX["leftUpperLeg"], 2]) < 0.15 * skeleton.leg
        for name in ("lying_prone", "lying_supine", "lying_side"):
            _, lying, _ = posed(skeleton, name)
            assert lying[[INDEX["head"], INDEX["leftFoot"]], 2].max() < 0.3 * skeleton.leg, name
        turned, _, _ = posed(skeleton, "lying_prone")
        assert (turned[INDEX["hips"]] @ [0, -1, 0])[2] < -0.9, "face down"
        for name, clear in (("running_flight", 0.14), ("leaping", 0.5), ("hanging", 0.3)):
            turned, places, _ = posed(skeleton, name)
            assert surface_points(skeleton, turned, places)[:, 2].min() == pytest.approx(clear * skeleton.leg)
        _, push_up, _ = posed(skeleton, "push_up")
        assert push_up[INDEX["upperChest"], 2] > 2 * push_up[INDEX["leftHand"], 2]
        _, climbing, _ = posed(skeleton, "climbing")
        hands = place_hands(skeleton, load_pose("climbing").stance)
        for side, wrist in zip(SIDES, hands.wrists(skeleton), strict=True):
            assert climbing[INDEX[f"{side}Hand"]] == pytest.approx(wrist, abs=1e-3)


def test_a_resting_body_lies_still_however_it_is_laid_down(skeleton):
    """A few degrees more of pitch and lean settle into the same posture."""
    template = load_pose("crawling")
    expected = settle(skeleton, rotations(template.angles))[0]
    for pitch, lean in ((8, 0), (-5, 4), (0, -6)):
        angles = template.angles.copy()
        angles[INDEX["hips"]] += 0, pitch, lean
        settled = settle(skeleton, rotations(angles))[0]
        assert settled[2] == pytest.approx(expected[2], abs=0.01)


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
        ("description: x\nbones: {}\nrest: body\nair: 1", "rest and air exclude each other; keep one"),
        ("description: x\nbones: {}\nair: 1\ncontact: [left]", "no foot or hand is planted in the air"),
        ("description: x\nbones: {}\ncontact: []", "contact: name the feet that stand"),
        ("description: x\nbones: {}\ncontact: [lefd]", "contact"),
        ("description: x\nbones: {hips: {bend: 40}}\nrest: body", "the body does not lie still: it rolls over by"),
        ("description: x\nbones: {}\nhands: {left: {up: 3}}", "the arms do not reach the hands"),
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
