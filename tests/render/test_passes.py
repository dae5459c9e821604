"""Each pass is what its layer says, shown on the small scene from what is known otherwise."""

import subprocess

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.dataset.inspection import inspect_pair
from farm.dataset.layers import dataset_layers
from farm.dataset.layout import DATA_NAME, REFERENCE_NAME, noisy_name
from farm.dataset.metrics import beauty
from farm.errors import StorageError
from farm.recipe import Capture
from farm.recipe.passes import PASSES
from farm.render.pair import render_pair
from farm.render.passes import render_image
from farm.render.settings import configure

CAPTURE = Capture(
    resolution=(48, 40), samples=(1, 4), reference={"samples": 64, "chunk": 8, "residual": 1e-6}, passes="everything"
)
LIGHT = [f"{of}.{part}." for of in ("diffuse", "glossy", "transmission", "volume") for part in ("direct", "indirect")]
GREEN = (0.1, 0.6, 0.2)


@pytest.fixture(scope="module")
def scene(small_scene):
    """The ball of green plastic that glows a little, hair, and a block of glass before a grey world."""
    opened = small_scene.build()
    configure(opened, CAPTURE, threads=0)
    ball, hair, pane = (bpy.data.materials.new(name) for name in ("ball", "hair", "pane"))
    plastic = ball.node_tree.nodes["Principled BSDF"]
    plastic.inputs["Base Color"].default_value = (*GREEN, 1)
    plastic.inputs["Roughness"].default_value = 0.3
    plastic.inputs["Emission Color"].default_value = (0, 0, 1, 1)
    plastic.inputs["Emission Strength"].default_value = 0.2
    tree = hair.node_tree
    shader = tree.nodes.new("ShaderNodeBsdfHairPrincipled")
    tree.links.new(shader.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    glass = pane.node_tree.nodes["Principled BSDF"].inputs
    glass["Transmission Weight"].default_value, glass["Roughness"].default_value = 1.0, 0.2
    bpy.data.objects["Sphere"].data.materials.append(ball)
    bpy.data.objects["spikes"].data.materials.append(hair)
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(-1.2, -2.0, 0.5))
    bpy.context.object.data.materials.append(pane)
    world = bpy.data.worlds.new("world")
    opened.world = world
    return opened


@pytest.fixture(scope="module")
def pair(scene, tmp_path_factory):
    return render_pair(scene, "passes/1", CAPTURE, tmp_path_factory.mktemp("scratch"))


def triple(image, name, axes="XYZ"):
    return np.stack([image[f"{name}.{axis}"] for axis in axes], axis=-1).astype(np.float64)


def where_ball(pair):
    """The pixels whose centres see the ball itself."""
    place = triple(pair.data, "position")
    near = np.abs(np.linalg.norm(place - (0, 0, 1), axis=-1) - 1) < 0.02
    return near & (place[..., 2] > 0.1) & (pair.data["strand.id.X"] == 0)


def project(scene, places):
    """Columns and rows (N, 2), in pixels from the top left, of places (N, 3) in the world."""
    view = np.array(scene.camera.matrix_world.inverted())
    seen = places @ view[:3, :3].T + view[:3, 3]
    focal = 48 * scene.camera.data.lens / scene.camera.data.sensor_width
    return np.stack([24 + focal * seen[:, 0] / -seen[:, 2], 20 - focal * seen[:, 1] / -seen[:, 2]], axis=-1)


def test_every_layer_is_there_and_fit(pair):
    images = {noisy_name(*key): image for key, image in pair.noisy.items()}
    images |= {REFERENCE_NAME: pair.reference, DATA_NAME: pair.data}
    layers = dataset_layers(clip=False, passes=PASSES)
    assert inspect_pair(images, CAPTURE.resolution, layers=layers) == []
    assert inspect_pair(images, CAPTURE.resolution) == []
    broken = {**images, DATA_NAME: {name: pixels for name, pixels in pair.data.items() if name != "uv.U"}}
    assert inspect_pair(broken, CAPTURE.resolution, layers=layers) == [f"{DATA_NAME}: channel uv.U is missing"]


def split_error(image, names):
    total = sum(beauty(image, name) for name in names)
    return float(np.abs(total - beauty(image)).max() / beauty(image).max())


@pytest.mark.parametrize("which", ["noisy", "reference"])
def test_light_splits_add_up_to_the_beauty(pair, which):
    image = pair.noisy[4, 0] if which == "noisy" else pair.reference
    names = [*LIGHT, "emission."]
    assert split_error(image, names) < 1e-5
    for name in ("diffuse.direct.", "glossy.direct.", "glossy.indirect.", "emission."):
        assert split_error(image, [other for other in names if other != name]) > 1e-3, name


