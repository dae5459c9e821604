"""Every stunt obeys physics and anatomy, at every setting and on every body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from farm.errors import TemplateError
from farm.motion import FPS, perform, sample_pose
from farm.motion.curve import flow
from farm.motion.flesh import CAPSULES, overlaps, sole_points, surface_points
from farm.motion.joint_angles import angles_of, beyond_limits
from farm.motion.mass import centre_of_mass
from farm.motion.rotation import to_vector
from farm.motion.skeleton import BONES, INDEX, SIDES
from farm.motion.stunt import GRAVITY, plan_stunt
from farm.recipe import templates
from farm.recipe.parameters import Pose, Stunt

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = templates.names("stunts")
few = settings(max_examples=24, deadline=None)

stunts = st.builds(
    Stunt,
    name=st.sampled_from(NAMES),
    height=st.floats(0.5, 2.0),
    distance=st.floats(0.5, 1.5),
    speed=st.floats(0.6, 1.6),
    timing=st.floats(0.5, 2.0),
    rotations=st.integers(1, 2),
)
bodies = st.integers(0, 2)
EXTREMES = [
    {"height": 0.5, "distance": 1.5, "speed": 1.6, "timing": 0.5},
    {"height": 2.0, "distance": 0.5, "speed": 0.6, "timing": 2.0, "rotations": 2},
    {"height": 1.0},
]


_plans = {}


def planned(stunt, skeleton):
    """A stunt planned for a body, once for all tests."""
    key = stunt.model_dump_json(), skeleton.joints.tobytes()
    if key not in _plans:
        _plans[key] = plan_stunt(stunt, skeleton)
    return _plans[key]


class Played:
    """A stunt sampled at times: its clip, and what the skeleton makes of it."""

    def __init__(self, stunt, skeleton, rate=240.0, times=None):
        self.name = stunt.name
        self.plan = planned(stunt, skeleton).plan
        self.at = np.arange(0.0, self.plan.duration, 1.0 / rate) if times is None else times(self.plan)
        self.clip = self.plan.sample(self.at)
        self.turned, self.places = skeleton.pose(self.clip.rotations, self.clip.hips)
        self.skeleton = skeleton

    def within(self, spans, margin=0.0):
        return np.any([(self.at >= a - margin) & (self.at <= b + margin) for a, b in spans] or [self.at < 0], axis=0)


@pytest.fixture(scope="module", params=[(name, body) for name in NAMES for body in range(3)], ids=str)
def played(request, skeletons):
    name, body = request.param
    return Played(Stunt(name=name), skeletons[body])


def test_there_are_the_stunts_that_a_coordinator_asks_for():
    assert len(NAMES) >= 15
    for name in ("jump", "long_jump", "forward_roll", "back_flip", "side_flip", "cartwheel", "punch", "punch_reaction",
                 "front_kick", "spin_kick", "trip_and_fall", "high_fall", "slide", "vault", "blast", "wire_pull",
                 "getting_up", "dive_roll"):  # fmt: skip
        assert name in NAMES


@few
@given(stunt=stunts, body=bodies)
@example(stunt=Stunt(name="long_jump", height=0.5, distance=1.5), body=1)
@example(stunt=Stunt(name="back_flip", height=0.5, rotations=2), body=2)
@example(stunt=Stunt(name="high_fall", height=2.0), body=0)
@example(stunt=Stunt(name="vault"), body=1)
def test_every_setting_can_be_played_and_flights_are_free_falls(skeletons, stunt, body):
    played = Played(stunt, skeletons[body], rate=60.0)
    assert np.isfinite(played.clip.hips).all()
    assert np.isfinite(played.clip.rotations).all()
    assert 0.8 < played.plan.duration < 14.0
    plan = played.plan
    for start, end in plan.airborne:
        at = np.linspace(start, end, 100)
        clip = plan.sample(at)
        _, places = skeletons[body].pose(clip.rotations, clip.hips)
        acceleration = np.diff(centre_of_mass(places), n=2, axis=0) / (at[1] - at[0]) ** 2
        assert acceleration[:, 2] == pytest.approx(-GRAVITY, rel=0.02)
        assert np.abs(acceleration[:, :2]).max() < 0.02 * GRAVITY


@pytest.mark.parametrize("name", ["jump", "back_flip", "side_flip", "vault", "high_fall", "blast", "wire_pull"])
def test_what_should_fly_flies(skeleton, name):
    plan = planned(Stunt(name=name), skeleton).plan
    assert sum(end - start for start, end in plan.airborne) > 0.3


def test_joints_keep_to_their_limits(played):
    angles = angles_of(played.clip.rotations)
    beyond = beyond_limits(angles)
    beyond[:, INDEX["hips"]] = 0.0
    for side in SIDES:
        arm = INDEX[f"{side}UpperArm"]
        beyond[np.abs(angles[:, arm, 1]) < 12.0, arm] = 0.0  # level arms: swing and twist are one there
    worst = np.unravel_index(beyond.argmax(), beyond.shape)
    assert beyond.max() < 1.0, (BONES[worst[1]], worst[2], played.at[worst[0]])


def test_limbs_and_trunk_stay_out_of_one_another(played):
    for pair, depth in overlaps(played.skeleton, played.turned, played.places).items():
        assert depth.max() < 0.01, (pair, played.at[depth.argmax()])


def test_nothing_goes_through_the_floor(played):
    """A body that falls onto something gives way; the mat that a high fall ends on, too."""
    points = surface_points(played.skeleton, played.turned, played.places)[..., 2]
    depth = played.plan._floor(played.at)[:, None] - points
    fallen = played.within([(end, end + 0.6) for _, end in played.plan.airborne if body_lands(played.plan, end)])
    hands = [2 * k + end for k, c in enumerate(CAPSULES) if c.group.endswith("Hand") for end in range(2)]
    assert depth[fallen].max(initial=0.0) < 0.5
    assert depth[~fallen][:, hands].max() < 0.01
    depth[:, hands] = 0.0
    worst = np.unravel_index(np.where(fallen[:, None], 0.0, depth).argmax(), depth.shape)
    assert depth[~fallen].max() < 0.025, (worst[1], played.at[worst[0]])


def test_planted_feet_stay_where_they_are(played):
    soles = sole_points(played.skeleton, played.turned, played.places)
    for side in range(2):
        for run in played.plan.runs[side]:
            during = (played.at >= run.times[0]) & (played.at <= run.times[-1])
            if during.sum() < 2 or run.heels.min() < 0.0:
                continue
            assert np.ptp(run.places, axis=0).max() < 0.02, "a foothold is kept"
            assert np.linalg.norm(soles[during, side, 1] - run.places[0], axis=-1).max() < 0.02


def test_held_hands_stay_where_they_are(played):
    for side, name in enumerate(SIDES):
        wrist = played.places[:, INDEX[f"{name}Hand"]]
        for run in played.plan.runs[2 + side]:
            during = (played.at >= run.times[0]) & (played.at <= run.times[-1])
            where = flow(run.times, run.places, played.at[during]) if len(run.times) > 1 else run.places[0]
            assert np.linalg.norm(wrist[during] - where, axis=-1).max(initial=0.0) < 0.035


@pytest.mark.parametrize("name", NAMES)
def test_velocities_are_continuous(skeleton, name):
    """Halving the time step about halves the largest change of velocity; a jolt would stay as it is."""
    assert_smooth(Stunt(name=name), skeleton)


@pytest.mark.parametrize(
    "chain",
    [
        {"name": "high_fall", "then": "getting_up", "last": "punch"},
        {"name": "jump", "then": "back_flip", "last": "front_kick", "blend": 1.0},
        {"name": "blast", "then": "getting_up", "last": "spin_kick", "blend": 0.0},
    ],
    ids=str,
)
def test_velocities_are_continuous_across_chained_stunts(skeleton, chain):
    assert_smooth(Stunt(**chain), skeleton)


def assert_smooth(stunt, skeleton):
    played = Played(stunt, skeleton, rate=800.0)

    def largest(every):
        rotations, hips, rate = played.clip.rotations[::every], played.clip.hips[::every], 800.0 / every
        turns = np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:]
        speeds = to_vector(turns) * rate, np.diff(hips, axis=0) * rate
        return np.array([np.linalg.norm(np.diff(v, axis=0), axis=-1).max() for v in speeds])

    coarse, fine = largest(2), largest(1)
    assert (fine < 0.75 * coarse + [1.0, 0.4]).all(), (coarse, fine)
    assert fine[0] < 35.0, "radians a second, in 1.25 ms"
    assert fine[1] < 1.5, "metres a second, in 1.25 ms"


@pytest.mark.parametrize("settings_", EXTREMES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_stunts_end_in_their_pose(skeleton, name, settings_):
    stunt = Stunt(name=name, **settings_)
    ends = templates.load("stunts", name).get("end")
    clip = planned(stunt, skeleton).sample(np.array([1e9]))
    if ends is None:
        _, places = skeleton.pose(clip.rotations, clip.hips)
        assert places[0, INDEX["head"], 2] - clip.hips[0, 2] < 0.4, "it lies"
        return
    standing = sample_pose(Pose(name=ends), skeleton)
    _, places = skeleton.pose(clip.rotations, clip.hips)
    _, wanted = skeleton.pose(standing.rotations, standing.hips)
    assert places[0] - places[0, INDEX["hips"]] == pytest.approx(wanted[0] - standing.hips[0], abs=0.02)
    assert clip.hips[0, 2] == pytest.approx(standing.hips[0, 2], abs=0.005)


@pytest.mark.parametrize("height", [0.5, 1.0, 2.0])
def test_a_jump_rises_by_its_height(skeleton, height):
    own = templates.load("stunts", "jump")["height"]
    played = Played(Stunt(name="jump", height=height), skeleton)
    centre = centre_of_mass(played.places)[:, 2]
    assert centre.max() - centre[0] == pytest.approx(height * own, abs=0.05)


def test_higher_flies_longer_and_farther_lands_farther(skeleton):
    flights = [np.ptp(planned(Stunt(name="jump", height=h), skeleton).plan.airborne[0]) for h in (0.5, 1.0, 2.0)]
    assert np.all(np.diff(flights) > 0.05)
    ends = [
        planned(Stunt(name="long_jump", distance=d), skeleton).sample(np.array([9.0])).hips[0, 1] for d in (0.5, 1, 1.5)
    ]
    assert np.all(np.diff(ends) < -0.5)


def test_rotations_are_counted(skeleton):
    def turned(rotations):
        plan = planned(Stunt(name="back_flip", rotations=rotations), skeleton).plan
        return plan.turning(np.array([plan.duration]))[0, 0] / (2 * np.pi)

    assert [turned(1), turned(2)] == pytest.approx([-1, -2])


def test_a_tuck_turns_faster_than_a_stretch(skeleton):
    plan = planned(Stunt(name="back_flip"), skeleton).plan
    start, end = plan.airborne[0]
    at = np.linspace(start, end, 200)
    pace = np.abs(np.gradient(plan.turning(at)[:, 0], at))
    assert pace.max() > 1.5 * pace[0]


def test_speed_and_timing_change_the_ground_and_not_the_fall(skeleton):
    plain, fast = (planned(Stunt(name="back_flip", speed=s), skeleton).plan for s in (1.0, 1.6))
    assert np.ptp(fast.airborne[0]) == pytest.approx(np.ptp(plain.airborne[0]), rel=0.02)
    slow = planned(Stunt(name="back_flip", timing=2.0), skeleton).plan
    assert slow.duration > plain.duration + 0.5


def test_a_mirrored_stunt_is_the_other_way_round(skeleton):
    plain, other = (planned(Stunt(name="punch", mirror=m), skeleton) for m in (False, True))
    at = np.linspace(0.0, plain.duration, 40)
    _, first = skeleton.pose(*_pose(plain.sample(at)))
    _, second = skeleton.pose(*_pose(other.sample(at)))
    assert first[:, INDEX["rightHand"]] * [-1, 1, 1] == pytest.approx(second[:, INDEX["leftHand"]], abs=0.01)


def test_a_direction_turns_the_whole_stunt(skeleton):
    plain, turned = (planned(Stunt(name="long_jump", direction=d), skeleton).sample(np.array([9.0])) for d in (0, 90))
    assert turned.hips[0, 0] == pytest.approx(-plain.hips[0, 1], abs=1e-6)
    assert turned.hips[0, 0] > 1.0, "to the double's left"


def _pose(clip):
    return clip.rotations, clip.hips


def test_a_stunt_begins_and_ends_in_the_poses_that_are_asked_for(skeleton):
    stunt = Stunt(name="jump", start="crouching", end="crouching")
    clip = planned(stunt, skeleton).sample(np.array([0.0, 1e9]))
    held = sample_pose(Pose(name="crouching"), skeleton)
    for frame in (0, 1):
        assert clip.hips[frame, 2] == pytest.approx(held.hips[0, 2], abs=0.005)


@pytest.mark.parametrize("where", ["start", "end"])
def test_feet_step_to_where_a_pose_has_them(skeleton, where):
    played = Played(Stunt(name="jump", **{where: "fighting_guard"}), skeleton)
    soles = sole_points(played.skeleton, played.turned, played.places)
    balls = soles[played.at > played.plan.airborne[-1][1] + 0.2][:, :, 1]
    lifted = balls[..., 2] > 0.025
    assert lifted.any(axis=0).all(), "each foot steps"
    assert not lifted.all(axis=1).any(), "one after the other"
    moved = np.linalg.norm(np.diff(balls[..., :2], axis=0), axis=-1) * 240.0
    assert moved[balls[1:, :, 2] < 0.004].max() < 0.5, "and does not slide there"


def test_a_pose_that_does_not_stand_neither_begins_nor_ends_a_stunt(skeleton):
    with pytest.raises(TemplateError, match=r"jump cannot end in the pose 'sitting'.*these do: .*standing"):
        plan_stunt(Stunt(name="jump", end="sitting"), skeleton)


def test_the_phase_is_where_the_first_frame_falls(skeleton):
    stunt = Stunt(name="jump", phase=0.5)
    performance = planned(stunt, skeleton)
    times = np.arange(3) / FPS
    clip = perform(Pose(), stunt, skeleton, times)
    assert clip.hips == pytest.approx(performance.sample(0.5 * performance.duration + times).hips)


def test_without_a_stunt_the_pose_is_held(skeleton):
    clip = perform(Pose(name="crouching"), Stunt(), skeleton, np.arange(4) / FPS)
    assert len(clip) == 4
    assert np.ptp(clip.rotations, axis=0).max() == 0


def test_equal_stunts_are_equal_bit_for_bit(skeleton):
    stunt = Stunt(name="dive_roll", height=1.3, speed=0.9)
    at = np.linspace(0.0, 3.0, 50)
    first, second = (plan_stunt(stunt, skeleton).sample(at) for _ in range(2))
    assert np.array_equal(first.rotations, second.rotations)
    assert np.array_equal(first.hips, second.hips)


def test_what_does_not_fit_together_is_named(skeleton):
    with pytest.raises(TemplateError, match=r"jump cannot follow high_fall, which ends supine.*getting_up"):
        plan_stunt(Stunt(name="high_fall", then="jump"), skeleton)
    with pytest.raises(TemplateError, match=r"high_fall cannot follow jump: it begins on a platform; play it first"):
        plan_stunt(Stunt(name="jump", then="high_fall"), skeleton)


def test_an_unknown_stunt_is_named_with_the_nearest(skeleton):
    with pytest.raises(TemplateError, match=r"no template 'jumb' in stunts; did you mean 'jump'\?"):
        perform(Pose(), Stunt(name="jumb"), skeleton, np.zeros(1))


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("    time: 0.75\n    rest: true\n    knee: 88", "    rest: true\n    knee: 88", "keys.low: 'time' is missing"),
        ("    knee: 88", "    knees: 88", "unknown key 'keys.low.knees'; did you mean"),
        ("    knee: 88", "    knee: 888", "keys.low.knee: must be at most 140"),
        ("bothShoulder: {raise: 30, forward: 6}", "bothShoulders: {raise: 30}", "keys.takeoff.bones: unknown bone"),
        ("    at: 0.5\n", "", "keys.apex: 'at' is missing"),
        ("    contact: [left, right]\n    knee: 58", "    contact: [leftfoot]\n    knee: 58", "keys.landing.contact"),
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


def body_lands(plan, end):
    """Whether a flight that ends then ends on the body."""
    return any(abs(start - end) < 1e-9 for start, _ in plan.lying)
