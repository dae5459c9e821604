"""Partners and single samples: known points of each pixel, shown on the small scene, which moves."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.dataset.inspection import inspect_pair
from farm.dataset.layers import DEPTH_BACKGROUND, dataset_layers
from farm.dataset.layout import DATA_NAME, REFERENCE_NAME, noisy_name, partner_name, sample_name
from farm.recipe import Capture
from farm.render.pair import render_pair
from farm.render.settings import configure, read_back

CAPTURE = Capture(
    resolution=(48, 40),
    samples=(1, 4),
    reference={"samples": 256, "chunk": 64, "residual": 1e-6},
    frames=2,
    passes=["position", "motion.world", "strand.id", "albedo.centre", "hair.mask"],
    partners={"factors": [2, 4], "samples": [1, 64]},
    per_sample=16,
)
STEP = np.array((0.1, 0.04, 0.05))
CAMERA_STEP = np.array((0.05, 0.1, -0.02))
GREEN = (0.1, 0.6, 0.2)


@pytest.fixture(scope="module")
def scene(small_scene):
    """Ball, hair and camera each move in a straight line; the floor stands still."""
    opened = small_scene.build()
    configure(opened, CAPTURE)
    opened.world = bpy.data.worlds.new("world")
    ball = bpy.data.materials.new("ball")
    ball.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*GREEN, 1)
    bpy.data.objects["Sphere"].data.materials.append(ball)
    for name, step in (("Sphere", STEP), ("spikes", STEP), ("camera", CAMERA_STEP)):
        thing = bpy.data.objects[name]
        first = np.array(thing.location)
        for frame in (0, 1, 2):
            thing.location = first + (frame - 1) * step
            thing.keyframe_insert("location", frame=frame)
    opened.frame_set(1)
    return opened


@pytest.fixture(scope="module")
def pair(scene, tmp_path_factory):
    return render_pair(scene, "small/1", CAPTURE, tmp_path_factory.mktemp("scratch"))


def triple(image, name, axes="XYZ"):
    return np.stack([image[f"{name}.{axis}"] for axis in axes], axis=-1).astype(np.float64)


def light(image):
    return np.stack([image[colour] for colour in "RGB"], axis=-1).astype(np.float64)


def project(scene, places, width, height, aside=(0, 0, 0)):
    """Columns and rows, from the top left, of places in the world, for the camera at the frame or away from it."""
    pose = np.array(scene.camera.matrix_world)
    seen = (places - pose[:3, 3] - aside) @ pose[:3, :3]
    focal = width * scene.camera.data.lens / scene.camera.data.sensor_width
    return np.stack(
        [width / 2 + focal * seen[..., 0] / -seen[..., 2], height / 2 - focal * seen[..., 1] / -seen[..., 2]], axis=-1
    )


def centres(image):
    rows, columns = np.indices(image["R"].shape)
    return np.stack([columns, rows], axis=-1) + 0.5


def hits(image):
    return image["depth.Z"] < DEPTH_BACKGROUND / 2


def parts(image):
    """Which pixels see the ball or its hair, and which the floor."""
    place = triple(image, "position")
    near = np.linalg.norm(place - (0, 0, 1), axis=-1) < 1.01
    moving = hits(image) & ((near & (place[..., 2] > 0.1)) | (image["strand.id.X"] > 0))
    return moving, hits(image) & (np.abs(place[..., 2]) < 1e-3)


NAMES = [*(partner_name(factor, spp) for factor in (2, 4) for spp in (1, 64)), sample_name(0), sample_name(15)]


def test_the_pair_is_fit(scene, pair):
    images = {noisy_name(*key): image for key, image in pair.noisy.items()}
    images |= {REFERENCE_NAME: pair.reference, DATA_NAME: pair.data}
    images |= {name: spotted.image for name, spotted in pair.spotted.items()}
    layers = dataset_layers(clip=True, passes=CAPTURE.layers)
    assert inspect_pair(images, CAPTURE.resolution, layers=layers) == []
    black = {**images, NAMES[0]: {**images[NAMES[0]], **dict.fromkeys("RGB", np.zeros((20, 24), np.float32))}}
    assert inspect_pair(black, CAPTURE.resolution, layers=layers) == [f"{NAMES[0]}: the picture is black"]
    assert read_back(scene, CAPTURE)["cycles.use_pixel_jitter"] is False
    assert len(set(pair.seeds.values())) == len(pair.seeds) == 2 + 4 + 16 + 4


@pytest.mark.parametrize("name", NAMES)
def test_rays_go_through_the_stored_point(scene, pair, name):
    image, jitter = pair.spotted[name].image, np.array(pair.spotted[name].jitter)
    height, width = image["R"].shape
    found = (project(scene, triple(image, "position"), width, height) - centres(image))[hits(image)]
    np.testing.assert_allclose(found, np.broadcast_to(jitter, found.shape), atol=2e-3)
    assert np.abs(jitter).min() > 0.01


def between(picture, places):
    """A picture at places (…, 2) in pixels from the top left, linear between pixels' centres."""
    columns, rows = np.clip(places[..., 0] - 0.5, 0, 46.999), np.clip(places[..., 1] - 0.5, 0, 38.999)
    left, top = columns.astype(int), rows.astype(int)
    across, down = (columns - left)[..., None], (rows - top)[..., None]
    upper = picture[top, left] * (1 - across) + picture[top, left + 1] * across
    lower = picture[top + 1, left] * (1 - across) + picture[top + 1, left + 1] * across
    return upper * (1 - down) + lower * down