def test_environment_is_what_lies_behind(pair):
    behind = pair.reference["A"] == 0
    assert behind.any()
    world = beauty(pair.reference, "environment.")
    assert np.all(world[behind] > 0)
    assert np.all(world[pair.reference["A"] == 1] < 1e-3)
    assert np.all(beauty(pair.reference)[behind] == 0)


def test_position_and_depth_agree_through_the_camera(scene, pair):
    hit = pair.reference["depth.Z"] < 1e9
    place = triple(pair.data, "position")[hit]
    view = np.array(scene.camera.matrix_world.inverted())
    seen = place @ view[:3, :3].T + view[:3, 3]
    np.testing.assert_allclose(-seen[:, 2], pair.reference["depth.Z"][hit], rtol=1e-4)
    columns, rows = project(scene, place).T
    assert np.abs(columns - np.nonzero(hit)[1] - 0.5).max() < 1e-2
    assert np.abs(rows - np.nonzero(hit)[0] - 0.5).max() < 1e-2
    assert np.all(triple(pair.data, "position")[~hit] == 0)


def test_normals_are_of_length_one_and_face_the_camera(scene, pair):
    hit = pair.reference["depth.Z"] < 1e9
    world, camera = triple(pair.data, "normal.world"), triple(pair.data, "normal.camera")
    np.testing.assert_allclose(np.linalg.norm(world[hit], axis=-1), 1, atol=1e-3)
    np.testing.assert_allclose(camera @ np.array(scene.camera.matrix_world.to_3x3()).T, world, atol=1e-5)
    ball, on_ball = triple(pair.data, "position") - (0, 0, 1), where_ball(pair)
    assert on_ball.sum() > 20
    assert np.all(np.sum(ball[on_ball] * world[on_ball], axis=-1) > 0.9)
    eye = np.array(scene.camera.location) - triple(pair.data, "position")
    eye /= np.linalg.norm(eye, axis=-1, keepdims=True)
    assert np.all(np.sum(eye * world, axis=-1)[on_ball] > -0.1)


def test_materials_values_are_exact(pair):
    on_ball = where_ball(pair)
    assert np.abs(triple(pair.data, "base_color", "RGB")[on_ball] - GREEN).max() < 1e-6
    np.testing.assert_allclose(pair.data["roughness.X"][on_ball], 0.3, atol=1e-6)
    off = pair.reference["depth.Z"] > 1e9
    assert np.all(pair.data["roughness.X"][off] == 0)
    assert triple(pair.data, "base_color", "RGB")[pair.data["strand.id.X"] > 0].max() > 0.02


def test_strands_have_their_tangent_and_number(pair):
    numbers = pair.data["strand.id.X"].astype(int)
    tangents, places = triple(pair.data, "strand.tangent"), triple(pair.data, "position")
    on_hair = numbers > 0
    assert len(np.unique(numbers[on_hair])) > 10
    np.testing.assert_array_equal(numbers, pair.data["strand.id.X"])
    curves = bpy.data.objects["spikes"].data
    points = np.empty(240 * 3, np.float32)
    curves.points.foreach_get("position", points)
    points = points.reshape(60, 4, 3) + np.array((0, 0, 1))
    ways = points[:, -1] - points[:, 0]
    ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
    own = ways[numbers[on_hair] - 1]
    assert np.sum(own * tangents[on_hair], axis=-1).min() > 0.99
    away = places[on_hair] - points[numbers[on_hair] - 1, 0]
    beside = away - np.sum(away * own, axis=-1, keepdims=True) * own
    assert np.linalg.norm(beside, axis=-1).max() < 0.03
    assert np.all(tangents[~on_hair] == 0)


def test_hair_masks_agree_with_the_strands(pair):
    mask, on_hair = pair.data["hair.mask.X"], pair.data["strand.id.X"] > 0
    assert mask[on_hair].min() > 0
    assert mask[on_hair].mean() > 3 * mask[~on_hair].mean()
    assert np.all(mask <= pair.reference["A"] + 0.2)


@pytest.mark.parametrize("kind", ["Object", "Material", "Asset"])
def test_cryptomatte_agrees_with_alpha(pair, kind):
    covered = sum(pair.data[f"Crypto{kind}{level:02d}.{share}"] for level in range(3) for share in "GA")
    alpha = pair.reference["A"]
    assert np.abs(covered - alpha).mean() < 0.01
    assert np.abs(covered - alpha).max() < 0.35
    assert np.abs(np.roll(covered, 6, axis=1) - alpha).mean() > 0.01


