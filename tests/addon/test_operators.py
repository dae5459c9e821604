"""Operators: what they do, where they refuse, and that undo takes them back."""

import json

import pytest


@pytest.fixture(scope="module")
def double(addon):
    """The scene of a new double, beside the artist's own."""
    import bpy

    bpy.context.scene["mine"] = 7
    assert bpy.ops.digidouble.new_double() == {"FINISHED"}
    return bpy.context.window.scene


def shape(scene):
    """What stands on the stage: vertices of the body, and where they are."""
    body = next(thing for thing in scene.objects if thing.name.startswith("body"))
    return len(body.data.vertices), tuple(round(part, 6) for part in body.data.vertices[1000].co)


def test_without_a_double_its_operators_refuse(addon):
    import bpy

    for name in ("remove_double", "step_variant", "new_seed", "roll_axis", "choose", "rehearse", "open_recipe"):
        assert not getattr(bpy.ops.digidouble, name).poll(), name
    assert bpy.ops.digidouble.new_double.poll()


def test_a_new_double_leaves_the_artists_scene_alone(double):
    import bpy

    own = bpy.data.scenes["Scene"]
    assert sorted(thing.name for thing in own.objects) == ["Camera", "Cube", "Light"]
    assert own.camera.name == "Camera"
    assert own.render.fps == 24
    assert len(double.objects) > 10
    assert double.digidouble.shown
    groom = next(thing for thing in double.objects if thing.name.startswith("groom"))
    assert len(groom.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.curves) > 1000
    assert not bpy.ops.digidouble.new_double.poll()


def test_the_variant_on_stage_is_the_one_that_the_farm_draws(double):
    import bpy

    from addon import preview
    from farm.recipe import parse_recipe
    from farm.recipe.variant import content_hash

    assert bpy.ops.digidouble.step_variant(by=1) == {"FINISHED"}
    state = double.digidouble
    recipe = parse_recipe(json.dumps(json.loads(state.document)))
    variant = recipe.variant(1)
    assert state.shown == content_hash([variant.id, [1], recipe.capture.frames.rate, [256, 256]])
    rest = preview._live["stage"]._double.shape
    from farm.double.shape import shape_vertices

    assert (rest == shape_vertices(variant.body)).all()


def test_next_and_back_is_the_same(double):
    import bpy

    before = shape(double)
    assert bpy.ops.digidouble.step_variant(by=1) == {"FINISHED"}
    assert shape(double) != before
    assert bpy.ops.digidouble.step_variant(by=-1) == {"FINISHED"}
    assert shape(double) == before


def test_dice_change_one_part_and_lock_it(double):
    import bpy

    from addon.state import shown_variant

    before = shown_variant(double)
    assert bpy.ops.digidouble.roll_axis(axis="hair") == {"FINISHED"}
    after = shown_variant(double)
    assert after.hair != before.hair
    assert after.model_copy(update={"hair": before.hair}) == before
    assert double.digidouble.hair.locked
    assert bpy.ops.digidouble.new_seed() == {"FINISHED"}
    assert shown_variant(double).hair == after.hair
    assert shown_variant(double).body != after.body
    double.digidouble.hair.locked = False


def test_names_are_chosen_and_keep_their_weights(double):
    import bpy

    from addon import document
    from farm.recipe.distributions import Choose

    state = double.digidouble
    weighted = Choose((("bust", 2.0), ("full", 1.0)))
    state.document = document.write_setting(state.document, "camera.framing", weighted)
    chosen = [{"name": "bust", "used": True, "weight": 0.0}, {"name": "full", "used": False, "weight": 0.0}]
    more = [*chosen, {"name": "portrait", "used": True, "weight": 0.0}]
    assert bpy.ops.digidouble.choose(path="camera.framing", choices=more) == {"FINISHED"}
    assert document.choices(document.setting(state.document, "camera.framing")) == {
        "bust": 2.0,
        "portrait": 1.0,
    }
    assert bpy.ops.digidouble.choose(path="camera.framing", choices=chosen) == {"FINISHED"}
    assert state.camera.mode_framing == "FIXED"
    with pytest.raises(RuntimeError, match="Choose at least one"):
        bpy.ops.digidouble.choose(path="camera.framing", choices=[])


