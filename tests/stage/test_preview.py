"""A preview makes each variant of what it kept of those before; that changes nothing, and nothing of it is left."""

import pytest

bpy = pytest.importorskip("bpy", reason="the stage needs bpy")

import numpy as np

from farm.recipe import Variant
from farm.recipe.parameters import AXES
from farm.stage.apply import Stage
from farm.stage.spares import SPARE

FRAMES = range(1, 2)
FIGURES = {"FLOAT": ("value", 1), "FLOAT_VECTOR": ("vector", 3), "FLOAT2": ("vector", 2)}


def variant(**axes):
    axes["hair"] = {"strands": 600, "seed": 1, "style": "crew"} | axes.get("hair", {})
    return Variant(index=0, **{name: model(**axes.get(name, {})) for name, model in AXES.items()})


PLAIN = variant(wardrobe={"outfit": "stunt_suit"})
SOILED = variant(
    body={"identity": 7, "gender": 1, "age": 70, "height": 1.9},
    skin={"tone": 8, "dirt": 0.7, "sweat": 0.8, "freckles": 0.6},
    face={"expression": "smile"},
    wardrobe={"outfit": "stunt_suit", "upper_cloth": "leather", "upper_hue": 200},
    beard={"style": "stubble"},
    hair={"style": "afro", "type": "4A"},
    light={"preset": "sunset"},
)
CASUAL = variant(
    body={"identity": 9, "weight": 0.8},
    wardrobe={"outfit": "tshirt_trousers"},
    hair={"grey": 0.7},
    light={"preset": "courtyard"},
)
RIGGED = variant(rig={"name": "mixamo"}, pose={"name": "crouching"}, wardrobe={"outfit": "stunt_suit"})
WALK = (PLAIN, SOILED, CASUAL, RIGGED, PLAIN, CASUAL, SOILED)


def numbers(data, field, width):
    flat = np.empty(len(data) * width, dtype=np.float32)
    data.foreach_get(field, flat)
    return flat


def attributes(data):
    return {
        name: numbers(each.data, *FIGURES[each.data_type])
        for name, each in data.attributes.items()
        if each.data_type in FIGURES
    }


def evaluated(thing):
    shown = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {**attributes(shown.data), "matrix": np.array(shown.matrix_world, dtype=np.float32).ravel()}


def keys(thing):
    shapes = getattr(thing.data, "shape_keys", None)
    return {} if shapes is None else {key.name: numbers(key.data, "co", 3) for key in shapes.key_blocks}


def material(made):
    """A tree as plain figures, whatever its nodes are called."""
    nodes = list(made.node_tree.nodes)
    place = {node.name: number for number, node in enumerate(nodes)}
    figures = [[node.bl_idname, *(_figure(socket) for socket in node.inputs if not socket.is_linked)] for node in nodes]
    links = sorted(
        (place[link.from_node.name], link.from_socket.identifier, place[link.to_node.name], link.to_socket.identifier)
        for link in made.node_tree.links
    )
    return figures, links


def _figure(socket):
    value = getattr(socket, "default_value", None)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


def on_stage(stage):
    """All that a variant decides, by object."""
    bpy.context.view_layer.update()
    double, groom = stage._double, stage._groom
    made = {"camera": {"matrix": np.array(bpy.context.scene.camera.matrix_world, dtype=np.float32).ravel()}}
    made["bones"] = {bone.name: np.array(bone.matrix).ravel() for bone in double.armature.pose.bones}
    for number, thing in enumerate([*double.objects[1:], groom.curves, groom.scalp]):
        made[number] = evaluated(thing) | keys(thing)
    return made, [material(slot) for thing in [*double.objects[1:], groom.curves] for slot in thing.data.materials]


def build(*variants, detail="preview"):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stage = Stage(bpy.context.scene, resolution=(64, 64), detail=detail)
    found = []
    for each in variants:
        stage.apply(each, frames=FRAMES)
        found.append(on_stage(stage))
    return stage, found


def same(one, other, where):
    assert one[0].keys() == other[0].keys(), where
    for name, figures in one[0].items():
        assert figures.keys() == other[0][name].keys(), (where, name)
        for what, values in figures.items():
            np.testing.assert_array_equal(values, other[0][name][what], err_msg=f"{where} {name} {what}")
    assert one[1] == other[1], where


@pytest.fixture(scope="module")
def cold():
    return {id(each): build(each)[1][0] for each in (PLAIN, SOILED, CASUAL, RIGGED)}


def test_what_is_made_of_spares_is_what_is_made_anew(cold):
    found = build(*WALK)[1]
    for number, each in enumerate(WALK):
        same(found[number], cold[id(each)], f"step {number}")


def test_a_preview_differs_from_the_final_in_strands_alone(cold):
    final = build(SOILED, detail="final")[1][0]
    same(final, cold[id(SOILED)], "final")


def test_left_midway_the_next_variant_is_whole(cold):
    stage, _ = build(PLAIN)
    for stop in range(1, 6):
        steps = stage.steps((SOILED, CASUAL)[stop % 2], frames=FRAMES)
        for _ in range(stop):
            next(steps)
        steps.close()
        stage.apply(PLAIN, frames=FRAMES)
        same(on_stage(stage), cold[id(PLAIN)], f"stopped before step {stop}")


@pytest.mark.parametrize("pieces", [2, 12])
def test_left_while_hair_is_solved_the_next_variant_is_whole(cold, pieces):
    """A stunt's hair is looked at and solved in pieces: left at the first ones, and in the middle of the solve."""
    stage, _ = build(PLAIN)
    jumping = variant(stunt={"name": "jump", "phase": 0.4}, hair={"style": "shoulder_straight"})
    steps = stage.steps(jumping, frames=range(1, 4))
    shares = []
    for name, share in steps:
        shares.append(share)
        pieces -= name == "groom"
        if pieces < 0:
            break
    steps.close()
    assert pieces < 0
    assert shares == sorted(shares)
    stage.apply(PLAIN, frames=FRAMES)
    same(on_stage(stage), cold[id(PLAIN)], "stopped among pieces")


def test_spares_are_out_of_sight_and_go():
    stage, _ = build(PLAIN, SOILED, CASUAL, RIGGED)
    spare = bpy.data.collections["Digidouble Spares"]
    assert sum(thing.type == "ARMATURE" for thing in spare.objects) == 2
    assert spare.hide_render
    assert not any(thing.visible_get() for thing in spare.objects)
    assert all(each[SPARE] for each in bpy.data.materials if each.users == 0)
    stage.tidy()
    assert "Digidouble Spares" not in bpy.data.collections
    for kind in ("objects", "meshes", "armatures", "materials", "hair_curves", "actions"):
        assert not [each.name for each in getattr(bpy.data, kind) if each.users == 0], kind
    assert len([thing for thing in bpy.context.scene.objects if thing.type == "ARMATURE"]) == 1
