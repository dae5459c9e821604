"""The jump is one that physics allows, at every height and on every body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farm.errors import TemplateError
from farm.motion import FPS, perform, sample_pose
from farm.motion.jump import GRAVITY, plan_jump
from farm.motion.mass import centre_of_mass
from farm.motion.rotation import to_vector
from farm.motion.skeleton import INDEX
from farm.recipe.parameters import Pose, Stunt

TEMPLATES = Path(__file__).parents[2] / "templates"
heights = st.floats(0.05, 1.2)
bodies = st.integers(0, 2)
few = settings(max_examples=25)


@pytest.fixture(scope="module")
def jump(posed_soles):
    """The plan, times, clip, and joints and soles by frame, of a jump."""

    def jump(skeleton, height, times=400):
        plan = plan_jump(Stunt(name="jump", height=height), skeleton)
        at = np.linspace(0.0, plan.duration, times) if isinstance(times, int) else times(plan)
        clip = plan.sample(at)
        turned, places = skeleton.pose(clip.rotations, clip.hips)
        return plan, at, clip, places, posed_soles(skeleton, turned, places)

    return jump


@few
@given(height=heights, body=bodies)
@example(height=0.05, body=0)
@example(height=1.2, body=2)
def test_the_flight_is_a_free_fall(jump, skeletons, height, body):
    plan, at, _, places, _ = jump(skeletons[body], height, lambda plan: np.linspace(*plan.flight, 200))
    step = at[1] - at[0]
    acceleration = np.diff(centre_of_mass(places), n=2, axis=0) / step**2
    assert acceleration[:, 2] == pytest.approx(-GRAVITY, rel=0.02)
    assert np.abs(acceleration[:, :2]).max() < 0.02 * GRAVITY
    assert plan.flight[1] - plan.flight[0] > 0.1


@few
@given(height=heights, body=bodies)
@example(height=0.05, body=1)
@example(height=1.2, body=0)
def test_the_hips_rise_by_the_height(jump, skeletons, height, body):
    _, _, clip, _, _ = jump(skeletons[body], height)
    assert clip.hips[:, 2].max() - clip.hips[0, 2] == pytest.approx(height, abs=0.005)


def test_a_higher_jump_flies_longer(skeleton):
    flights = [np.ptp(plan_jump(Stunt(name="jump", height=height), skeleton).flight) for height in (0.1, 0.3, 0.6, 1.2)]
    assert np.all(np.diff(flights) > 0.1)


@few
@given(height=heights, body=bodies)
@example(height=0.05, body=1)
@example(height=1.2, body=2)
def test_feet_hold_on_the_floor_and_never_go_through_it(jump, skeletons, height, body):
    plan, at, _, _, soles = jump(skeletons[body], height)
    grounded = (at <= plan.flight[0]) | (at >= plan.flight[1])
    balls = soles[grounded][:, :, 1]
    assert np.linalg.norm(balls - balls[0], axis=-1).max() < 0.001
    assert soles[..., 2].min() > -0.001
    assert soles[~grounded][..., 2].max() > 0.03, "they leave it"


@few
@given(height=heights, body=bodies)
@example(height=0.05, body=1)
@example(height=1.2, body=0)
def test_legs_keep_to_the_limits_of_their_joints(jump, skeletons, leg_angles, height, body):
    _, _, clip, _, _ = jump(skeletons[body], height)
    for angle in leg_angles(clip):
        assert angle.low - 1 <= angle.degrees.min(), angle.name
        assert angle.degrees.max() <= angle.high + 1, angle.name
        if angle.name.endswith("bend"):
            assert angle.degrees.min() > 2, "a knee never snaps straight"


@pytest.mark.parametrize("height", [0.05, 0.4, 1.2])
def test_velocities_are_continuous(jump, skeleton, height):
    """Halving the time step halves the largest change of velocity; a jolt would stay as it is."""

    def largest_change(step):
        _, _, clip, _, _ = jump(skeleton, height, lambda plan: np.arange(0.0, plan.duration, step))
        turns = np.swapaxes(clip.rotations[:-1], -1, -2) @ clip.rotations[1:]
        joints, hips = to_vector(turns) / step, np.diff(clip.hips, axis=0) / step
        return [np.linalg.norm(np.diff(velocity, axis=0), axis=-1).max() for velocity in (joints, hips)]

    coarse, fine = largest_change(1e-3), largest_change(5e-4)
    assert (np.array(fine) < 0.6 * np.array(coarse)).all()
    assert coarse[0] < 10, "radians a second, in a millisecond"
    assert coarse[1] < 0.5, "metres a second, in a millisecond"


def test_it_begins_and_ends_standing(skeleton):
    standing = sample_pose(Pose(), skeleton)
    clip = plan_jump(Stunt(name="jump"), skeleton).sample(np.array([0.0, 1e9]))
    for frame in (0, 1):
        assert clip.hips[frame] == pytest.approx(standing.hips[0], abs=1e-4)
        assert clip.rotations[frame] == pytest.approx(standing.rotations[0], abs=1e-3)


def test_the_phase_is_where_the_first_frame_falls(skeleton):
    stunt = Stunt(name="jump", height=0.4, phase=0.5)
    duration = plan_jump(stunt, skeleton).duration
    times = np.arange(3) / FPS
    clip = perform(Pose(), stunt, skeleton, times)
    assert clip.hips == pytest.approx(plan_jump(stunt, skeleton).sample(0.5 * duration + times).hips)
    ends = perform(Pose(), stunt, skeleton, np.array([-100.0, 100.0]))
    assert ends.hips[0] == pytest.approx(ends.hips[1], abs=1e-4)
    assert clip.hips[0, 2] > ends.hips[0, 2] + 0.35, "half-way a jump is near its top"


def test_without_a_stunt_the_pose_is_held(skeleton):
    clip = perform(Pose(name="crouching"), Stunt(), skeleton, np.arange(4) / FPS)
    assert len(clip) == 4
    assert np.ptp(clip.rotations, axis=0).max() == 0


def test_arms_swing_back_then_up(jump, skeleton):
    plan, at, _, places, _ = jump(skeleton, 0.4)
    hand, shoulder, hips = (places[:, INDEX[bone]] for bone in ("leftHand", "leftUpperArm", "hips"))
    low = np.argmin(np.where(at < plan.flight[0], hips[:, 2], np.inf))
    top = np.argmax(hips[:, 2])
    assert hand[low, 1] > shoulder[low, 1] + 0.2
    assert hand[top, 2] > shoulder[top, 2] + 0.1


def test_an_unknown_stunt_is_named_with_the_nearest(skeleton):
    with pytest.raises(TemplateError, match=r"no template 'jumb' in stunts; did you mean 'jump'\?"):
        perform(Pose(), Stunt(name="jumb"), skeleton, np.zeros(1))


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("\n  low:", "\n  lowest:", "'keys.low' is missing; 'keys.lowest' is there instead"),
        ("anticipation: 0.75", "anticipation: -1", "anticipation: must be above 0.1, found -1"),
        ("bothShoulder: {raise: 30, forward: 6}", "bothShoulders: {raise: 30}", "keys.takeoff.bones: unknown bone"),
        ("recovery: 0.75", "recovery: 0.75\nrecover: 2", "unknown key 'recover'; did you mean 'recovery'?"),
    ],
)
def test_a_wrong_template_is_one_clear_message(skeleton, template, right, wrong, message):
    shipped = (TEMPLATES / "stunts" / "jump.yaml").read_text("utf-8")
    assert right in shipped
    template("poses", "standing", (TEMPLATES / "poses" / "standing.yaml").read_text("utf-8"))
    template("stunts", "odd", shipped.replace(right, wrong))
    with pytest.raises(TemplateError, match=r"^templates/stunts/odd\.yaml: ") as caught:
        perform(Pose(), Stunt(name="odd"), skeleton, np.zeros(1))
    assert message in str(caught.value)
