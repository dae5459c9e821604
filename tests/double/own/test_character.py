"""An artist's character: taken out of its scene into one file, and cast on a stage that it leaves without a trace."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="an artist's file is opened by Blender")

from farm.double.own.guest import invite
from farm.double.own.sealing import packed_character, seal_double
from farm.double.rig_table import named_bones, read_table
from farm.errors import BadInput
from farm.recipe import load_recipe, parse_recipe
from farm.render.blender import open_scene
from farm.stage.apply import Stage

from .characters import BODY, rigify_hero
from .conftest import remove_bones

RECIPE = """
digidouble: recipe/1
name: hero
seed: 2
count: 2
double: {{file: {file}{more}}}
axes:
  pose: {{name: {{choose: [standing, reaching]}}}}
  camera: {{framing: full, azimuth: {{uniform: [0, 30]}}}}
capture: {{resolution: [64, 64], samples: [1], reference: 4}}
"""


@pytest.fixture(scope="module")
def hero(tmp_path_factory):
    """A character on a generated rig that stands turned and large somewhere in a set."""
    return rigify_hero(tmp_path_factory.mktemp("hero") / "hero.blend", facing=0.7, scale=100.0)


@pytest.fixture(scope="module")
def packed(hero):
    return packed_character(hero)


@pytest.fixture
def collection():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    made = bpy.data.collections.new("stage")
    bpy.context.scene.collection.children.link(made)
    return made


def names(things):
    return sorted(thing.name for thing in things)


def all_data():
    return {(type(each).__name__, each.name) for each in bpy.data.all_ids}


def test_all_that_it_uses_is_in_its_file_and_nothing_else(hero, packed, collection, tmp_path):
    alone = shutil.copy(packed, tmp_path / "alone.blend")
    guest = invite(alone, collection, keep_hair=True)
    assert names(collection.objects) == [
        *("Hero Body", "Hero Brows", "Hero Cape", "Hero Hair", "Hero Rig", "Proxy", "double place"),
    ]
    assert bpy.data.objects["Proxy"].hide_render
    assert not bpy.data.libraries
    assert bpy.data.objects["Hero Cape"].data.materials[0].name == "Velvet"
    (texture,) = bpy.data.images
    assert texture.packed_file is not None
    assert not bpy.data.texts
    assert guest.rig == "rigify_generated"
    animation = guest.armature.animation_data
    assert (animation.action, len(animation.nla_tracks)) == (None, 0)
    assert len(animation.drivers) > 10
    assert guest.head.modifiers["Smooth"].levels == 1


def test_it_stands_as_the_built_in_double_does(packed, collection):
    from farm.double.shape import shape_vertices, stature

    guest = invite(packed, collection, keep_hair=False)
    low, high = guest.rest_skin.min(axis=0), guest.rest_skin.max(axis=0)
    assert low[2] == pytest.approx(0.0, abs=1e-3)
    assert high[2] == pytest.approx(stature(shape_vertices(BODY)), abs=0.02)
    assert np.allclose(guest.stance.axes, np.eye(3), atol=1e-3)
    assert np.allclose(guest.joint("hips")[:2], 0.0, atol=1e-3)
    assert guest.metres[0] == 1.0


def test_hair_on_the_scalp_goes_and_brows_stay(packed, collection):
    invite(packed, collection, keep_hair=False)
    assert "Hero Brows" in collection.objects
    assert "Hero Hair" not in collection.objects


def test_equal_characters_are_equal_bytes_wherever_they_lie(hero, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path / "cache"))
    for file in ("hero.blend", "skin.png", "cloth.blend"):
        shutil.copy(hero.parent / file, tmp_path / file)
    again = packed_character(tmp_path / "hero.blend")
    assert again.parent != packed.parent
    assert again.read_bytes() == packed.read_bytes()


def test_an_unchanged_one_is_not_opened_again_and_a_changed_texture_is_seen(hero, packed, tmp_path, monkeypatch):
    from farm.double.own import sealing

    def refuse(*_):
        raise AssertionError("Blender was started")

    monkeypatch.setattr(sealing, "_run_blender", refuse)
    assert packed_character(hero) == packed
    before = (hero.parent / "skin.png").read_bytes()
    (hero.parent / "skin.png").write_bytes(before + b"changed")
    try:
        with pytest.raises(AssertionError, match="Blender was started"):
            packed_character(hero)
    finally:
        (hero.parent / "skin.png").write_bytes(before)
    packed.with_name("other").write_bytes(b"")
    assert packed_character(hero) == packed


def recipe_of(folder, file, more=""):
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(file=file, more=more).lstrip(), encoding="utf-8")
    return load_recipe(path)


def test_a_stage_varies_it_and_it_leaves_without_a_trace(hero, packed):
    recipe, file = seal_double(recipe_of(hero.parent, "hero.blend"))
    assert file == packed
    scene, _ = open_scene(recipe.capture)
    stage = Stage(scene, resolution=recipe.capture.resolution, assets=packed.parent)
    empty = all_data()
    built_in = parse_recipe("digidouble: recipe/1\nname: other\ncount: 1\n").draw()[0]
    hands = []
    one, other = recipe.draw()
    for variant in (one, other, one):
        stage.apply(variant, frames=range(1, 2))
        rig = bpy.data.objects["Hero Rig"]
        hands.append(np.array(rig.matrix_world @ rig.pose.bones["DEF-hand.L"].head))
        assert len(bpy.data.objects["groom"].data.curves) > 15_000
    assert (one.pose.name, other.pose.name) == ("standing", "reaching")
    assert np.linalg.norm(hands[0] - hands[1]) > 0.2
    assert np.allclose(hands[0], hands[2], atol=1e-6)
    stage.apply(built_in, frames=range(1, 2))
    assert "Hero Rig" not in bpy.data.objects
    assert not any("Hero" in name or name in ("Velvet", "skin.png", "Proxy") for _, name in all_data())
    stage._strike(["double", "motion", "groom", "set", "camera"])
    left = {each for each in all_data() - empty if each[0] not in ("GeometryNodeTree", "Library")}
    assert left == set()


def test_its_own_hair_can_stay_and_is_seen_whole(hero, packed):
    recipe, _ = seal_double(recipe_of(hero.parent, "hero.blend", ", keep_hair: true"))
    scene, _ = open_scene(recipe.capture)
    stage = Stage(scene, resolution=recipe.capture.resolution, assets=packed.parent)
    stage.apply(recipe.draw()[0], frames=range(1, 2))
    assert "Hero Hair" in bpy.data.objects
    assert not len(bpy.data.objects["groom"].data.curves)
    hair = bpy.data.objects["Hero Hair"]
    assert stage._double.rest_skin[:, 2].max() > BODY.height + 0.02
    matrix = np.array(hair.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world)
    assert np.abs(np.linalg.norm(matrix[:3, :3], axis=0) - 1.0).max() < 1e-3


def test_a_stunt_moves_it_and_its_hair(hero, packed):
    recipe, _ = seal_double(recipe_of(hero.parent, "hero.blend"))
    variant = recipe.draw()[0]
    jump = variant.model_copy(
        update={
            "stunt": variant.stunt.model_copy(update={"name": "jump", "phase": 0.4}),
            "hair": variant.hair.model_copy(update={"style": "bob", "strands": 1000}),
        }
    )
    scene, _ = open_scene(recipe.capture)
    stage = Stage(scene, resolution=recipe.capture.resolution, assets=packed.parent, detail="preview")
    stage.apply(jump, frames=range(1, 9))
    heights = []
    for frame in range(1, 9):
        stage.show(frame)
        rig = bpy.data.objects["Hero Rig"]
        heights.append((rig.matrix_world @ rig.pose.bones["DEF-spine"].head).z)
    assert np.ptp(heights) > 0.05


WRONG = {
    "missing": ("none.blend", "", "none.blend is not there; a relative path begins at the recipe's folder"),
    "broken": ("broken.blend", "", "broken.blend is no .blend file"),
    "armature": ("hero.blend", ", armature: Hreo Rig", "has no armature 'Hreo Rig'; did you mean 'Hero Rig'?"),
    "texture": ("untextured.blend", "", "the character uses files that are not there: "),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_is_wrong_is_one_message(hero, mistake, tmp_path):
    file, more, told = WRONG[mistake]
    shutil.copy(hero, tmp_path / "untextured.blend")
    shutil.copy(hero.parent / "cloth.blend", tmp_path / "cloth.blend")
    for name in ("hero.blend", "skin.png", "cloth.blend"):
        if mistake != "texture":
            shutil.copy(hero.parent / name, tmp_path / name)
    (tmp_path / "broken.blend").write_text("a letter to the artist")
    with pytest.raises(BadInput) as caught:
        seal_double(recipe_of(tmp_path, file, more))
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_rig_that_nobody_knows_and_a_body_without_head_are_named(double_file, tmp_path):
    def without_head(double):
        armature = double.armature
        for thing in (double.body, *double.garments, double.eyes, double.mouth):
            thing.modifiers.clear()
            thing.parent = None
        assert armature

    def unknown(double):
        table = read_table("default").bones
        told = {name for bone in ("hips", "head", "leftUpperArm", "rightUpperArm") for name in named_bones(table[bone])}
        for place, bone in enumerate(double.armature.data.bones):
            bone.name = bone.name if bone.name in told else f"b{place}"

    for name, change, told in (
        ("headless", without_head, "moves is a head: bind the head's skin"),
        ("unknown", unknown, r"the rig of 'double' is unknown \(nearest is default with score 0\."),
        ("armless", remove_bones("clavicle.L"), "has no bone for leftUpperArm"),
    ):
        path = double_file(f"own_{name}", change)
        with pytest.raises(BadInput, match=told):
            seal_double(recipe_of(tmp_path, path))


def test_a_packed_file_of_other_content_is_refused(packed, tmp_path):
    sealed = f", sha256: '{'1' * 64}'"
    with pytest.raises(BadInput, match="is not the packed double that the recipe means"):
        seal_double(recipe_of(tmp_path, packed, sealed))
    recipe, file = seal_double(recipe_of(tmp_path, tmp_path / "gone.blend", sealed))
    assert file is None
    assert recipe.double.file == f"assets/{'1' * 64}.blend"
