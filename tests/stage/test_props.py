"""Props: made for the stunt and the body, where hands, feet and falls meet them, and removed with the motion."""

import re

import pytest

bpy = pytest.importorskip("bpy", reason="the stage needs bpy")

import numpy as np

from farm.motion.apply import plan_for
from farm.recipe import Capture, Variant
from farm.recipe.parameters import AXES
from farm.render.blender import open_scene
from farm.stage.apply import Stage

CAPTURE = Capture(resolution=(32, 32), samples=(1,), reference=8)
COUNTED = ("objects", "meshes", "materials", "actions", "shape_keys", "armatures", "hair_curves")
SMALL, TALL = {"age": 68, "gender": 0, "height": 1.5}, {"gender": 1, "height": 2.0}
RATE = 24.0


def variant(body, **stunt):
    axes = {"body": body, "hair": {"style": "buzz", "strands": 500}, "stunt": {"phase": 0} | stunt}
    return Variant(index=0, **{name: model(**axes.get(name, {})) for name, model in AXES.items()})


@pytest.fixture(scope="module")
def stage():
    scene, _ = open_scene(CAPTURE)
    return Stage(scene, resolution=CAPTURE.resolution)


def set_up(stage, chosen, moment):
    """Put a variant on the stage at a moment of its stunt: what `moment` makes of the plan, in seconds."""
    stage.duration(chosen)
    planned = plan_for(stage._double.armature, chosen.stunt, rig=stage._double.rig)
    stunt = chosen.stunt.model_copy(update={"phase": float(moment(planned) / planned.duration)})
    stage.apply(chosen.model_copy(update={"stunt": stunt}), frames=range(1, 2), rate=RATE)


def props(stage):
    return [thing for thing in stage._collection.objects if thing.name.split(".")[0] in ("box", "mat")]


def world(thing):
    """World places (N, 3) of a mesh as it stands."""
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    places = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", places)
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return places.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def palms(body):
    """World places of the skin of either palm."""
    for side in "LR":
        palm = re.compile(rf"metacarpal\d\.{side}")
        chosen = {group.index for group in body.vertex_groups if palm.fullmatch(group.name)}
        inside = [
            vertex.index
            for vertex in body.data.vertices
            if sum(group.weight for group in vertex.groups if group.group in chosen) > 0.6
        ]
        yield world(body)[inside]


def over(places, box):
    """Those of places (N, 3) that are over or in a box."""
    low, high = (world(box)[:, :2].min(axis=0), world(box)[:, :2].max(axis=0))
    return places[((places[:, :2] > low) & (places[:, :2] < high)).all(axis=1)]


def top(box):
    return world(box)[:, 2].max()


@pytest.mark.parametrize("body", [SMALL, TALL], ids=["small", "tall"])
@pytest.mark.parametrize(("height", "key"), [(0.9, 0), (1.1, 0), (1.0, -1)])
def test_hands_vault_on_the_top_of_the_box(stage, body, height, key):
    vault = variant(body, name="vault", height=height)
    set_up(stage, vault, lambda planned: planned.plan.runs[2][0].times[key])
    (box,) = props(stage)
    assert top(box) == pytest.approx(0.85 * height, abs=1e-3)
    for palm in palms(stage._double.body):
        assert len(over(palm, box)) == len(palm) > 20
        assert palm[:, 2].min() == pytest.approx(top(box), abs=0.02)


@pytest.mark.parametrize("body", [SMALL, TALL], ids=["small", "tall"])
def test_feet_stand_on_the_platform_and_the_body_ends_on_the_mat(stage, body):
    fall = variant(body, name="high_fall")
    set_up(stage, fall, lambda planned: 0.0)
    platform, mat = sorted(props(stage), key=top, reverse=True)
    soles = world(stage._double.body)
    soles = soles[soles[:, 2] < soles[:, 2].min() + 0.03]
    assert len(over(soles, platform)) == len(soles)
    assert soles[:, 2].min() == pytest.approx(top(platform), abs=0.02)
    assert top(mat) == pytest.approx(0.5, abs=1e-3)

    set_up(stage, fall, lambda planned: planned.duration)
    mat = min(props(stage), key=top)
    skin = world(stage._double.body)
    assert len(over(skin, mat)) == len(skin)
    pressed = world(mat)
    near = np.linalg.norm(pressed[:, None, :2] - skin[None, ::40, :2], axis=-1).min(axis=1) < 0.05
    surface = pressed[near & (pressed[:, 2] > 0.25)][:, 2]
    assert top(mat) == pytest.approx(0.5, abs=1e-3)
    assert skin[:, 2].min() - 0.02 < surface.min() < surface.max() < skin[:, 2].min() + 0.06


def test_props_turn_and_are_mirrored_with_the_stunt(stage):
    plain, turned = (
        plan_for(stage._double.armature, chosen.stunt, rig=stage._double.rig).props[0]
        for chosen in (variant(TALL, name="vault"), variant(TALL, name="vault", direction=90, mirror=True))
    )
    np.testing.assert_allclose(turned.centre, plain.centre[[1, 0, 2]] * [-1, 1, 1], atol=1e-9)
    assert turned.turn == pytest.approx(np.pi / 2)
    set_up(stage, variant(TALL, name="vault", direction=90), lambda planned: planned.duration)
    (box,) = props(stage)
    across, along = np.ptp(world(box)[:, :2], axis=0)
    assert along > 2 * across
    assert world(stage._double.body)[:, 0].min() > world(box)[:, 0].max()


def test_chained_stunts_have_their_props_where_they_begin(stage):
    stage.duration(variant(TALL, name="vault"))
    alone, after = (
        plan_for(stage._double.armature, chosen.stunt, rig=stage._double.rig)
        for chosen in (variant(TALL, name="vault"), variant(TALL, name="long_jump", then="vault"))
    )
    hands = alone.plan.runs[2][0].places[0] - alone.props[0].centre
    np.testing.assert_allclose(after.plan.runs[2][0].places[0] - after.props[0].centre, hands, atol=0.02)
    assert after.props[0].centre[1] < alone.props[0].centre[1] - 1.0


def test_nothing_is_left_of_props(stage):
    counts = []
    for name in ("none", "high_fall", "vault", "none", "high_fall", "none"):
        stage.apply(variant({}, name=name), frames=range(1, 2))
        counts.append({kind: len(getattr(bpy.data, kind)) for kind in COUNTED})
        assert len(props(stage)) == {"none": 0, "vault": 1, "high_fall": 2}[name]
    assert counts[0] == counts[3] == counts[5]
    assert counts[1] == counts[4]


def test_props_are_closed_boxes_with_rounded_edges(stage):
    stage.apply(variant({}, name="vault"), frames=range(1, 2))
    (box,) = props(stage)
    planned = plan_for(stage._double.armature, variant({}, name="vault").stunt, rig=stage._double.rig).props[0]
    np.testing.assert_allclose(np.ptp(world(box), axis=0), planned.size, atol=1e-5)
    np.testing.assert_allclose(world(box).mean(axis=0), planned.centre, atol=1e-5)
    mesh = box.data
    assert not mesh.validate()
    faces = {tuple(sorted(edge)) for face in mesh.polygons for edge in face.edge_keys}
    assert len(mesh.vertices) - len(faces) + len(mesh.polygons) == 2
    outward = [face.normal.dot(face.center) for face in mesh.polygons]
    assert min(outward) > 0
    assert 0.8 < np.mean([face.use_smooth for face in mesh.polygons]) < 1
