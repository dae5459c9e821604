"""A build is done step by step, tells how far it is, and can be stopped; what was stopped is mended by the next."""

import time

import numpy as np
import pytest


@pytest.fixture(scope="module")
def double(addon):
    import bpy

    assert bpy.ops.digidouble.new_double() == {"FINISHED"}
    yield bpy.context.window.scene
    bpy.ops.digidouble.remove_double()


@pytest.fixture(autouse=True)
def still(double):
    from addon import preview

    yield
    preview.stop()
    preview.update(double)


def seen(scene):
    """What stands on the stage, evaluated."""
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    found = {"camera": np.array(scene.camera.matrix_world)}
    for thing in scene.objects:
        if thing.type in ("MESH", "CURVES") and not thing.name.startswith("spare "):
            shown = thing.evaluated_get(graph)
            place = shown.data.attributes["position"].data
            flat = np.empty(len(place) * 3, dtype=np.float32)
            place.foreach_get("vector", flat)
            found[thing.name.partition(".")[0]] = np.append(flat, np.array(shown.matrix_world))
    return found


def same(one, other):
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def begin():
    """Ask for the document's variant, as an operator in a window does."""
    from addon import preview

    preview._asked["at"] = time.monotonic()


def test_steps_tell_their_name_and_how_far_they_are(double):
    from addon import building, preview

    double.digidouble.index = 3
    told = list(preview.steps(double))
    assert [name for name, _ in told] == ["double", "motion", "groom", "set", "camera"]
    assert all(name in building.STEPS for name, _ in told)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] < 1.0
    assert list(preview.steps(double)) == []


def test_a_build_goes_on_from_the_timer_and_ends(double):
    import bpy

    from addon import preview

    double.digidouble.index = 4
    begin()
    assert preview.progress() is None
    told = []
    while preview._answer() is not None:
        told.append(preview.progress()[0])
        assert not double.digidouble.shown
        assert bpy.ops.digidouble.stop_building.poll()
    assert told == ["double", "motion", "groom", "set", "camera"]
    assert double.digidouble.shown
    assert preview.progress() is None
    assert not bpy.ops.digidouble.stop_building.poll()
    assert not bpy.ops.digidouble.build_double.poll()


@pytest.mark.parametrize("done", [1, 2, 3, 5])
def test_what_was_stopped_is_mended(double, done):
    import bpy

    from addon import preview

    double.digidouble.index = 5
    preview.forget()
    preview.update(double)
    fresh = seen(double)
    double.digidouble.index = 6
    begin()
    for _ in range(done):
        assert preview._answer() is not None
    assert bpy.ops.digidouble.stop_building() == {"FINISHED"}
    assert double.digidouble.problem == preview.STOPPED
    assert not double.digidouble.shown
    assert preview._answer() is None
    double.digidouble.index = 5
    assert bpy.ops.digidouble.build_double() == {"FINISHED"}
    assert double.digidouble.shown
    assert not double.digidouble.problem
    same(seen(double), fresh)


def test_a_newer_change_takes_the_place_of_a_build(double):
    from addon import preview

    double.digidouble.index = 7
    preview.update(double)
    wanted = seen(double)
    double.digidouble.index = 8
    begin()
    preview._answer()
    preview._answer()
    double.digidouble.index = 7
    begin()
    while preview._answer() is not None:
        pass
    same(seen(double), wanted)


def test_void_data_end_a_build(double):
    from addon import preview

    double.digidouble.index = 9
    begin()
    preview._answer()
    preview._undone()
    assert preview.progress() is None
    assert not double.digidouble.shown
    preview.update(double)
    assert double.digidouble.shown


def test_what_was_foreseen_is_taken_and_changes_nothing(double):
    from addon import ahead, preview
    from farm.double import body

    double.digidouble.index = 11
    preview.update(double)
    body._person.cache_clear()
    body._hung.cache_clear()
    for _ in ahead.foresee(double):
        pass
    foreseen = body._person.cache_info().misses, body._hung.cache_info().misses
    double.digidouble.index = 12
    preview.update(double)
    assert (body._person.cache_info().misses, body._hung.cache_info().misses) == foreseen == (2, 2)
    found = seen(double)
    body._person.cache_clear()
    body._hung.cache_clear()
    preview.forget()
    double.digidouble.shown = ""
    preview.update(double)
    same(seen(double), found)


def test_a_change_ends_foreseeing(double):
    from addon import ahead

    ahead._going["pieces"] = ahead.foresee(double)
    assert ahead._next() == ahead.PAUSE
    double.digidouble.index = 3
    assert ahead._next() is None
    ahead._going["pieces"] = iter(())
    assert ahead._next() is None
