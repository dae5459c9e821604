"""Undo and redo of every operator: what changes the file is one step of Blender's, which comes and goes whole."""

import json
from pathlib import Path

import numpy as np
import pytest

PRESET = next(Path(__file__).parents[2].glob("addon/presets/digidouble_stage/*.py"))

ON_STAGE = {
    "step_variant": {"by": 1},
    "new_seed": {},
    "roll_axis": {"axis": "hair"},
    "choose": {"path": "camera.framing", "choices": [{"name": "bust", "used": True, "weight": 1.0}]},
    "distribute": {"path": "body.height", "low": 1.5, "high": 1.6},
    "use_asset": {"path": "pose.name", "name": "kicking"},
    "use_variant": {"index": 2},
    "use_recipe": {"name": "people"},
    "open_recipe": {},
    "apply_preset": {"filepath": str(PRESET)},
    "try_again": {},
    "do_without": {},
    "rehearse": {},
    "import_motion": {},
    "side_by_side": {"count": 2},
    "remove_double": {},
}
"""Operators on the scene with the double, and what they are given; what some need first stands below."""
OWN = {
    "paint_scalp": {},
    "comb_hair": {"style": "bob", "strands": 2000},
    "strike_pose": {"pose": "reaching"},
    "do_stunt": {"stunt": "jump"},
    "put_back": {},
    "vary_own": {},
}
"""Operators on an artist's own double, in this order."""
BUILT = ("step_variant", "try_again", "side_by_side", "rehearse", "remove_double")
"""Those whose double is built each time; that of others follows from the recipe, which alone is looked at then."""
ELSEWHERE = {
    "new_double": "here, by name",
    **dict.fromkeys(("enable_passes", "denoise"), "test_denoiser.py"),
    **dict.fromkeys(("add_rule", "edit_rule", "explain_rule", "move_rule", "remove_rule"), "test_rules.py"),
}
KEEPS = {
    "save_recipe": "writes a file",
    "show_double": "looks elsewhere",
    "show_side_by_side": "looks elsewhere",
    "dismiss": "takes a message away",
    "stop_building": "what it stops goes on with the next change",
    "build_double": "builds what the recipe says",
    "load_denoiser": "keeps it in the preferences",
    "add_asset_library": "keeps it in the preferences",
    "add_capture_preset": "writes a file",
    "add_stage_preset": "writes a file",
    **dict.fromkeys(("add_cluster", "remove_cluster", "set_up", "allow_online"), "changes the preferences"),
    **dict.fromkeys(
        ("submit", "test_cluster", "enter_token", "cancel_submission", "cancel_job", "forget_job", "fetch_job"),
        "asks a farm",
    ),
    **dict.fromkeys(("show_sheet", "open_report", "show_log"), "shows what a farm has made"),
}
"""Operators that change nothing that undo could bring back -> why."""


def test_every_operator_is_here(addon):
    import bpy

    from addon.registration import CLASSES

    known = {each.bl_idname.partition(".")[2] for each in CLASSES if issubclass(each, bpy.types.Operator)}
    assert known == {*ON_STAGE, *OWN, *ELSEWHERE, *KEEPS}


def test_what_keeps_all_as_it_was_makes_no_step(addon):
    from addon.registration import CLASSES

    for each in CLASSES:
        if getattr(each, "bl_idname", "").partition(".")[2] in set(KEEPS) - {"dismiss"}:
            assert "UNDO" not in getattr(each, "bl_options", ()), each


def data():
    """What the file holds, in as far as these operators change it."""
    import bpy

    found = {"scenes": sorted(scene.name for scene in bpy.data.scenes), "shown": bpy.context.window.scene.name}
    found["images"] = sorted(image.name for image in bpy.data.images if image.source == "GENERATED")
    for scene in bpy.data.scenes:
        state = scene.digidouble
        found[scene.name] = state.document, state.held, state.index, state.shown, scene.frame_end
        for thing in scene.objects:
            found[scene.name, thing.name] = list(map(tuple, thing.matrix_world)), looks(thing)
    return found


def looks(thing):
    """The form of a body, hair or armature, and what paints and keys it."""
    if thing.type == "MESH":
        points = np.empty(len(thing.data.vertices) * 3, np.float32)
        thing.data.attributes["position"].data.foreach_get("vector", points)
        return points.tobytes(), sorted(group.name for group in thing.vertex_groups)
    if thing.type == "CURVES":
        points = np.empty(len(thing.data.points) * 3, np.float32)
        thing.data.position_data.foreach_get("vector", points)
        return points.tobytes()
    if thing.type == "ARMATURE":
        action = thing.animation_data and thing.animation_data.action
        bones = {bone.name: tuple(bone.rotation_quaternion) for bone in thing.pose.bones}
        return bones, action and action.name
    return thing.type


