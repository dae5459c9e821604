"""Clips as Cycles sees them: motion vectors lead to where things were and will be, and what moves is blurred truly."""

import tempfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="the stage needs bpy")

import numpy as np
from mathutils import Vector
from scipy.spatial import cKDTree

from farm.dataset.inspection import inspect_pair
from farm.dataset.layers import dataset_layers
from farm.dataset.layout import REFERENCE_NAME, noisy_name
from farm.double.groom.strands import strand_points
from farm.recipe import Capture, Variant
from farm.recipe.parameters import AXES
from farm.render.blender import open_scene
from farm.render.pair import render_pair
from farm.render.passes import data_pass, render_image
from farm.render.settings import configure, prepare_subset, read_back
from farm.stage.apply import Stage
from farm.stage.template import load_framing

SIDE = 64
FRAMES = range(1, 6)
FRAME = 3
CAPTURE = Capture(resolution=(SIDE, SIDE), samples=(1, 4), reference=256, frames=len(FRAMES))
SHUTTER = 1.0
BLURRED = CAPTURE.model_copy(update={"shutter": SHUTTER})
BACKGROUND = 1e9


def variant(**axes):
    axes["hair"] = {"strands": 2000, "seed": 1, "style": "shoulder_straight"} | axes.get("hair", {})
    return Variant(index=0, **{name: model(**axes.get(name, {})) for name, model in AXES.items()})


JUMPING = {"name": "jump", "phase": 0.33, "height": 0.8}
JUMP = variant(
    stunt=JUMPING, beard={"style": "full_beard"}, camera={"framing": "portrait", "move": "orbit", "amount": 0.5}
)
STILL = variant(camera={"framing": "bust"})


def open_stage(chosen, capture=CAPTURE):
    scene, _ = open_scene(capture)
    stage = Stage(scene, resolution=capture.resolution)
    stage.apply(chosen, frames=capture.frames.numbers, rate=capture.frames.rate)
    stage.show(FRAME)
    return stage


def shoot(stage, kind="radiance", *, seed=7, offset=1, length=2, motion=False):
    prepare_subset(stage.scene, seed=seed, offset=offset, length=length)
    with tempfile.TemporaryDirectory() as scratch:
        return render_image(stage.scene, Path(scratch), kind, motion=motion)


def light(stage, **subset):
    image = shoot(stage, **subset)
    return np.stack([image[channel] for channel in "RGBA"], axis=-1)


def motion(stage):
    """Previous and next (H, W, 2) and depth (H, W) of the frame that is shown."""
    with data_pass(stage.scene, motion=True), stage.in_motion():
        image = shoot(stage, "data", offset=0, length=1, motion=True)
    steps = [np.stack([image[f"motion.{side}.{axis}"] for axis in "XY"], axis=-1) for side in ("prev", "next")]
    return *steps, image["depth.Z"]


@pytest.fixture(scope="module")
def stage():
    """The jump, warm: light was rendered before its motion is."""
    stage = open_stage(JUMP)
    light(stage)
    return stage


@pytest.fixture(scope="module")
def vectors(stage):
    stage.show(FRAME)
    return motion(stage)


def project(view, points):
    """Places in pixels (N, 2), X to the right, Y down, of points (N, 3) in the world."""
    local = (points - view.matrix[:3, 3]) @ view.matrix[:3, :3]
    lens = view.intrinsics((SIDE, SIDE))
    return np.stack(
        [lens["cx"] - lens["fl_x"] * local[:, 0] / local[:, 2], lens["cy"] + lens["fl_y"] * local[:, 1] / local[:, 2]],
        axis=-1,
    )


def rays(view):
    """Directions (H, W, 3) through the pixels' centres, one metre deep."""
    lens = view.intrinsics((SIDE, SIDE))
    across, down = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    local = np.stack(
        [(across - lens["cx"]) / lens["fl_x"], -(down - lens["cy"]) / lens["fl_y"], -np.ones((SIDE, SIDE))], axis=-1
    )
    return local @ view.matrix[:3, :3].T


