from __future__ import annotations

import numpy as np
import pytest

from farm.double.base_mesh import base_mesh
from farm.double.scalp import ear_mask, scalp_mask

POINTS = base_mesh().vertices


def _weight_at(x, y, z):
    """Of the body vertex nearest to a place on the unshaped head."""
    body = base_mesh().group_vertices("body")
    return scalp_mask()[body[np.linalg.norm(POINTS[body] - (x, y, z), axis=1).argmin()]]


def test_hair_grows_on_the_crown_the_back_and_above_the_ears():
    assert _weight_at(0, -0.05, 0.85) == 1
    assert _weight_at(0, 0.04, 0.76) == 1
    assert _weight_at(0.075, -0.045, 0.78) == 1
    assert _weight_at(0, -0.132, 0.825) == 1


def test_no_hair_grows_on_face_ears_neck_or_helpers():
    assert _weight_at(0, -0.151, 0.77) == 0
    assert _weight_at(0.03, -0.14, 0.73) == 0
    assert _weight_at(0.06, -0.11, 0.70) == 0
    assert _weight_at(0, 0.01, 0.64) == 0
    assert scalp_mask()[ear_mask()].max() == 0
    assert scalp_mask()[13380:].max() == 0


def test_the_mask_is_soft_symmetric_and_as_large_as_a_scalp():
    weights = scalp_mask()
    assert weights.shape == (len(POINTS),)
    assert ((weights > 0.05) & (weights < 0.95)).sum() > 40
    left, right = (weights[side * POINTS[:, 0] > 0.001].sum() for side in (1, -1))
    assert left == pytest.approx(right, rel=0.02)
    quads = base_mesh().faces[base_mesh().groups["body"]]
    corners = POINTS[quads]
    areas = np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1) / 2
    assert 0.04 < (areas * weights[quads].mean(axis=1)).sum() < 0.09
