"""Hairstyles on heads that are not ours."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="an artist's file is opened by Blender")

from mathutils import Matrix

from farm.double.groom.strands import remove_groom, strand_points
from farm.double.groom.wearer import read_wearer
from farm.double.own.blend import open_blend, save_copy
from farm.double.own.dressing import groom_double
from farm.double.own.head import paint_scalp, read_head
from farm.double.own.reading import read_double
from farm.recipe.parameters import Hair
from farm.recipe.variant import stream

from .conftest import MAN, foreign

MEASURE = Path(__file__).parents[1] / "groom" / "measure.py"
_spec = importlib.util.spec_from_file_location("measure", MEASURE)
measure = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(measure)

STYLES = ("short", "shoulder_straight", "afro", "braid", "box_braids")
STRANDS = 4000
HEADS = {"default": {}, "foreign": {"change": foreign, "body": MAN}}


@pytest.fixture(scope="module", params=HEADS)
def worn(request, double_file):
    """A foreign double in its opened file, and the points of each style on it in metres."""
    path = double_file(request.param, **HEADS[request.param])
    open_blend(path)
    double = read_double(str(path))
    metres = double.metres[0]
    wearer, shells = read_wearer(double)
    grooms = {}
    for style in STYLES:
        groom = groom_double(double, Hair(style=style, seed=3, strands=STRANDS))
        points, first = strand_points(groom)
        grooms[style] = points * metres, first
        remove_groom(groom)
    return wearer, shells, grooms


@pytest.mark.parametrize("style", STYLES)
def test_as_many_strands_as_asked_for(worn, style):
    assert len(worn[2][style][1]) - 1 == pytest.approx(STRANDS, rel=0.05)


@pytest.mark.parametrize("style", STYLES)
def test_roots_lie_on_the_skin(worn, style):
    wearer, _, grooms = worn
    points, first = grooms[style]
    roots = points[first[:-1]]
    assert np.linalg.norm(wearer.settle(roots) - roots, axis=1).max() < 0.001


@pytest.mark.parametrize("style", STYLES)
def test_roots_lie_in_the_scalp(worn, style):
    from scipy.spatial import cKDTree

    wearer, _, grooms = worn
    points, first = grooms[style]
    bearing = wearer.posed[wearer.scalp > 0]
    away = cKDTree(bearing).query(points[first[:-1]])[0]
    assert np.quantile(away, 0.99) < 0.02


@pytest.mark.parametrize("style", STYLES)
def test_strands_stay_outside_the_skin(worn, style):
    _, shells, grooms = worn
    points = grooms[style][0]
    chosen = stream(1, "points").choice(len(points), 6000, replace=False)
    assert (measure.heights(measure.closed_tree(shells[0]), points[chosen]) < -0.002).mean() < 0.005


def test_the_band_of_a_tail_is_around_it_in_the_files_own_unit(double_file):
    open_blend(double_file("foreign", foreign, body=MAN))
    double = read_double("foreign")
    groom = groom_double(double, Hair(style="ponytail", seed=3, strands=500))
    band = groom.bands.matrix_world @ groom.bands.data.vertices[0].co
    points = strand_points(groom)[0]
    assert np.linalg.norm(points - np.array(band), axis=1).min() * double.metres[0] < 0.02
    assert max(groom.bands.dimensions) * double.metres[0] < 0.06


def test_hair_in_the_head_would_be_seen(worn):
    wearer, shells, grooms = worn
    points = grooms["short"][0][::5]
    middle = wearer.posed[wearer.scalp > 0.5].mean(axis=0)
    sunk = middle + (points - middle) * 0.9
    assert (measure.heights(measure.closed_tree(shells[0]), sunk) < -0.002).mean() > 0.05


def test_hair_follows_the_head_and_is_saved(double_file, tmp_path):
    path = double_file("foreign", foreign, body=MAN)
    before = path.read_bytes()
    open_blend(path)
    double = read_double(str(path))
    groom = groom_double(double, Hair(style="short", seed=1, strands=800))
    out = tmp_path / "worn.blend"
    save_copy(out)
    assert path.read_bytes() == before
    at_rest = strand_points(groom)[0]
    open_blend(out)
    hair = bpy.data.objects["groom"]
    armature = bpy.data.objects["double"]
    assert hair.parent == armature
    assert hair.data.surface == bpy.data.objects["scalp"]
    armature.pose.bones[hair.parent_bone].rotation_mode = "QUATERNION"
    armature.pose.bones[hair.parent_bone].rotation_quaternion = (0.966, 0.0, 0.259, 0.0)
    bpy.context.view_layer.update()
    turned = strand_points(replace(groom, curves=hair))[0]
    assert len(turned) == len(at_rest)
    span = np.linalg.norm(at_rest - at_rest.mean(axis=0), axis=1)
    assert np.allclose(np.linalg.norm(turned - turned.mean(axis=0), axis=1), span, rtol=1e-3, atol=0.05)
    assert np.linalg.norm(turned - at_rest, axis=1).mean() > 1.0


def test_a_painted_group_is_what_hair_grows_from(double_file):
    path = double_file("default")
    open_blend(path)
    double = read_double(str(path))
    head = read_head(double)
    paint_scalp(double, head)
    group = double.head.vertex_groups["scalp"]
    left = np.flatnonzero(head.surface.vertices[:, 0] > 0)
    group.remove(left.tolist())
    half = read_head(double)
    assert half.group == "scalp"
    assert half.area == pytest.approx(head.area / 2, rel=0.1)
    wearer, _ = read_wearer(double)
    assert wearer.rest[wearer.scalp > 0.1][:, 0].max() < 0.002


def test_a_bowed_double_is_combed_as_it_is_posed(double_file):
    path = double_file("default")
    open_blend(path)
    double = read_double(str(path))
    upright = read_wearer(double)[0]
    bone = double.armature.pose.bones["neck01"]
    bone.matrix = bone.matrix @ Matrix.Rotation(0.6, 4, "X")
    bpy.context.view_layer.update()
    bowed = read_wearer(double)[0]
    assert np.allclose(bowed.rest, upright.rest, atol=1e-6)
    crown = upright.scalp > 0.9
    assert np.linalg.norm(bowed.posed[crown] - upright.posed[crown], axis=1).mean() > 0.05