def triangles(thing):
    """World vertices (V, 3) and triangles (T, 3) of a mesh object as it is evaluated now, and each triangle's face."""
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(len(shown.data.vertices) * 3, dtype=np.float32)
    shown.data.vertices.foreach_get("co", flat)
    matrix = np.array(shown.matrix_world)
    shown.data.calc_loop_triangles()
    corners = np.array([each.vertices[:] for each in shown.data.loop_triangles])
    faces = np.array([each.polygon_index for each in shown.data.loop_triangles])
    return flat.reshape(-1, 3).astype(float) @ matrix[:3, :3].T + matrix[:3, 3], corners, faces


def hits(stage, depth):
    """Of pixels whose centre sees a moving mesh: row, column, object's name, triangle and weights of its corners."""
    view, graph = stage.view, bpy.context.evaluated_depsgraph_get()
    meshes = {thing.name: triangles(thing) for thing in (stage._double.body, *stage._double.garments)}
    found = []
    directions = rays(view)
    for row in range(0, SIDE, 2):
        for column in range(0, SIDE, 2):
            ray = directions[row, column]
            hit, place, _, face, thing, _ = stage.scene.ray_cast(graph, Vector(view.matrix[:3, 3]), Vector(ray))
            if not hit or thing.name not in meshes:
                continue
            vertices, corners, faces = meshes[thing.name]
            if abs((np.array(place) - view.matrix[:3, 3]) @ -view.matrix[:3, 2] - depth[row, column]) > 1e-3:
                continue  # a strand is before it
            for triangle in np.flatnonzero(faces == face):
                basis = np.concatenate([vertices[corners[triangle]].T, np.ones((1, 3))])
                weights = np.linalg.lstsq(basis, np.append(place, 1.0), rcond=None)[0]
                if weights.min() > -1e-3:
                    found.append((row, column, thing.name, corners[triangle], weights))
                    break
    return found


def test_motion_leads_to_where_body_and_clothes_were_and_will_be(stage, vectors):
    stage.show(FRAME)
    seen = hits(stage, vectors[2])
    assert len(seen) > 150
    here = np.array([[column + 0.5, row + 0.5] for row, column, *_ in seen])
    for step, vector in ((-1, vectors[0]), (1, vectors[1])):
        stage.show(FRAME + step)
        meshes = {thing.name: triangles(thing)[0] for thing in (stage._double.body, *stage._double.garments)}
        points = np.array([weights @ meshes[name][corners] for _, _, name, corners, weights in seen])
        there = project(stage.view, points)
        found = np.array([vector[row, column] for row, column, *_ in seen])
        assert np.abs(there - here).max() > 2
        assert np.abs(here + found - there).max() < 0.1


