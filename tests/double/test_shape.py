from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.double.base_mesh import base_mesh
from farm.double.shape import shape_vertices, stature
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Body

DIGEST = """
import hashlib
from farm.double.shape import shape_vertices
from farm.recipe.parameters import Body
print(hashlib.sha256(shape_vertices(Body(identity=5, age=61, gender=0.8)).tobytes()).hexdigest())
"""

share = st.floats(0, 1)
bodies = st.builds(
    Body,
    identity=st.integers(0, 2**31 - 1),
    age=st.floats(18, 80),
    gender=share,
    height=st.floats(1.45, 2.05),
    weight=share,
    muscle=share,
    african=share,
    asian=share,
    caucasian=st.floats(0.01, 1),
)


@settings(max_examples=20, deadline=None)
@given(bodies)
def test_stature_is_the_height_asked_for_on_the_ground(body):
    vertices = shape_vertices(body)
    assert stature(vertices) == pytest.approx(body.height, abs=0.001)
    assert vertices[base_mesh().group_vertices("body"), 2].min() == pytest.approx(0.0, abs=1e-9)
    assert np.isfinite(vertices).all()


def test_equal_seeds_give_equal_vertices_in_two_processes():
    runs = [
        subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_identity_moves_the_face_by_millimetres():
    one, other = (shape_vertices(Body(identity=seed)) for seed in (1, 2))
    moved = np.linalg.norm(one - other, axis=1)[base_mesh().group_vertices("body")]
    assert 0.002 < moved.max() < 0.03


def test_a_face_is_nearly_symmetric():
    vertices = shape_vertices(Body(identity=9))
    left, right = (vertices[base_mesh().group_vertices(f"helper-{side}-eye")].mean(axis=0) for side in "lr")
    assert left == pytest.approx(right * (-1, 1, 1), abs=2e-3)
    assert left != pytest.approx(right * (-1, 1, 1), abs=1e-6)


def test_a_face_varies_alone():
    """Another face on the same body: nothing below the neck moves, nor does the height."""
    one, other = (shape_vertices(Body(identity=3, face=face)) for face in (1, 2))
    moved = np.linalg.norm(one - other, axis=1)
    neck = one[base_mesh().group_vertices("joint-neck"), 2].mean()
    assert moved[one[:, 2] < neck - 0.06].max() == 0
    assert moved.max() > 0.002
    assert stature(one) == pytest.approx(stature(other), abs=1e-9)


def test_a_face_of_its_own_is_the_identitys():
    assert np.array_equal(shape_vertices(Body(identity=3)), shape_vertices(Body(identity=3, face=3)))


def test_bodies_differ_where_faces_are_alike():
    one, other = (shape_vertices(Body(identity=identity, face=1)) for identity in (5, 6))
    chest = base_mesh().group_vertices("helper-tights")
    assert np.linalg.norm(one - other, axis=1)[chest].max() > 0.004


def test_identity_and_age_vary_independently():
    def change(identity):
        old, young = (shape_vertices(Body(identity=identity, age=age)) for age in (75, 25))
        return old - young

    assert np.abs(change(1) - change(2)).max() < 0.005
    assert np.abs(change(1)).max() > 0.005


@pytest.mark.parametrize("row", [["nose/nose-hump-decr", 0.0], ["a", "b", 0.0, -1]])
def test_a_broken_table_of_faces_is_named(monkeypatch, row):
    load = templates.load
    broken = {"description": "x", "details": [row]}
    monkeypatch.setattr(templates, "load", lambda kind, name: broken if kind == "faces" else load(kind, name))
    with pytest.raises(TemplateError, match=r"faces/variation\.yaml: details"):
        shape_vertices(Body())
