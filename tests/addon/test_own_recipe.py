"""An artist's Rigify character put on the stage: varied, saved as a recipe, taken away, its own scene untouched."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the add-on runs in Blender")

from tests.double.own.characters import rigify_hero


def all_data():
    import bpy

    return {(type(each).__name__, each.name) for each in bpy.data.all_ids}


@pytest.fixture(scope="module")
def hero(addon, tmp_path_factory):
    """The artist's open file, its armature active; returns what was in it, and the folder of packed doubles."""
    import bpy

    from addon import preview

    folder = tmp_path_factory.mktemp("hero")
    rigify_hero(folder / "hero.blend", facing=1.0)
    bpy.ops.wm.open_mainfile(filepath=str(folder / "hero.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Hero Rig"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "doubles", lambda: folder / "doubles")
        yield all_data(), folder


@pytest.fixture(scope="module")
def stage(hero):
    """The stage's scene, with a copy of the character."""
    import bpy

    assert bpy.ops.digidouble.vary_own() == {"FINISHED"}
    return bpy.context.window.scene


def test_the_artists_scene_and_data_stay(hero, stage):
    import bpy

    _, folder = hero
    own = bpy.data.scenes["Scene"]
    assert own != stage
    assert {"Hero Rig", "Hero Body", "Hero Hair", "Set", "Close-Up"} <= set(own.objects.keys())
    assert bpy.data.objects["Hero Rig"].rotation_euler[2] == pytest.approx(1.0)
    assert bpy.data.images["skin.png"].packed_file is None
    assert own.objects["Hero Cape"].data.materials[0].library is not None
    assert bpy.data.filepath == str(folder / "hero.blend")
    assert not [path for path in (folder / "doubles").iterdir() if path.name.startswith(".")]


def test_its_own_hair_stays_until_it_is_to_be_combed(stage):
    import bpy

    from addon.panels import CLASSES

    assert stage.digidouble.keep_hair
    assert any(thing.name.startswith("Hero Hair") for thing in stage.objects)
    hair = next(each for each in CLASSES if each.__name__ == "DIGIDOUBLE_PT_hair")
    assert hair.poll(bpy.context)
    stage.digidouble.keep_hair = False
    assert not stage.digidouble.problem
    assert bpy.ops.digidouble.step_variant(by=0) == {"FINISHED"}
    assert not any(thing.name.startswith("Hero Hair") for thing in stage.objects)
    assert any(thing.name.startswith("Hero Brows") for thing in stage.objects)


def test_panels_of_what_it_brings_are_gone(stage):
    import bpy

    from addon.panels import CLASSES

    shown = {each.axis: each.poll(bpy.context) for each in CLASSES if getattr(each, "axis", "")}
    assert {axis for axis, there in shown.items() if there} == {"hair", "pose", "stunt", "light", "camera"}


def test_hair_and_pose_vary_and_come_back(stage):
    import bpy

    stage.digidouble.pose.mode_name = "VARIED"
    seen = []
    for by in (0, 1, -1):
        assert bpy.ops.digidouble.step_variant(by=by) == {"FINISHED"}
        rig = next(thing for thing in stage.objects if thing.type == "ARMATURE")
        groom = next(thing for thing in stage.objects if thing.name.startswith("groom"))
        points = np.empty(len(groom.data.points) * 3, dtype=np.float32)
        groom.data.position_data.foreach_get("vector", points)
        seen.append((np.array(rig.pose.bones["DEF-hand.L"].head), points))
    assert not np.allclose(seen[0][0], seen[1][0], atol=1e-3)
    assert np.allclose(seen[0][0], seen[2][0], atol=1e-5)
    assert np.array_equal(seen[0][1], seen[2][1])


def test_dice_of_what_it_brings_are_refused(stage):
    import bpy

    with pytest.raises(RuntimeError, match="the double brings its own"):
        bpy.ops.digidouble.roll_axis(axis="body")
    assert not bpy.ops.digidouble.vary_own.poll()


def test_its_recipe_is_saved_and_opened_with_the_packed_file(hero, stage, tmp_path):
    import bpy

    from addon import document
    from farm.double.own.sealing import seal_double
    from farm.recipe import load_recipe

    file = tmp_path / "mine.yaml"
    assert bpy.ops.digidouble.save_recipe(filepath=str(file)) == {"FINISHED"}
    sealed, packed = seal_double(load_recipe(file))
    assert packed.parent == hero[1] / "doubles"
    assert sealed.draw()[0].double.sha256 == packed.stem
    before = document.read(stage.digidouble.document)
    assert bpy.ops.digidouble.open_recipe(filepath=str(file)) == {"FINISHED"}
    assert document.read(stage.digidouble.document) == before
    file.write_text(file.read_text().replace(str(packed), "gone.blend"))
    assert bpy.ops.digidouble.open_recipe(filepath=str(file)) == {"FINISHED"}, "the add-on has it by its content"


COMMAND = """#!{python}
import sys
sys.path.insert(0, {root!r})
from farm.cli import main
main()
"""


def test_it_is_recognised(hero):
    import bpy

    from addon.own import match_of

    match = match_of(bpy.data.objects["Hero Rig"])
    assert (match.table, match.recognised, match.lacking) == ("rigify_generated", True, ())


def test_it_is_submitted_and_rendered_here(stage, tmp_path, monkeypatch):
    import bpy

    from addon import farm_here, ops_farm, watch
    from farm.dataset import check_dataset

    command = tmp_path / "digidouble"
    command.write_text(COMMAND.format(python=sys.executable, root=str(Path(__file__).parents[2])))
    command.chmod(0o755)
    monkeypatch.setattr(ops_farm, "command_of", lambda _: str(command))
    monkeypatch.setattr(watch, "datasets", lambda _: tmp_path / "datasets")
    monkeypatch.setattr(watch, "home", lambda: tmp_path / "jobs")
    watch.jobs.cache_clear()
    data = json.loads(stage.digidouble.document)
    data |= {"count": 1, "capture": {"resolution": [32, 32], "samples": [1], "reference": 8}}
    data["axes"]["hair"] = {"style": "bald"}
    kept, stage.digidouble.document = stage.digidouble.document, json.dumps(data)
    try:
        assert bpy.ops.digidouble.submit() == {"FINISHED"}
        (job,) = watch.jobs().jobs
        while farm_here.alive(job):
            time.sleep(0.1)
        told = farm_here.look(job)
        assert (told["state"], told["done"]) == ("done", 1), farm_here.log(job)
        assert check_dataset(job.folder, workers=1).defects == ()
        (record,) = Path(job.folder).glob("pairs/*/*/record.json")
        assert json.loads(record.read_text())["variant"]["double"]["sha256"] == data["double"]["sha256"]
    finally:
        stage.digidouble.document = kept
        watch.jobs.cache_clear()


def test_removed_from_the_stage_it_leaves_the_artists_file_as_it_was(hero, stage):
    import bpy

    before, _ = hero
    assert bpy.ops.digidouble.remove_double() == {"FINISHED"}
    left = {each for each in all_data() - before if each[0] not in ("GeometryNodeTree", "Library")}
    assert left == set()
    assert before <= all_data()


def test_a_character_that_cannot_be_used_is_named_and_nothing_is_left(hero):
    import bpy

    body = bpy.data.objects["Hero Body"]
    bpy.context.window.scene = bpy.data.scenes["Scene"]
    bpy.context.view_layer.objects.active = bpy.data.objects["Hero Rig"]
    body.hide_viewport = True
    try:
        with pytest.raises(RuntimeError, match="is a head: bind the head's skin"):
            bpy.ops.digidouble.vary_own()
    finally:
        body.hide_viewport = False
    assert "is a head" in bpy.context.scene.digidouble.problem
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]
