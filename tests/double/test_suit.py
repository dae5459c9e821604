from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="building a double needs Blender's Python module")

from mathutils import Vector
from mathutils.bvhtree import BVHTree

from farm.double import suit
from farm.double.base_mesh import base_mesh
from farm.errors import TemplateError
from farm.motion.apply import apply_motion
from farm.recipe import templates
from farm.recipe.parameters import Pose, Stunt


def _outside(surface, points):
    """Signed distances (N,) of points to a surface along its nearest face's normal."""
    distances = []
    for point in points:
        near, normal, _, _ = surface.find_nearest(Vector(point))
        distances.append((Vector(point) - near).dot(normal))
    return np.array(distances)


def _tree(mesh):
    return BVHTree.FromPolygons(mesh.points.tolist(), mesh.faces)


def test_body_faces_well_under_the_suit_are_left_out_and_head_and_hands_are_not(build):
    double = build()
    base = base_mesh()
    shown = np.unique([vertex for face in double.body.data.polygons for vertex in face.vertices])
    hidden = suit.hidden_vertices()
    assert 3000 < hidden.sum() < 8000
    assert not hidden[shown].all()
    for joint in ("pelvis", "l-knee", "r-elbow", "l-ankle", "l-shoulder"):
        middle = base.vertices[base.group_vertices(f"joint-{joint}")].mean(axis=0)
        assert np.linalg.norm(base.vertices[shown] - middle, axis=1).min() > 0.04
    assert not hidden[base.group_vertices("body")][base.vertices[:13380, 2] > 0.64].any()
    assert not hidden[:13380][np.abs(base.vertices[:13380, 0]) > 0.45].any()


@pytest.mark.parametrize("values", [{}, {"weight": 1.0, "gender": 1.0}, {"weight": 0.0, "gender": 0.0, "age": 75}])
def test_the_suit_lies_outside_the_body_and_on_the_ground(build, values):
    double = build(**values)
    base = base_mesh()
    body = BVHTree.FromPolygons(double.shape.tolist(), base.faces[base.groups["body"]].tolist())
    points = np.array([vertex.co for vertex in double.suit.data.vertices])
    hem = suit._pattern().lift < 0.001
    distances = _outside(body, points[~hem])
    assert np.mean(distances < 0) < 0.01
    assert np.median(distances) < 0.02
    assert points[:, 2].min() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("pose", ["standing", "walking", "reaching", "crouching"])
def test_no_skin_comes_through_the_suit_in_a_pose(build, posed, pose):
    double = build(gender=1.0)
    under = _under(double, posed)
    apply_motion(double.armature, Pose(name=pose), Stunt(), rig=double.rig, frames=range(1, 2))
    bpy.context.scene.frame_set(1)
    distances = _outside(_tree(posed(double.suit)), posed(double.body).points[under])
    assert np.mean(distances > 0.001) < 0.02


def _under(double, posed):
    """Which shown points of the evaluated body lie under the suit at rest, away from the hems of its openings."""
    body, worn = posed(double.body), _tree(posed(double.suit))
    hems = suit.suit_points(double.shape)[suit._pattern().lift < 0.001]
    used = np.unique([vertex for face in body.faces for vertex in face])
    near = [vertex for vertex in used if worn.find_nearest(Vector(body.points[vertex]), 0.02)[0] is not None]
    far = [vertex for vertex in near if np.linalg.norm(hems - body.points[vertex], axis=1).min() > 0.012]
    under = np.array(far)[_outside(worn, body.points[far]) < -0.001]
    assert len(under) > 100
    return under


def test_a_missing_colour_of_the_suit_is_named(monkeypatch):
    monkeypatch.setattr(templates, "load", lambda kind, name: {"cloth": "#000000", "seam": 0.002})
    with pytest.raises(TemplateError, match=r"stunt_suit\.yaml: 'panel' is missing"):
        suit._wardrobe("stunt_suit")
