"""What artists do with a double beside looking at variants: distributions, presets, assets, motion, side by side."""

import json
from pathlib import Path

import numpy as np
import pytest

from farm.recipe.distributions import Beta, Choose, Fixed, Normal, Uniform

WALK = """HIERARCHY
ROOT Hips
{
 OFFSET 0 0 0
 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
 End Site
 {
  OFFSET 0 1 0
 }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 0 0 0 0 0
0 0 0 0 0 0
"""


@pytest.fixture(scope="module")
def double(addon):
    """The scene of a new double."""
    import bpy

    assert bpy.ops.digidouble.new_double() == {"FINISHED"}
    yield bpy.context.window.scene
    bpy.ops.digidouble.remove_double()


@pytest.fixture
def fresh(double):
    """The double's state, its recipe new, without building anything."""
    from addon import document
    from addon.state import settle

    state = double.digidouble
    state.document, state.held, state.index = document.fresh(), "{}", 0
    settle(double)
    return state


@pytest.fixture
def unbuilt(fresh, monkeypatch):
    """As `fresh`; operators change the recipe and build nothing."""
    from addon import preview

    monkeypatch.setattr(preview, "update", lambda scene: None)
    return fresh


def setting(state, path):
    from addon import document

    return document.setting(state.document, path)


def test_a_distribution_is_chosen_and_changed(unbuilt):
    import bpy

    distribute = bpy.ops.digidouble.distribute
    height = {"path": "body.height", "low": 1.5, "high": 1.9}
    assert distribute(**height, shape="BELL", middle=1.7, spread=0.1) == {"FINISHED"}
    assert setting(unbuilt, "body.height") == Normal(1.7, 0.1, 1.5, 1.9)
    assert distribute(**height, shape="LEAN", up=4, down=2) == {"FINISHED"}
    assert setting(unbuilt, "body.height") == Beta(4, 2, 1.5, 1.9)
    assert distribute(**height, shape="EVEN") == {"FINISHED"}
    assert setting(unbuilt, "body.height") == Uniform(1.5, 1.9)
    assert distribute(path="camera.azimuth", low=-1000, high=45, shape="EVEN") == {"FINISHED"}
    assert setting(unbuilt, "camera.azimuth") == Uniform(-180, 45)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "body.height", "low": 1.9, "high": 1.5}, "Least must be below Most"),
        ({"path": "hair.style", "low": 0, "high": 1}, "no number that can vary so"),
        (
            {"path": "body.height", "low": 1.8, "high": 1.9, "shape": "BELL", "middle": 90, "spread": 0.01},
            "never falls",
        ),
    ],
)
def test_a_distribution_that_cannot_be_is_refused(unbuilt, given, said):
    import bpy

    before = unbuilt.document
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.digidouble.distribute(**given)
    assert unbuilt.document == before


def test_the_dialog_begins_with_what_there_is():
    from types import SimpleNamespace

    from addon.ops_vary import DIGIDOUBLE_OT_distribute
    from farm.recipe import PARAMETERS

    for made, expected in (
        (Normal(1.7, 0.1, 1.5, 1.9), ("BELL", 1.5, 1.9, 1.7, 0.1)),
        (Uniform(1.5, 1.9), ("EVEN", 1.5, 1.9, 1.7, pytest.approx(0.4 / 6))),
    ):
        shown = SimpleNamespace()
        DIGIDOUBLE_OT_distribute._read(shown, PARAMETERS["body.height"], made)
        assert (shown.shape, shown.low, shown.high, pytest.approx(shown.middle), shown.spread) == expected


def test_names_are_chosen_with_how_often(unbuilt):
    import bpy

    chosen = [{"name": "bust", "used": True, "weight": 3.0}, {"name": "full", "used": True, "weight": 1.0}]
    assert bpy.ops.digidouble.choose(path="camera.framing", choices=chosen) == {"FINISHED"}
    assert setting(unbuilt, "camera.framing") == Choose((("bust", 3.0), ("full", 1.0)))


def test_whom_people_are_drawn_from(unbuilt):
    kept = json.loads(unbuilt.document)
    unbuilt.population = "world"
    assert json.loads(unbuilt.document) == {**kept, "population": "world"}
    unbuilt.population = "NONE"
    assert "population" not in json.loads(unbuilt.document)


