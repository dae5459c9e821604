"""The scalp found on heads whose own is known."""

from dataclasses import replace

import numpy as np
import pytest

from farm.double.base_mesh import base_mesh
from farm.double.own.fit import fit_head
from farm.double.own.scalp import find_scalp, scalp_area
from farm.double.own.surface import Surface
from farm.double.own.uv import cell_uvs, overlaps, usable_uvs
from farm.double.scalp import scalp_mask
from farm.double.shape import shape_vertices
from farm.errors import BadInput
from farm.recipe.parameters import Body

from .conftest import MAN, WOMAN, true_scalp

HEADS = {"woman": WOMAN, "man": MAN, "small": Body(identity=3, age=18, gender=0, height=1.5, african=0, caucasian=0),
         "heavy": Body(identity=9, age=75, gender=1, weight=0.95, height=1.95, asian=0, caucasian=0)}  # fmt: skip


def overlap(surface, found, truth):
    """Intersection over union of two scalps, by area."""
    area, one, other = surface.vertex_areas, found > 0.5, truth > 0.5
    return (area * (one & other)).sum() / (area * (one | other)).sum()


def surface_of(shape):
    base = base_mesh()
    faces = base.faces[base.groups["body"]]
    return Surface(shape, np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]]))


@pytest.fixture(scope="module", params=HEADS)
def head(request):
    shape = shape_vertices(HEADS[request.param])
    surface = surface_of(shape)
    return shape, surface, fit_head(surface)


def test_the_hairline_is_found_on_other_people(head):
    _, surface, fit = head
    assert overlap(surface, find_scalp(surface, fit), scalp_mask()) > 0.9


def test_eyes_and_chin_are_found(head):
    shape, _, fit = head
    eyes = [shape[base_mesh().group_vertices(f"joint-{side}-eye")].mean(axis=0) for side in "lr"]
    assert np.linalg.norm(fit.eyes - eyes, axis=1).max() < 0.006
    middle = shape[np.abs(shape[:, 0]) < 0.01]
    face = middle[(middle[:, 1] < fit.eyes[:, 1].mean()) & (middle[:, 2] > fit.eyes[:, 2].mean() - 0.14)]
    assert np.linalg.norm(face - fit.chin, axis=1).min() < 0.007
    assert 0.085 < fit.eyes[:, 2].mean() - fit.chin[2] < 0.13


def test_another_hairline_is_not_taken_for_this_one(head):
    _, surface, fit = head
    moved = replace(fit, surface=Surface(fit.surface.vertices + np.array([0, 0, 0.02]), fit.surface.triangles))
    assert overlap(surface, find_scalp(surface, moved), scalp_mask()) < 0.85


def test_the_same_head_gives_the_same_scalp():
    surface = surface_of(shape_vertices(WOMAN))
    assert find_scalp(surface, fit_head(surface)).tobytes() == find_scalp(surface, fit_head(surface)).tobytes()


def test_a_bowed_and_coarse_head():
    shape = shape_vertices(MAN)
    angle = np.radians(12)
    bow = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    neck = shape[base_mesh().group_vertices("joint-neck")].mean(axis=0)
    surface = surface_of((shape - neck) @ bow.T * 1.1 + neck)
    assert overlap(surface, find_scalp(surface, fit_head(surface)), scalp_mask()) > 0.87


def test_a_scalp_is_as_large_as_people_s(head):
    _, surface, fit = head
    assert 0.045 < scalp_area(surface, find_scalp(surface, fit)) < 0.08


def test_a_thing_that_is_no_head_is_refused():
    flat = Surface(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[2, 1, 0]], dtype=np.int32))
    with pytest.raises(BadInput, match="head"):
        fit_head(flat)


def test_truth_by_place_is_truth_by_vertex():
    shape = shape_vertices(WOMAN)
    body = base_mesh().group_vertices("body")
    assert np.abs(true_scalp(shape, shape[body]) - scalp_mask()[body]).max() < 0.01


@pytest.fixture(scope="module")
def mapped():
    """A head's surface, which of its triangles bear hair, and the base mesh's texture coordinates."""
    base = base_mesh()
    faces, uvs = base.faces[base.groups["body"]], base.uvs[base.groups["body"]]
    surface = surface_of(shape_vertices(WOMAN))
    corners = np.concatenate([uvs[:, [0, 1, 2]], uvs[:, [0, 2, 3]]])
    assert len(corners) == 2 * len(faces)
    return surface, (scalp_mask()[surface.triangles] > 0).any(axis=1), corners


def test_good_texture_coordinates_are_kept(mapped):
    surface, bearing, uvs = mapped
    kept, own = usable_uvs(surface, bearing, uvs * 3 + 5)
    assert own
    assert kept[bearing].min() >= 0
    assert kept[bearing].max() < 1


def test_folded_ones_are_replaced(mapped):
    surface, bearing, uvs = mapped
    folded = np.abs(uvs - uvs[bearing].mean(axis=(0, 1)))
    for bad in (folded, np.zeros_like(uvs), None):
        kept, own = usable_uvs(surface, bearing, bad)
        assert not own
        assert not overlaps(surface, bearing, kept)


def test_cells_do_not_touch():
    bearing = np.array([True, False, True, True, True, True])
    cells = cell_uvs(bearing)[bearing]
    middle = cells.mean(axis=1)
    assert len(np.unique(np.floor(middle * 3), axis=0)) == 5
    assert (np.floor(cells * 3) == np.floor(middle * 3)[:, None]).all()
