from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="beards are grown in Blender")

from mathutils.bvhtree import BVHTree
from scipy.spatial import cKDTree

from farm.double.base_mesh import base_mesh
from farm.double.body import Look, build_double
from farm.double.groom.beard import beard_hair, build_beard
from farm.double.groom.beard_style import load_beard
from farm.double.groom.strands import remove_groom, strand_points
from farm.double.groom.wearer import read_wearer
from farm.double.own.reading import OwnDouble
from farm.errors import BadInput, TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Beard, Body, Face, Hair, Skin
from tests.double.groom.measure import heights

BEARDS = [name for name in templates.names("beards") if name != "clean_shaven"]
HAIR = Hair(seed=7, strands=6000)
FACES = {
    "woman": (Body(gender=0.0, identity=3), Face()),
    "shouting man": (Body(gender=1.0, age=55), Face(expression="shout")),
}


@pytest.fixture(scope="module", params=FACES)
def wearer(request):
    """Each beard on one double, as numbers."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("double")
    bpy.context.scene.collection.children.link(collection)
    body, face = FACES[request.param]
    if face.expression not in templates.names("expressions"):
        face = Face()
    double = build_double(Look(body=body, skin=Skin(), face=face), collection)
    beards = {}
    for name in BEARDS:
        groom = build_beard(double, HAIR, Beard(style=name), collection=collection)
        beards[name] = (*strand_points(groom), groom.strands)
        remove_groom(groom)
    tree = BVHTree.FromObject(double.body, bpy.context.evaluated_depsgraph_get())
    return SimpleNamespace(double=double, beards=beards, tree=tree, head=read_wearer(double)[0])


@pytest.mark.parametrize("name", BEARDS)
def test_roots_are_on_the_skin(wearer, name):
    points, first, _ = wearer.beards[name]
    assert np.abs(heights(wearer.tree, points[first[:-1]][::5])).max() < 0.001


@pytest.mark.parametrize("name", BEARDS)
def test_strands_stay_outside_of_the_skin(wearer, name):
    points = wearer.beards[name][0]
    chosen = np.random.default_rng(1).choice(len(points), min(4000, len(points)), replace=False)
    assert (heights(wearer.tree, points[chosen]) < -0.002).mean() < 0.005


@pytest.mark.parametrize("name", BEARDS)
def test_no_strand_reaches_an_eye_or_the_inside_of_the_mouth(wearer, name):
    points, _, _ = wearer.beards[name]
    body = base_mesh().group_vertices("body")
    base = base_mesh().vertices[body]
    inner = (np.abs(base[:, 0]) < 0.02) & (np.abs(base[:, 2] - 0.656) < 0.02) & (np.abs(base[:, 1] + 0.12) < 0.02)
    assert inner.sum() > 20
    assert cKDTree(wearer.head.posed[body[inner]]).query(points)[0].min() > 0.002
    moved = wearer.head.posed[body].mean(axis=0) - wearer.head.rest[body].mean(axis=0)
    assert cKDTree(wearer.head.eyes + moved).query(points)[0].min() > 0.02


@pytest.mark.parametrize("name", BEARDS)
def test_as_many_strands_as_asked_for_grow(wearer, name):
    wanted = beard_hair(HAIR, load_beard(name), 1.0).strands
    assert wearer.beards[name][2] == pytest.approx(wanted, rel=0.03)


def test_a_full_beard_covers_more_than_a_moustache_and_stands_further_out_than_stubble(wearer):
    spread = {name: np.ptp(points[first[:-1]], axis=0)[2] for name, (points, first, _) in wearer.beards.items()}
    out = {name: heights(wearer.tree, points[::11]).max() for name, (points, _, _) in wearer.beards.items()}
    assert spread["full_beard"] > 3 * spread["moustache"]
    assert out["stubble"] < 0.0035
    assert out["full_beard"] > 0.012


def test_equal_seeds_give_equal_beards(wearer):
    double = wearer.double
    found = []
    for seed in (7, 7, 8):
        hair = HAIR.model_copy(update={"seed": seed})
        groom = build_beard(double, hair, Beard(style="goatee"), collection=double.collection)
        found.append(strand_points(groom)[0])
        remove_groom(groom)
    assert np.array_equal(found[0], found[1])
    assert found[0].shape != found[2].shape or not np.array_equal(found[0], found[2])


def test_length_is_a_multiple_of_the_styles_own(wearer):
    double = wearer.double
    reach = []
    for length in (0.5, 2.0):
        groom = build_beard(double, HAIR, Beard(style="full_beard", length=length), collection=double.collection)
        points, first = strand_points(groom)
        ends = points[first[1:] - 1] - points[first[:-1]]
        reach.append(np.median(np.linalg.norm(ends, axis=1)))
        remove_groom(groom)
    assert 2.2 < reach[1] / reach[0] < 5.0


def test_clean_shaven_is_no_groom(wearer):
    before = len(bpy.data.objects)
    assert build_beard(wearer.double, HAIR, Beard(), collection=wearer.double.collection) is None
    assert len(bpy.data.objects) == before


def test_a_beard_on_an_artists_double_is_one_clear_message():
    own = OwnDouble(**{field.name: None for field in fields(OwnDouble)} | {"head": SimpleNamespace(name="Face")})
    with pytest.raises(BadInput, match=r"^beard\.style: 'goatee' grows on .* 'Face' .*; set it to 'clean_shaven'$"):
        build_beard(own, HAIR, Beard(style="goatee"), collection=None)
    assert build_beard(own, HAIR, Beard(), collection=None) is None


def test_the_beard_is_redder_than_the_head_and_never_dyed():
    hair = Hair(redness=0.2, melanin=0.5, dye=1.0)
    worn = beard_hair(hair, load_beard("stubble"), 1.0)
    assert worn.redness > hair.redness
    assert worn.melanin > hair.melanin
    assert worn.dye == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"regions": {"chinn": {"length": 0.01}}},
            r"beards/stubble\.yaml: regions: unknown region 'chinn'; did you mean",
        ),
        ({"regions": {"chin": {"length": 9}}}, r"beards/stubble\.yaml: regions\.chin\.length: must be at most 0\.4"),
        ({"shar": 1}, r"beards/stubble\.yaml: unknown key 'shar'; did you mean 'share'\?"),
    ],
)
def test_a_wrong_beard_is_one_clear_message(monkeypatch, change, message):
    whole = templates.load("beards", "stubble")
    monkeypatch.setattr(templates, "load", lambda kind, name: whole | change)
    with pytest.raises(TemplateError, match=message):
        load_beard("stubble")