def test_what_is_refused_is_said_where_it_belongs(unbuilt):
    import bpy

    unbuilt.capture.reference = 8
    assert unbuilt.problem_at == "capture"
    assert unbuilt.problem.startswith("The reference") or "reference's 8 samples" in unbuilt.problem
    assert bpy.ops.digidouble.dismiss() == {"FINISHED"}
    assert (unbuilt.problem, unbuilt.problem_at) == ("", "")
    unbuilt.recipe_name = "a/b"
    assert unbuilt.problem_at == "recipe"
    assert "axes" not in unbuilt.problem


def test_what_the_stage_refuses_is_said_with_the_double_and_tried_again(fresh, monkeypatch):
    import bpy

    from addon import preview
    from farm.errors import DigidoubleError

    def fail(*_, **__):
        raise DigidoubleError("no ground to stand on")

    with monkeypatch.context() as broken:
        broken.setattr(preview, "_stage", fail)
        with pytest.raises(RuntimeError, match="no ground"):
            bpy.ops.digidouble.step_variant(by=1)
    assert (fresh.problem, fresh.problem_at) == ("no ground to stand on", "")
    assert bpy.ops.digidouble.try_again() == {"FINISHED"}
    assert fresh.problem == ""
    assert fresh.shown


def test_presets_keep_and_bring_back_their_part_and_no_other(unbuilt, tmp_path, monkeypatch):
    import bpy

    monkeypatch.setattr(bpy.utils, "user_resource", lambda kind, path="", create=False: str(tmp_path))
    for titled in (bpy.types.DIGIDOUBLE_PT_stage_presets, bpy.types.DIGIDOUBLE_PT_capture_presets):
        monkeypatch.setattr(titled, "bl_label", titled.bl_label)  # Blender titles a list by what was added to it
    unbuilt.camera.framing = "bust"
    unbuilt.light.mode_rotation = "VARIED"
    unbuilt.capture.width = 320
    assert bpy.ops.digidouble.add_stage_preset(name="Mine") == {"FINISHED"}
    assert bpy.ops.digidouble.add_capture_preset(name="Wide") == {"FINISHED"}
    kept = json.loads(unbuilt.document)
    unbuilt.camera.framing, unbuilt.light.mode_rotation, unbuilt.capture.width = "full", "AUTOMATIC", 64
    unbuilt.hair.melanin = 0.5
    unbuilt.hair.locked = unbuilt.camera.locked = True
    assert bpy.ops.digidouble.apply_preset(filepath=str(tmp_path / "Mine.py")) == {"FINISHED"}
    assert bpy.ops.digidouble.apply_preset(filepath=str(tmp_path / "Wide.py")) == {"FINISHED"}
    now = json.loads(unbuilt.document)
    assert now["axes"]["hair"].pop("melanin") == 0.5
    assert {key: now["axes"][key] for key in ("light", "camera")} == {
        key: kept["axes"][key] for key in ("light", "camera")
    }
    assert now["capture"] == kept["capture"]
    assert list(json.loads(unbuilt.held)) == ["hair"]
    with pytest.raises(RuntimeError, match="is no preset"):
        bpy.ops.digidouble.apply_preset(filepath=str(tmp_path / "none.py"))


def test_presets_that_ship_are_found_and_fit(unbuilt):
    import bpy

    for kind, count in (("digidouble_capture", 3), ("digidouble_stage", 3)):
        (folder,) = bpy.utils.preset_paths(kind)
        files = sorted(Path(folder).glob("*.py"))
        assert len(files) == count
        for file in files:
            before = unbuilt.document
            assert bpy.ops.digidouble.apply_preset(filepath=str(file)) == {"FINISHED"}, unbuilt.problem
            assert unbuilt.document != before


