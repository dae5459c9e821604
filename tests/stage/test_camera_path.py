"""How a camera moves over a clip: the double stays framed, the way is smooth, and the floor is never crossed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import TemplateError
from farm.recipe import templates
from farm.stage.camera_path import BEYOND, plan_path, reach
from farm.stage.framing import SENSOR_WIDTH, fit_camera
from farm.stage.template import CameraMove, load_camera_move

NAMES = templates.names("camera_moves")
MOVES = [name for name in NAMES if name != "static"]
FRAMES = range(1, 49)
RATE = 24.0
RESOLUTION = (64, 48)


def walk(move, frames=FRAMES, rate=RATE):
    """The hips of a double that runs two metres and hops, as long as the move wants to know them."""
    beyond = reach(move, rate)
    time = np.arange(-beyond, frames[-1] - frames[0] + 1 + beyond) / rate
    gone = np.clip(time, 0, 2)
    return np.column_stack([gone, -0.3 * gone, 0.9 + 0.2 * np.abs(np.sin(4 * gone))])


def plan(name, amount=1.0, frames=FRAMES):
    move = load_camera_move(name)
    return plan_path(move, amount, walk(move, frames), frames, rate=RATE)


def bodies(frames=FRAMES):
    """Points (N, 3) of the double at each frame."""
    shape = np.random.default_rng(0).uniform([-0.4, -0.2, -0.9], [0.4, 0.2, 0.9], (40, 3))
    hips = walk(CameraMove(description=""), frames)[1:-1]
    return [shape + place for place in hips]


def aim(path, elevation=0.1):
    points = [path.withdrawn(body, frame) for frame, body in zip(FRAMES, bodies(), strict=True)]
    return fit_camera(
        np.concatenate(points),
        azimuth=0.4,
        elevation=elevation,
        focal_length=50.0,
        resolution=RESOLUTION,
        margin=0.1,
    )


def spread(view, points):
    """The greatest place in the picture of points, as a share of its half, in each direction."""
    local = (points - view.matrix[:3, 3]) @ view.matrix[:3, :3]
    slope = np.array([SENSOR_WIDTH, SENSOR_WIDTH * RESOLUTION[1] / RESOLUTION[0]]) / 2 / view.focal_length
    return np.abs(local[:, :2] / -local[:, 2:] / slope).max(axis=0)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0, 2.0])
def test_the_double_stays_in_the_frame(name, amount):
    path = plan(name, amount)
    view = aim(path)
    for frame, body in zip(FRAMES, bodies(), strict=True):
        assert spread(path.view(view, frame), body).max() < 0.8 + 1e-6


@pytest.mark.parametrize("name", MOVES)
def test_a_move_is_smooth(name):
    """No velocity in metres or radians a frame leaps, not even at the clip's ends."""
    path = plan(name)
    view = aim(path)
    matrices = np.array([path.view(view, frame).matrix for frame in path.frames])
    velocity = np.diff(matrices, axis=0)
    assert np.abs(np.diff(velocity, axis=0)).max() < 0.015  # without easing, the dolly would leap by 0.09
    np.testing.assert_allclose(
        matrices[:, :3, :3] @ matrices[:, :3, :3].transpose(0, 2, 1),
        np.tile(np.eye(3), (len(matrices), 1, 1)),
        atol=1e-9,
    )


@given(name=st.sampled_from(MOVES), amount=st.floats(0, 2), elevation=st.floats(-0.6, 0.6), count=st.integers(1, 30))
def test_the_lowest_height_is_that_of_the_way(name, amount, elevation, count):
    path = plan(name, amount, range(1, 1 + count))
    view = fit_camera(
        bodies()[0], azimuth=0.2, elevation=elevation, focal_length=50.0, resolution=RESOLUTION, margin=0.1
    )
    heights = [path.view(view, frame).matrix[2, 3] for frame in path.frames]
    assert path.lowest(view) == pytest.approx(min(heights), abs=1e-9)


def test_following_keeps_the_distance_and_dollying_changes_it():
    hips = walk(CameraMove(description=""))[1:-1]

    def distances(name):
        path = plan(name)
        view = aim(path)
        places = np.array([path.view(view, frame).matrix[:3, 3] for frame in FRAMES])
        return np.linalg.norm((places - hips)[:, :2], axis=1), np.linalg.norm(places - path.pivot, axis=1)

    assert np.ptp(distances("follow")[0]) < 0.2 < np.ptp(distances("orbit")[0])
    near, far = distances("dolly_in")[1][[-1, 0]]
    assert far / near == pytest.approx(2, rel=0.1)
    far, near = distances("dolly_out")[1][[-1, 0]]
    assert far / near == pytest.approx(2, rel=0.1)


def test_an_orbit_has_the_azimuth_in_its_middle():
    path = plan("orbit")
    assert np.degrees(path.turn[[1, -2]]) == pytest.approx([-20, 20])
    assert plan("orbit", frames=range(7, 8)).turn == pytest.approx(0)


def test_only_a_camera_on_its_tripod_is_still():
    assert [name for name in NAMES if load_camera_move(name).still] == ["static"]


def test_the_way_is_smoothed_as_far_as_it_is_known():
    move = load_camera_move("follow")
    assert reach(move, RATE) == 1 + np.ceil(BEYOND * move.follow.smooth * RATE)
    assert reach(load_camera_move("orbit"), RATE) == 1


def test_an_unknown_move_names_the_nearest():
    with pytest.raises(TemplateError, match="did you mean 'orbit'"):
        load_camera_move("orbt")