def test_a_recipe_saves_and_opens_as_the_same(double, tmp_path):
    import bpy

    from farm.recipe import load_recipe

    file = tmp_path / "mine.yaml"
    assert bpy.ops.digidouble.save_recipe(filepath=str(file)) == {"FINISHED"}
    saved = load_recipe(file)
    text = file.read_text(encoding="utf-8")
    assert bpy.ops.digidouble.open_recipe(filepath=str(file)) == {"FINISHED"}
    assert bpy.ops.digidouble.save_recipe(filepath=str(file)) == {"FINISHED"}
    assert file.read_text(encoding="utf-8") == text
    assert load_recipe(file) == saved


def test_a_recipe_that_is_wrong_is_named_and_nothing_changes(double, tmp_path):
    import bpy

    file = tmp_path / "wrong.yaml"
    file.write_text("digidouble: recipe/1\nname: x\ncount: 0\n", encoding="utf-8")
    before = double.digidouble.document
    with pytest.raises(RuntimeError, match=r"wrong.yaml:3:8: count: must be at least 1"):
        bpy.ops.digidouble.open_recipe(filepath=str(file))
    assert double.digidouble.document == before
    with pytest.raises(RuntimeError, match="Cannot write"):
        bpy.ops.digidouble.save_recipe(filepath=str(tmp_path / "none" / "x.yaml"))


def test_a_stunt_plays_in_the_timeline_and_gives_way(double):
    import bpy

    double.digidouble.stunt.chosen = "jump"
    before = double.digidouble.document
    assert bpy.ops.digidouble.rehearse() == {"FINISHED"}
    assert double.frame_end > 20
    armature = next(thing for thing in double.objects if thing.type == "ARMATURE")
    heights = []
    for frame in range(1, double.frame_end + 1, 6):
        double.frame_set(frame)
        hips = next(bone for bone in armature.pose.bones if bone.parent is not None)
        heights.append((armature.matrix_world @ hips.head).z)
    assert max(heights) - min(heights) > 0.2
    assert double.digidouble.document == before
    double.digidouble.stunt.mode_name = "AUTOMATIC"
    assert bpy.ops.digidouble.step_variant(by=0) == {"FINISHED"}
    assert double.frame_end == 1


def test_undo_and_redo_take_the_variant_back_and_forth(double):
    import bpy

    name = double.name
    bpy.ops.ed.undo_push(message="before")
    before = shape(bpy.data.scenes[name]), bpy.data.scenes[name].digidouble.shown
    bpy.ops.digidouble.step_variant(by=1)
    bpy.ops.ed.undo_push(message="after")
    after = shape(bpy.data.scenes[name]), bpy.data.scenes[name].digidouble.shown
    assert after != before
    bpy.ops.ed.undo()
    assert (shape(bpy.data.scenes[name]), bpy.data.scenes[name].digidouble.shown) == before
    bpy.ops.ed.redo()
    assert (shape(bpy.data.scenes[name]), bpy.data.scenes[name].digidouble.shown) == after
    bpy.ops.digidouble.step_variant(by=-1)
    assert (shape(bpy.data.scenes[name]), bpy.data.scenes[name].digidouble.shown) == before


def test_saved_and_opened_again_all_is_there_and_goes_on(double, tmp_path):
    import bpy

    scene = bpy.context.window.scene
    before = shape(scene), scene.digidouble.document, scene.digidouble.index
    file = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))
    scene = bpy.context.window.scene
    assert (shape(scene), scene.digidouble.document, scene.digidouble.index) == before
    assert bpy.ops.digidouble.step_variant(by=1) == {"FINISHED"}
    assert sum(thing.name.startswith("body") for thing in scene.objects) == 1


def test_removing_the_double_leaves_what_was_before(addon):
    import bpy

    assert bpy.ops.digidouble.remove_double() == {"FINISHED"}
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]
    assert sorted(thing.name for thing in bpy.data.objects) == ["Camera", "Cube", "Light"]
    assert bpy.context.window.scene["mine"] == 7
    assert not bpy.data.hair_curves
    assert len(bpy.data.meshes) == 1
    assert not bpy.data.armatures
