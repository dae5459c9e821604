from dataclasses import replace

import numpy as np
import pytest

from farm.double.groom.style import Parting
from farm.double.groom.surface import build_scalp, farthest_points, head_frame, parting_distance, sample_roots
from farm.recipe.variant import stream


def turned(points, angle, offset):
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    return points @ rotation.T + offset


def test_frame_recovers_a_rigid_motion(head):
    posed = replace(head[0], posed=turned(head[0].rest, 0.7, (0.1, 0.2, -0.3)))
    frame = head_frame(posed)
    local = posed.rest[:50] - frame.centre
    assert np.allclose(frame.to_world(local), posed.posed[:50], atol=1e-9)
    assert np.allclose(frame.to_local(posed.posed[:50]), local, atol=1e-9)
    assert np.isclose(np.linalg.det(frame.rotation), 1)


def test_parting_cuts_the_scalp_without_losing_any(head):
    frame = head_frame(head[0])
    whole = build_scalp(head[0], frame, Parting())
    parting = Parting(side="left", offset=0.03)
    parted = build_scalp(head[0], frame, parting)
    assert parted.areas().sum() == pytest.approx(whole.areas().sum(), rel=1e-9)
    assert set(np.unique(parted.side)) == {-1, 1}
    assert (parted.side[parted.triangles] == parted.side[parted.triangles[:, :1]]).all()
    assert (parting_distance(parted.local, parting) * parted.side > -2 * parting.waviness).all()


def test_texture_coordinates_on_the_scalp_are_its_own(head):
    scalp = build_scalp(head[0], head_frame(head[0]), Parting())
    edges = scalp.uvs[:, 1:] - scalp.uvs[:, :1]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    assert (np.abs(area) > 0).all() and len(np.unique(np.sign(area))) == 1


def test_farthest_points_are_spread_for_every_count():
    points = stream(1, "square").random((4000, 3)) * (1, 1, 0)
    chosen = farthest_points(points, 200)
    assert (farthest_points(points, 60) == chosen[:60]).all()
    apart = np.linalg.norm(points[chosen][:, None] - points[chosen][None], axis=-1) + 9 * np.eye(200)
    assert apart.min() > 0.6 / np.sqrt(200)


def test_roots_lie_on_the_scalp(head):
    parting = Parting(side="centre")
    scalp = build_scalp(head[0], head_frame(head[0]), parting)
    roots = sample_roots(scalp, parting, 300, stream(5, "roots"))
    assert np.allclose(np.linalg.norm(roots.normals, axis=1), 1)
    nearest = np.linalg.norm(roots.posed[:, None] - scalp.posed[None], axis=-1).min(axis=1)
    assert nearest.max() < 0.012
    assert (np.sign(parting_distance(roots.local, parting)) == roots.side).all()