def test_motion_leads_to_where_strands_were_and_will_be(stage, vectors):
    """A strand's thickness (half a millimetre, a fifteenth of a pixel) and its neighbours leave some doubt."""
    stage.show(FRAME)
    view, depth = stage.view, vectors[2]
    points, first = strand_points(stage._groom)
    inner = np.setdiff1d(np.arange(len(points)), first[1:] - 1)
    shares = np.linspace(0, 1, 24, endpoint=False)[:, None, None]

    def along(points):
        return ((1 - shares) * points[inner] + shares * points[inner + 1]).reshape(-1, 3)

    seen = rays(view) * np.where(depth < BACKGROUND, depth, 0)[..., None] + view.matrix[:3, 3]
    far, nearest = cKDTree(along(points)).query(seen.reshape(-1, 3))
    on_hair = np.flatnonzero(far < 0.001)
    assert len(on_hair) > 50
    pixels = np.stack([on_hair % SIDE + 0.5, on_hair // SIDE + 0.5], axis=-1)
    for step, vector in ((-1, vectors[0]), (1, vectors[1])):
        stage.show(FRAME + step)
        there = project(stage.view, along(strand_points(stage._groom)[0])[nearest[on_hair]])
        off = np.linalg.norm(pixels + vector.reshape(-1, 2)[on_hair] - there, axis=1)
        assert np.median(off) < 0.05
        assert np.quantile(off, 0.95) < 0.25


def test_strands_that_only_follow_the_head_would_be_seen_in_the_motion(stage, vectors, monkeypatch):
    """The red case: without their own motion, strands move as the head does."""
    stage.show(FRAME)
    monkeypatch.setattr(stage, "_swaying", None)
    rigid = motion(stage)
    off = np.abs(rigid[0] - vectors[0]).max(axis=-1)
    assert (off > 0.3).sum() > 30


def test_light_is_the_same_after_motion_was_rendered(stage):
    stage.show(FRAME)
    before = light(stage)
    motion(stage)
    np.testing.assert_array_equal(light(stage), before)
    assert not stage._groom.curves.modifiers
    assert not {"frame_before", "frame_after"} & set(stage._groom.curves.data.attributes.keys())


def shown_only(stage, wanted):
    """Hide what is not wanted from the camera."""
    for thing in stage._collection.objects:
        if thing.type in ("MESH", "CURVES"):
            thing.hide_render = thing.name == "scalp" or (wanted is not None and thing.name not in wanted)


MOMENTS = 12
PARTS = {
    "body and clothes": ("body", "suit", "boots"),
    "eyes and mouth": ("eyes", "mouth"),
    "hair": ("groom",),
    "strands that are one piece with the head": ("lashes", "brows", "beard"),
}


def blur(stage, wanted):
    """How far blurred and sharp coverage by some objects are from the mean of moments within the shutter's time.

    Moments are renders without blur, of the scene as it is evaluated between frames. Distances are mean squares over
    independent renders, so that noise is not in them.
    """
    configure(stage.scene, BLURRED)
    stage.show(FRAME)
    shown_only(stage, wanted)

    def cover(seed, length):
        return light(stage, seed=seed, length=length)[..., 3]

    with stage.in_motion():
        blurred = [cover(seed, 48) for seed in (1, 2)]
        with data_pass(stage.scene, motion=False):
            sharp = [cover(seed, 48) for seed in (3, 4)]
            sums = [0.0, 0.0]
            for moment in range(MOMENTS):
                time = FRAME + SHUTTER * ((moment + 0.5) / MOMENTS - 0.5)
                stage.scene.frame_set(int(time), subframe=time % 1)
                sums = [total + cover(100 + 2 * moment + half, 6) for half, total in enumerate(sums)]
    shown_only(stage, None)
    configure(stage.scene, CAPTURE)
    means = [total / MOMENTS for total in sums]
    return [float(np.mean((one - means[0]) * (two - means[1]))) for one, two in (blurred, sharp)]


@pytest.mark.parametrize("wanted", PARTS.values(), ids=PARTS)
def test_what_moves_is_blurred_as_the_mean_of_its_moments(stage, wanted):
    error, change = blur(stage, wanted)
    assert change > 1e-4
    assert abs(error) < 0.02 * change


@pytest.mark.parametrize("shutter", [0.0, 0.5])
def test_a_pair_of_a_clip_is_fit_for_a_dataset(stage, tmp_path, shutter):
    """With an open shutter the noisy images and the reference are of one mean, and the motion is still there."""
    capture = CAPTURE.model_copy(update={"shutter": shutter})
    configure(stage.scene, capture)
    stage.show(FRAME)
    pair = render_pair(stage.scene, "clip/3", capture, tmp_path, stage.in_motion)
    images = {noisy_name(*key): image for key, image in pair.noisy.items()} | {REFERENCE_NAME: pair.reference}
    assert inspect_pair(images, capture.resolution, layers=dataset_layers(clip=True)) == []
    assert np.abs(pair.reference["motion.prev.Y"]).max() > 2
    settings = read_back(stage.scene)
    assert settings["render.use_motion_blur"] == (shutter > 0)
    assert settings["render.motion_blur_shutter"] == shutter
    assert settings["render.motion_blur_position"] == "CENTER"
    configure(stage.scene, CAPTURE)


@pytest.mark.parametrize(("framing", "move"), [("full", "static"), ("bust", "follow")])
def test_what_is_framed_is_in_the_picture_over_the_whole_stunt(stage, framing, move):
    kick = {"name": "spin_kick", "phase": 0.0}
    frames = range(1, 62, 4)
    stage.apply(variant(stunt=kick, hair={"style": "bald"}, camera={"framing": framing, "move": move}), frames=frames)
    meant = load_framing(framing)
    chosen = meant.part(stage._double.rest_skin)
    free = []
    for frame in frames:
        stage.show(frame)
        share = project(stage.view, stage._double.posed_skin(chosen)) / SIDE
        free.append(min(share.min(), 1 - share.max()))
    assert meant.margin - 0.005 < min(free) < meant.margin + 0.005


def posed(stage):
    """Where head and hair are at the frame that is shown."""
    bone = stage._double.armature.pose.bones[stage._double.head_bone]
    return np.array(bone.matrix)[:3, 3], strand_points(stage._groom)[0]


def test_twice_the_rate_shows_the_same_motion_in_twice_the_frames():
    stage = open_stage(JUMP)
    stage.show(5)
    head, hair = posed(stage)
    assert (stage.scene.render.fps, stage.scene.render.fps_base) == (24, 1.0)
    stage.apply(JUMP, frames=range(1, 10), rate=48.0)
    stage.show(9)
    other_head, other_hair = posed(stage)
    assert (stage.scene.render.fps, stage.scene.render.fps_base) == (48, 1.0)
    np.testing.assert_allclose(other_head, head, atol=1e-4)
    stage.show(1)
    assert np.linalg.norm(posed(stage)[0] - head) > 0.1
    assert np.linalg.norm(other_hair - hair, axis=1).mean() < 0.01
    stage.apply(JUMP, frames=range(1, 3), rate=23.976)
    assert stage.scene.render.fps / stage.scene.render.fps_base == pytest.approx(23.976)


def test_the_motion_of_a_warm_stage_is_that_of_a_cold_one(vectors):
    for warm, cold in zip(vectors, motion(open_stage(JUMP)), strict=True):
        np.testing.assert_array_equal(warm, cold)


def test_nothing_moves_in_a_still():
    before, after, depth = motion(open_stage(STILL))
    assert (depth < BACKGROUND).any()
    assert max(np.abs(before).max(), np.abs(after).max()) < 1e-3


def test_a_still_with_an_open_shutter_is_the_sharp_picture():
    stage = open_stage(STILL)
    sharp = [light(stage, seed=seed, length=64) for seed in (1, 2)]
    configure(stage.scene, BLURRED)
    stage.show(FRAME)
    with stage.in_motion():
        blurred = light(stage, seed=3, length=64)
    noise = np.abs(sharp[0] - sharp[1]).mean()
    assert np.abs(blurred - sharp[0]).mean() < 1.2 * noise
    assert abs(blurred.mean() / sharp[0].mean() - 1) < 0.01


def test_what_only_the_camera_moves_past_is_blurred_truly():
    stage = open_stage(variant(camera={"framing": "portrait", "move": "orbit"}))
    error, change = blur(stage, PARTS["body and clothes"])
    assert change > 1e-4
    assert abs(error) < 0.02 * change


def test_each_frame_of_a_moving_camera_is_recorded_as_blender_has_it():
    stage = open_stage(variant(stunt=JUMPING, camera={"framing": "full", "move": "follow", "elevation": -30}))
    places = []
    for frame in FRAMES:
        stage.show(frame)
        np.testing.assert_allclose(np.array(stage.scene.camera.matrix_world), stage.view.matrix, atol=1e-5)
        places.append(stage.view.matrix[:3, 3])
    assert np.ptp(places, axis=0)[2] > 0.02
    assert min(place[2] for place in places) > 0.1
    stage.apply(STILL, frames=FRAMES)
    matrix = np.array(stage.scene.camera.matrix_world)
    fresh = open_stage(STILL)
    np.testing.assert_array_equal(np.array(fresh.scene.camera.matrix_world), matrix)
    assert not fresh.scene.camera.animation_data