def done_undone_redone(name, given):
    """Do it as a click does, with Blender's own step where the operator asks for one; undo; redo."""
    import bpy

    bpy.ops.ed.undo_push(message="before")
    before = data()
    assert getattr(bpy.ops.digidouble, name)("EXEC_DEFAULT", True, **given) == {"FINISHED"}
    after = data()
    assert after != before, "it does nothing that could be undone"
    bpy.ops.ed.undo()
    assert data() == before
    bpy.ops.ed.redo()
    assert data() == after


def test_of_a_new_double(addon):
    import bpy

    bpy.ops.wm.read_factory_settings()
    done_undone_redone("new_double", {})


@pytest.fixture
def prepared(addon, tmp_path, monkeypatch, request):
    """A double on the stage, and what an operator needs; returns what the operator is given."""
    import bpy

    from addon import parameters, preview

    monkeypatch.setenv("DIGIDOUBLE_TEMPLATES", str(tmp_path / "own"))
    if preview.stage_scene() is None:
        assert bpy.ops.digidouble.new_double() == {"FINISHED"}
    scene = preview.stage_scene()
    state, given = scene.digidouble, dict(ON_STAGE[request.param])
    text = json.loads(state.document)
    text["axes"]["hair"] = {"style": "bald"}
    if request.param == "rehearse":
        text["axes"]["stunt"] = {"name": "punch"}
    elif request.param == "do_without":
        text["axes"]["stunt"] = {"name": "gone_walk"}
    elif request.param == "open_recipe":
        given["filepath"] = str(tmp_path / "mine.yaml")
        bpy.ops.digidouble.save_recipe(filepath=given["filepath"])
        text["seed"] += 1
    elif request.param == "import_motion":
        given["filepath"] = str(walk(tmp_path))
    kept, state.document = state.document, json.dumps(text)
    if request.param in BUILT:
        preview.update(scene)
    else:
        monkeypatch.setattr(preview, "update", lambda scene: None)
    if request.param == "try_again":
        state.shown, state.problem = "", "no ground to stand on"
    yield request.param, given
    bpy.ops.ed.undo()
    parameters.forget_names()
    scene = preview.stage_scene()
    if scene is not None:
        scene.digidouble.document = kept


def walk(folder):
    """A motion capture file."""
    from farm.recipe.parameters import Body
    from tests.motion.bvh_files import Style, swaying, write_bvh
    from tests.motion.data_rigs import rig_fit

    skeleton = rig_fit("mixamo", Body()).skeleton
    return write_bvh(folder / "Big Sway.bvh", skeleton, swaying(skeleton, 31), Style())


@pytest.mark.parametrize("prepared", ON_STAGE, indirect=True)
def test_of_the_double_on_the_stage(prepared):
    done_undone_redone(*prepared)


@pytest.fixture(scope="module")
def own(addon, tmp_path_factory):
    """An artist's character from Mixamo, its armature active."""
    import bpy

    from addon import preview
    from tests.double.own.characters import mixamo_hero

    folder = tmp_path_factory.mktemp("own")
    mixamo_hero(folder / "hero.blend")
    bpy.ops.wm.open_mainfile(filepath=str(folder / "hero.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Armature"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "doubles", lambda: folder / "doubles")
        yield


@pytest.mark.parametrize("name", OWN)
def test_of_an_artists_double(own, name):
    import bpy

    if name == "put_back":
        assert bpy.ops.digidouble.strike_pose(pose="reaching") == {"FINISHED"}
    done_undone_redone(name, OWN[name])
    if name != "vary_own":
        bpy.ops.ed.undo()


def test_a_mixamo_character_is_recognised_and_varied(own):
    import bpy

    from addon.own import match_of

    match = match_of(bpy.data.objects["Armature"])
    assert (match.table, match.recognised, match.lacking) == ("mixamo", True, ())
    if not bpy.context.window.scene.digidouble.document:
        assert bpy.ops.digidouble.vary_own() == {"FINISHED"}
    scene = bpy.context.window.scene
    seen = []
    for by in (1, 1, -1):
        assert bpy.ops.digidouble.step_variant(by=by) == {"FINISHED"}
        seen.append({key: value for key, value in data().items() if key[0] == scene.name})
    assert seen[0] != seen[1]
    assert seen[0] == seen[2]