@pytest.mark.parametrize("factor", [2, 4])
def test_light_falls_on_the_reference_at_the_stored_jitter_alone(pair, factor):
    """Registration, off hair, which is thinner than a pixel: turned or left out, a jitter fits worse."""
    spotted = pair.spotted[partner_name(factor, 64)]
    x, y = spotted.jitter
    hair = pair.data["hair.mask.X"].reshape(40 // factor, factor, 48 // factor, factor).max(axis=(1, 3)) > 0

    def error(jitter):
        there = between(light(pair.reference), (centres(spotted.image) + jitter) * factor)
        return float(np.mean((there - light(spotted.image))[~hair] ** 2))

    stored = error((x, y))
    for other in ((-x, -y), (-x, y), (x, -y), (0, 0)):
        assert stored < error(other), other


@pytest.mark.parametrize("name", NAMES)
def test_motion_leaves_the_jitter_out(scene, pair, name):
    """It is that of the point which the jittered ray sees, between cameras without jitter."""
    image = pair.spotted[name].image
    height, width = image["R"].shape
    place = triple(image, "position")
    here = project(scene, place, width, height)
    moving, floor = parts(image)
    for side, sign in (("prev", -1), ("next", 1)):
        for seen, step in ((moving, STEP), (floor, np.zeros(3))):
            there = project(scene, place + sign * step, width, height, sign * CAMERA_STEP)
            found, wanted = triple(image, f"motion.{side}", "XY")[seen], (there - here)[seen]
            assert np.quantile(np.abs(found - wanted), 0.95) < 0.01
            assert np.median(np.abs(found + wanted)) > 0.05


def test_motion_in_the_world_is_told_exactly(pair):
    for image in (pair.reference | pair.data, *(pair.spotted[name].image for name in NAMES)):
        flow = triple(image, "motion.world")
        moving, floor = parts(image)
        assert moving.sum() > 5
        assert np.abs(np.median(flow[moving], axis=0) + STEP).max() < 1e-4
        assert np.abs(flow[moving] + STEP).max() < 0.02
        assert np.abs(flow[floor]).max() < 1e-3
        assert np.all(flow[~hits(image)] == 0)


def test_single_samples_have_the_references_mean(pair):
    """In coverage, at silhouettes, and in light."""
    samples = [pair.spotted[sample_name(number)].image for number in range(16)]
    cover = np.mean([image["A"] for image in samples], axis=0) - pair.reference["A"]
    edge = (pair.reference["A"] > 0.05) & (pair.reference["A"] < 0.95)
    assert edge.sum() > 40
    assert np.sqrt(np.mean(cover[edge] ** 2)) < 0.1
    assert abs(cover[edge].mean()) < 0.04
    off = np.mean([light(image) for image in samples], axis=0) - light(pair.reference)
    error = off.mean(axis=-1)
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(error.size)


def test_a_sample_is_of_one_ray(pair):
    """Its albedo is the surface's own or nothing; many samples blend."""
    sample = pair.spotted[sample_name(0)].image
    ball = parts(sample)[0] & (sample["strand.id.X"] == 0)
    assert ball.sum() > 20
    assert np.abs(triple(sample, "albedo", "RGB")[ball] - triple(sample, "albedo.centre", "RGB")[ball]).max() < 1e-3
    assert set(np.unique(sample["A"])) <= {0.0, 1.0}
    assert ((pair.reference["A"] > 0.1) & (pair.reference["A"] < 0.9)).any()


def test_the_world_is_in_no_albedo(pair):
    for image in (pair.reference, pair.noisy[4, 0], pair.spotted[partner_name(2, 64)].image):
        behind = image["A"] == 0
        assert behind.any()
        assert np.all(triple(image, "albedo", "RGB")[behind] == 0)
        faint = (image["A"] > 0) & (image["A"] < 0.5)
        assert np.all(triple(image, "albedo", "RGB")[faint].max(axis=-1) <= image["A"][faint] * 1.01)


def test_the_albedo_at_the_centre_is_never_blended(pair):
    data = pair.data | pair.reference
    edge = hits(data) & (data["A"] < 0.5)
    assert edge.sum() > 2
    assert triple(data, "albedo.centre", "RGB")[edge].max(axis=-1).min() > 0.5
    assert triple(data, "albedo", "RGB")[edge].max() < 0.51
    assert np.all(triple(data, "albedo.centre", "RGB")[~hits(data)] == 0)


def same(first, second):
    assert first.keys() == second.keys()
    for channel, pixels in first.items():
        np.testing.assert_array_equal(pixels.view(np.uint32), second[channel].view(np.uint32), err_msg=channel)


@pytest.mark.parametrize("persistent", [True, False])
def test_a_warm_scene_gives_the_pixels_of_the_first_time_and_of_a_cold_one(scene, pair, tmp_path, persistent):
    """Without `afresh`, the light of partners and samples is another each time."""
    scene.render.use_persistent_data = persistent
    try:
        again = render_pair(scene, "small/1", CAPTURE, tmp_path)
        assert scene.render.use_persistent_data == persistent
    finally:
        scene.render.use_persistent_data = True
    for name in pair.spotted:
        same(again.spotted[name].image, pair.spotted[name].image)
    same(again.data, pair.data)
    same(again.reference, pair.reference)
    assert not np.array_equal(pair.spotted[NAMES[4]].image["R"], pair.spotted[NAMES[5]].image["R"])


def test_partners_and_samples_change_no_other_pixel(scene, pair, tmp_path):
    bare = CAPTURE.model_copy(update={"partners": Capture().partners, "per_sample": 0})
    alone = render_pair(scene, "small/1", bare, tmp_path)
    assert alone.spotted == {}
    same(alone.reference, pair.reference)
    same(alone.data, pair.data)
    for key, image in alone.noisy.items():
        same(image, pair.noisy[key])
