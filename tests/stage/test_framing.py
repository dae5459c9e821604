import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import TemplateError
from farm.recipe import templates
from farm.stage.framing import NEAREST, SENSOR_WIDTH, deciding_frames, fit_camera
from farm.stage.template import load_framing, load_light_set

POINTS = np.random.default_rng(3).normal(size=(200, 3)) * (0.3, 0.2, 0.9) + (0.2, -0.1, 1.0)

angles = st.floats(-1.2, 1.2)


def project(view, points, resolution):
    """Pixel coordinates (N, 2) from the top left, by the recorded matrix and intrinsics."""
    local = (points - view.matrix[:3, 3]) @ view.matrix[:3, :3]
    inside = view.intrinsics(resolution)
    x = inside["cx"] + inside["fl_x"] * local[:, 0] / -local[:, 2]
    y = inside["cy"] - inside["fl_y"] * local[:, 1] / -local[:, 2]
    assert np.all(local[:, 2] < 0)
    return np.stack([x, y], axis=1)


@given(
    azimuth=st.floats(-3.1, 3.1),
    elevation=angles,
    focal_length=st.floats(18, 200),
    margin=st.floats(0, 0.3),
    resolution=st.sampled_from([(256, 256), (320, 180), (90, 160)]),
)
def test_all_points_are_inside_and_they_fill_it(azimuth, elevation, focal_length, margin, resolution):
    view = fit_camera(
        POINTS, azimuth=azimuth, elevation=elevation, focal_length=focal_length, resolution=resolution, margin=margin
    )
    share = project(view, POINTS, resolution) / resolution
    assert share.min() >= margin - 1e-6
    assert share.max() <= 1 - margin + 1e-6
    touching = np.isclose(share, margin, atol=1e-6).any(axis=0) & np.isclose(share, 1 - margin, atol=1e-6).any(axis=0)
    depth = (view.matrix[:3, 3] - POINTS) @ view.matrix[:3, 2]
    assert depth.min() >= NEAREST - 1e-9
    assert touching.any() or depth.min() == pytest.approx(NEAREST)


@given(
    azimuth=st.floats(-3.1, 3.1),
    elevation=angles,
    focal_length=st.floats(18, 200),
    resolution=st.sampled_from([(256, 256), (320, 180), (90, 160)]),
    seed=st.integers(0, 99),
)
def test_frames_that_decide_frame_all_the_others(azimuth, elevation, focal_length, resolution, seed):
    way = np.cumsum(np.random.default_rng(seed).normal(size=(40, 1, 3)) * 0.2, axis=0) + POINTS[:20]
    asked = {"azimuth": azimuth, "elevation": elevation, "focal_length": focal_length, "resolution": resolution}
    whole = fit_camera(way.reshape(-1, 3), **asked, margin=0.1)
    frames = deciding_frames(whole, way, resolution, 0.1)
    assert len(frames) <= 5
    np.testing.assert_allclose(fit_camera(way[frames].reshape(-1, 3), **asked, margin=0.1).matrix, whole.matrix)


def test_the_camera_stands_where_the_azimuth_says():
    front = fit_camera(POINTS, azimuth=0, elevation=0, focal_length=50, resolution=(64, 64), margin=0.1)
    left = fit_camera(POINTS, azimuth=np.pi / 2, elevation=0, focal_length=50, resolution=(64, 64), margin=0.1)
    assert front.matrix[1, 3] < -1
    assert left.matrix[0, 3] > 1
    np.testing.assert_allclose(front.matrix[:3, :3].T @ front.matrix[:3, :3], np.eye(3), atol=1e-12)
    assert np.linalg.det(left.matrix[:3, :3]) == pytest.approx(1)


def test_a_wider_lens_stands_nearer():
    wide, long = (
        fit_camera(POINTS, azimuth=0.4, elevation=0.1, focal_length=focal, resolution=(64, 64), margin=0.1)
        for focal in (24, 135)
    )
    assert wide.matrix[1, 3] > long.matrix[1, 3]
    assert wide.intrinsics((64, 64))["fl_x"] == pytest.approx(24 / SENSOR_WIDTH * 64)


@pytest.mark.parametrize("name", templates.names("lights"))
def test_light_sets_are_valid(name):
    assert load_light_set(name).lamps


@pytest.mark.parametrize("name", templates.names("framings"))
def test_framings_are_valid(name):
    assert load_framing(name).margin < 0.5


def test_a_broken_template_names_file_and_field(tmp_path, monkeypatch):
    (tmp_path / "lights").mkdir()
    (tmp_path / "lights" / "odd.yaml").write_text("description: x\nworld: {image: studio, strengh: 1}\n")
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    with pytest.raises(TemplateError, match=r"odd.yaml: 'world.strength' is missing; 'world.strengh' is there instead"):
        load_light_set("odd")