def test_variants_side_by_side_leave_the_chosen_one_and_a_picture(fresh, double, monkeypatch):
    import bpy

    from addon import preview, side_by_side

    fresh.document = json.dumps({**json.loads(fresh.document), "count": 3})
    preview.update(double)
    before = fresh.shown, fresh.document, fresh.index, double.render.engine, double.render.resolution_x
    things = {each.name for each in bpy.data.all_ids}
    assert bpy.ops.digidouble.side_by_side(count=2) == {"FINISHED"}
    assert (fresh.shown, fresh.document, fresh.index, double.render.engine, double.render.resolution_x) == before
    added = {each.name for each in bpy.data.all_ids} - things
    assert {side_by_side.IMAGE} <= added
    image = bpy.data.images[side_by_side.IMAGE]
    pixels = np.array(image.pixels).reshape(image.size[1], image.size[0], 4)
    half = image.size[0] // 2
    assert pixels[:, :half, :3].std() > 0.02
    assert np.abs(pixels[:, :half, :3] - pixels[:, -half:, :3]).mean() > 0.01
    assert [index for index, _ in side_by_side._live["icons"]] == [0, 1]
    monkeypatch.setattr(preview, "update", lambda scene: None)
    assert bpy.ops.digidouble.use_variant(index=2) == {"FINISHED"}
    assert fresh.index == 2
    with pytest.raises(RuntimeError, match="There are 3 variants only"):
        bpy.ops.digidouble.use_variant(index=3)
    assert preview.stage_scene() == double


def test_an_asset_is_worn_or_done(unbuilt):
    import bpy

    unbuilt.hair.locked = True
    assert bpy.ops.digidouble.use_asset(path="hair.style", name="bun") == {"FINISHED"}
    assert setting(unbuilt, "hair.style") == Fixed("bun")
    assert not unbuilt.hair.locked
    with pytest.raises(RuntimeError, match="'wig' is no longer among the hairstyles"):
        bpy.ops.digidouble.use_asset(path="hair.style", name="wig")
    with pytest.raises(RuntimeError, match="Choose a hairstyle"):
        bpy.ops.digidouble.use_asset()


def test_only_assets_of_ours_are_used():
    from types import SimpleNamespace

    from addon.assets import use_at, use_of

    def asset(**metadata):
        return SimpleNamespace(name="Kicking", metadata=metadata)

    assert use_of(asset(digidouble_asset="pose/kicking")) == ("pose.name", "kicking")
    assert use_of(asset(digidouble_asset="hat/bowler")) is None
    assert use_of(asset()) is None
    assert use_of(None) is None
    assert use_at("mine/stunts/mixamo/long_jump.blend/Action/Long Jump") == ("stunt.name", "long_jump")
    assert use_at("poses/default.blend/Action/Mine") == ("pose.name", "default")
    assert use_at("hats/bowler.blend/Object/Bowler") is None
    assert use_at("") is None


@pytest.fixture(scope="module")
def library(double, tmp_path_factory):
    """The library of what is called `buzz`, a hairstyle, with a picture of it, as the operator makes it."""
    import bpy

    from addon import thumbnails

    folder, pictures = tmp_path_factory.mktemp("assets"), tmp_path_factory.mktemp("pictures")
    (pictures / "hairstyles").mkdir()
    image = bpy.data.images.new("picture", 8, 8)
    image.pixels = [1.0, 0.0, 0.0, 1.0] * 64
    image.filepath_raw, image.file_format = str(pictures / "hairstyles" / "buzz.png"), "PNG"
    image.save()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thumbnails, "FOLDER", pictures)
        made = bpy.ops.digidouble.add_asset_library(directory=str(folder), only="buzz")
    assert made == {"FINISHED"}
    return folder


def test_the_library_is_known_to_blender_once(library):
    import bpy

    libraries = bpy.context.preferences.filepaths.asset_libraries
    assert [each.name for each in libraries if each.path.rstrip("/") == str(library)] == ["Digidouble"]
    assert sorted(file.name for file in library.iterdir()) == [
        "blender_assets.cats.txt",
        "hairstyles",
        "made.json",
    ]
    assert [file.name for file in (library / "hairstyles").iterdir()] == ["buzz.blend"]