def test_cryptomatte_names_its_ids(pair):
    keys = {name.split("/")[1] for name in pair.names}
    assert {pair.names[f"cryptomatte/{key}/name"] for key in keys} == {
        f"Crypto{k}" for k in ("Object", "Material", "Asset")
    }
    (manifest,) = (
        pair.names[f"cryptomatte/{k}/manifest"] for k in keys if pair.names[f"cryptomatte/{k}/name"] == "CryptoObject"
    )
    import json

    number = int(json.loads(manifest)["spikes"], 16)
    share = sum(
        np.where(
            pair.data[f"CryptoObject{level:02d}.{name}"].view(np.uint32) == number,
            pair.data[f"CryptoObject{level:02d}.{of}"],
            0,
        )
        for level in range(3)
        for name, of in (("R", "G"), ("B", "A"))
    )
    np.testing.assert_allclose(share, pair.data["hair.mask.X"], atol=2e-2)
    assert share.max() > 0.5


def test_variance_is_of_the_references_own_size(pair):
    """Summed over the picture it is what the halves say, within a factor of two."""
    said = float(np.mean(triple(pair.reference, "variance", "RGB")))
    halves = float(np.mean(beauty(pair.reference, "half_difference.") ** 2))
    assert halves / 3 < said < 3 * halves


def test_no_pass_changes_the_beauty(scene, pair, tmp_path):
    """Neither while it is on nor afterwards, in a scene that stays warm."""
    plain = CAPTURE.model_copy(update={"passes": ()})
    bare = render_pair(scene, "passes/1", plain, tmp_path)
    assert bare.data == {}
    for channel in "RGBA":
        np.testing.assert_array_equal(bare.noisy[4, 0][channel], pair.noisy[4, 0][channel])
        np.testing.assert_array_equal(bare.reference[channel], pair.reference[channel])


def test_persistent_data_changes_no_pixel(scene, pair, tmp_path):
    scene.render.use_persistent_data = False
    try:
        cold = render_pair(scene, "passes/1", CAPTURE, tmp_path)
    finally:
        scene.render.use_persistent_data = True
    for mine, other in ((cold.data, pair.data), (cold.reference, pair.reference), (cold.noisy[1, 0], pair.noisy[1, 0])):
        assert mine.keys() == other.keys()
        for channel, pixels in mine.items():
            np.testing.assert_array_equal(pixels.view(np.uint32), other[channel].view(np.uint32), err_msg=channel)
    assert any(not np.array_equal(cold.noisy[1, 0][name], pair.noisy[4, 0][name]) for name in "RGB")


def test_depth_of_field_leaves_the_data_sharp(scene, pair, tmp_path):
    lens = scene.camera.data.dof
    lens.use_dof, lens.focus_distance, lens.aperture_fstop = True, 2.0, 0.02
    try:
        blurred = render_pair(scene, "passes/1", CAPTURE, tmp_path)
    finally:
        lens.use_dof = False
    np.testing.assert_array_equal(blurred.data["position.X"], pair.data["position.X"])
    assert not np.array_equal(blurred.reference["normal.X"], pair.reference["normal.X"])


def test_motion_agrees_with_the_place_seen_from_the_frames_beside(scene, tmp_path):
    """The ball and its hair move by a tenth to the right and a twentieth up from frame to frame."""
    things = [bpy.data.objects[name] for name in ("Sphere", "spikes")]
    before = [tuple(thing.location) for thing in things]
    step = np.array((0.1, 0, 0.05))
    clip = CAPTURE.model_copy(update={"frames": CAPTURE.frames.model_copy(update={"count": 2})})
    for thing, place in zip(things, before, strict=True):
        for frame in (0, 1, 2, 3):
            thing.location = np.array(place) + (frame - 1) * step
            thing.keyframe_insert("location", frame=frame)
    scene.frame_set(1)
    try:
        moving = render_pair(scene, "passes/moving", clip, tmp_path)
    finally:
        for thing, place in zip(things, before, strict=True):
            thing.animation_data_clear()
            thing.location = place
    place = triple(moving.data, "position")
    moved = where_ball(moving) | (moving.data["strand.id.X"] > 0)
    here = project(scene, place[moved])
    for side, sign in (("prev", -1), ("next", 1)):
        said = triple(moving.reference, f"motion.{side}", "XY")[moved]
        expected = project(scene, place[moved] + sign * step) - here
        assert np.abs(expected).max() > 0.5
        assert np.abs(said - expected).max() < 0.05
        assert np.abs(said + expected).max() > 0.5


def test_a_full_scratch_disk_is_not_the_scenes_fault(scene, tmp_path):
    """A worker then waits for room; an error of the scene's would give the pair up."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        with pytest.raises(StorageError, match="no space left for renders in .*free some"):
            render_image(scene, tmp_path, "radiance")
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=False)
