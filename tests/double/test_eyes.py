from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from mathutils import Vector
from mathutils.bvhtree import BVHTree

from farm.double.eyeball import IRIS_RADIUS, eye_of

FORWARD = Vector((0, -1, 0))


def test_an_iris_is_as_wide_as_a_human_one_and_looks_straight_ahead(build):
    double = build(identity=1)
    gaze = np.empty(len(double.eyes.data.vertices) * 3, dtype=np.float32)
    double.eyes.data.attributes["gaze"].data.foreach_get("vector", gaze)
    gaze = gaze.reshape(-1, 3)
    across = np.linalg.norm(gaze[:, [0, 2]], axis=1)
    assert 2 * across[np.abs(across - IRIS_RADIUS).argmin()] == pytest.approx(0.0117, abs=0.0002)
    points = np.array([vertex.co for vertex in double.eyes.data.vertices])
    for side, chosen in (("l", points[:, 0] > 0), ("r", points[:, 0] < 0)):
        front = points[chosen][points[chosen, 1].argmin()]
        assert front[[0, 2]] == pytest.approx(eye_of(double.shape, side).centre[[0, 2]], abs=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        {"identity": 1},
        {"identity": 2, "age": 78, "gender": 0.0},
        {"identity": 3, "gender": 1.0, "weight": 1.0, "height": 1.95},
        {"identity": 4, "african": 0, "caucasian": 0, "height": 1.5},
    ],
)
def test_eyes_lie_in_their_sockets_behind_the_lids(build, posed, values):
    double = build(**values)
    face, eyes = posed(double.body), posed(double.eyes)
    skin = BVHTree.FromPolygons(face.points.tolist(), face.faces)
    for side in "lr":
        eye = eye_of(double.shape, side)
        local = eyes.points - eye.centre
        mine = np.linalg.norm(local, axis=1) < 1.2 * eye.radius
        lidded = mine & (np.abs(local[:, 2]) > 0.0078) & (local[:, 1] < 0)
        covered = [skin.ray_cast(Vector(point), FORWARD, 0.1)[0] is not None for point in eyes.points[lidded]]
        assert np.mean(covered) > 0.99
        middle = Vector(eye.centre) + FORWARD * (eye.radius + 0.003)
        assert skin.ray_cast(middle, FORWARD, 0.1)[0] is None, "the lids are open"