def test_a_hairstyle_has_words_and_a_picture(library, double):
    import bpy

    from farm.motion.asset_file import catalogue_id

    file = library / "hairstyles" / "buzz.blend"
    bpy.context.window.scene = bpy.data.scenes["Scene"]
    with bpy.data.libraries.load(str(file), assets_only=True) as (source, wanted):
        wanted.objects = list(source.objects)
    (hair,) = wanted.objects
    asset = hair.asset_data
    assert (hair.name, hair.type) == ("Buzz", "CURVES")
    assert asset["digidouble_asset"] == "hairstyle/buzz"
    assert (asset.author, asset.license) == ("Digidouble", "GPL-3.0-or-later")
    assert (asset.catalog_id, asset.description != "") == (catalogue_id("hairstyle"), True)
    assert {tag.name for tag in asset.tags} == {"digidouble", "hairstyle"}
    assert np.allclose(np.array(hair.preview.image_pixels_float[:4]), [1, 0, 0, 1], atol=0.01)
    points = np.empty(3 * len(hair.data.points), dtype=np.float32)
    hair.data.position_data.foreach_get("vector", points)
    assert len(hair.data.curves) > 500
    assert 0.05 < np.abs(points).max() < 0.3
    bpy.data.batch_remove([hair.data, hair])
    bpy.context.window.scene = double


def test_a_hairstyle_that_is_dropped_is_worn_and_leaves_nothing(library, unbuilt):
    import bpy

    file = library / "hairstyles" / "buzz.blend"
    unbuilt.hair.style = "bob"
    curves = len(bpy.data.hair_curves)
    bpy.ops.wm.append(directory=f"{file}/Object/", filename="Buzz")
    assert setting(unbuilt, "hair.style") == Fixed("buzz")
    assert "Buzz" not in bpy.data.objects
    assert len(bpy.data.hair_curves) == curves


def test_a_motion_file_that_is_none_is_said_in_the_stunts_panel(unbuilt, tmp_path):
    import bpy

    file = tmp_path / "walk.bvh"
    file.write_text(WALK)
    before = unbuilt.document
    with pytest.raises(RuntimeError, match="walk.bvh"):
        bpy.ops.digidouble.import_motion(filepath=str(file))
    assert unbuilt.document == before
    assert unbuilt.problem_at == "stunt"


def test_imported_motion_is_a_stunt_at_once(unbuilt, tmp_path, monkeypatch):
    import bpy

    from addon import parameters
    from farm.recipe import templates
    from farm.recipe.parameters import Body
    from tests.motion.bvh_files import Style, swaying, write_bvh
    from tests.motion.data_rigs import rig_fit

    monkeypatch.setenv("DIGIDOUBLE_TEMPLATES", str(tmp_path / "own"))
    skeleton = rig_fit("mixamo", Body()).skeleton
    file = write_bvh(tmp_path / "Big Sway.bvh", skeleton, swaying(skeleton, 31), Style())
    try:
        assert bpy.ops.digidouble.import_motion(filepath=str(file), mirror=True, until=0.5) == {"FINISHED"}
        assert setting(unbuilt, "stunt.name") == Fixed("big_sway")
        assert unbuilt.stunt.chosen == "big_sway"
        assert templates.load("stunts", "big_sway")["source"]["mirrored"]
        assert templates.load("stunts", "big_sway")["duration"] == 0.5
    finally:
        parameters.forget_names()


ON_STAGE = (
    "add_asset_library",
    "apply_preset",
    "dismiss",
    "distribute",
    "import_motion",
    "side_by_side",
    "try_again",
    "use_asset",
    "use_variant",
)


@pytest.mark.parametrize("name", ON_STAGE)
def test_without_a_double_they_refuse(double, name):
    import bpy

    assert getattr(bpy.ops.digidouble, name).poll()
    bpy.context.window.scene = bpy.data.scenes["Scene"]
    try:
        assert not getattr(bpy.ops.digidouble, name).poll()
    finally:
        bpy.context.window.scene = double


def test_a_recipe_whose_template_is_gone_says_so_and_can_do_without(unbuilt):
    import bpy

    from addon import document

    data = json.loads(unbuilt.document)
    data["axes"]["stunt"] = {"name": "gone_walk", "mirror": True}
    unbuilt.document = json.dumps(data)
    assert "no 'gone_walk' in stunts" in document.trouble(unbuilt.document)
    assert not bpy.types.DIGIDOUBLE_PT_hair.poll(bpy.context)
    assert bpy.ops.digidouble.do_without() == {"FINISHED"}
    del data["axes"]["stunt"]["name"]
    assert json.loads(unbuilt.document) == data
    assert document.trouble(unbuilt.document) == ""
    assert not bpy.ops.digidouble.do_without.poll()
