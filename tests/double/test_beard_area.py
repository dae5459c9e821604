from __future__ import annotations

import numpy as np
import pytest

from farm.double.base_mesh import base_mesh
from farm.double.beard_area import BEARD_REGIONS, beard_shares
from farm.double.face_plane import area_distance, line_distance
from farm.double.normals import vertex_normals
from farm.double.scalp import ear_mask

POINTS = base_mesh().vertices


def test_each_region_bears_hair_on_both_sides():
    assert list(beard_shares()) == list(BEARD_REGIONS)
    for share in beard_shares().values():
        x = POINTS[share > 0.5, 0]
        assert len(x) >= 5
        assert abs(x.min() + x.max()) < 0.004


def test_nothing_grows_on_lips_ears_eyes_or_away_from_the_face():
    bearing = np.max(list(beard_shares().values()), axis=0) > 0
    assert not (bearing & ear_mask()).any()
    assert POINTS[bearing, 2].max() < 0.745
    assert POINTS[bearing, 2].min() > 0.56
    front = bearing & (np.abs(POINTS[:, 0]) < 0.008)
    assert not (front & (POINTS[:, 2] > 0.651) & (POINTS[:, 2] < 0.669)).any(), "lips"
    assert POINTS[front, 2].max() < 0.682, "nostrils"


def test_sideburns_thin_out_upwards():
    share = beard_shares()["sideburns"]
    levels = [share[(POINTS[:, 2] > low) & (POINTS[:, 2] <= low + 0.012)].max() for low in (0.690, 0.705, 0.720)]
    assert levels[0] > 0.9
    assert (np.diff(levels) < -0.15).all()
    assert 0 < levels[2] < 0.55


def test_the_moustache_lies_between_nose_and_lip():
    heights = POINTS[beard_shares()["moustache"] > 0.9, 2]
    assert heights.min() > 0.650
    assert heights.max() < 0.682


def test_distances_to_an_outline_are_positive_inside():
    square = np.array([(0, 0), (2, 0), (2, 2), (0, 2)], dtype=float)
    found = area_distance(np.array([(1, 1), (0.5, 1), (3, 1), (-1, -1)], dtype=float), square)
    assert found == pytest.approx([1, 0.5, -1, -(2**0.5)])


def test_distances_to_a_line_tell_its_sides_and_what_lies_beyond_its_ends():
    line = np.array([(0, 0), (1, 0), (2, 0)], dtype=float)
    distance, beyond = line_distance(np.array([(0.5, 1), (0.5, -2), (3, 1), (-2, 0)], dtype=float), line)
    assert distance == pytest.approx([1, -2, 1, 0])
    assert beyond == pytest.approx([0, 0, 1, 2])


def test_the_underside_of_the_jaw_is_not_taken_for_the_mouth():
    """Chin, jaw and neck join without a bare patch, on the outer skin between chin and throat."""
    base = base_mesh()
    normals = vertex_normals(base.vertices, base.faces[base.groups["body"]])
    x, y, z = POINTS.T
    under = (normals[:, 2] < -0.5) & (np.abs(x) < 0.05) & (y > -0.13) & (y < -0.06) & (z > 0.595) & (z < 0.64)
    under &= ~np.isin(np.arange(len(POINTS)), np.flatnonzero(z > 0.6225 + 0.35 * np.abs(x)))
    density = np.max(list(beard_shares().values()), axis=0)
    assert under.sum() > 50
    assert (density[under] > 0.4).mean() > 0.97
