"""The panel Farm by clicking, on a Ray with a token that tests/blender/run.py has started."""

import copy
import os
import threading
from pathlib import Path

import bpy
from window import addon, until

RECIPE = Path(__file__).parents[1] / "cluster" / "jobs" / "tiny.yaml"
DONE = 200
"""Seconds that a job of one small pair may take."""


def use_tiny_recipe(w):
    from farm.recipe import load_recipe

    w.scene().digidouble.document = addon("document").of_recipe(load_recipe(RECIPE))


def choose_cluster(w):
    """A cluster in the preferences, as an artist's administrator writes it."""
    preferences = addon("preferences").preferences_of(bpy.context)
    assert bpy.ops.digidouble.add_cluster() == {"FINISHED"}
    entry = preferences.clusters[0]
    entry.name = "Studio"
    entry.address = os.environ["DIGIDOUBLE_CLICKS_CLUSTER"]
    entry.out = os.environ["DIGIDOUBLE_CLICKS_DATASETS"]
    preferences.where = "Studio"
    yield 0.5


def test_connection(w):
    """Without a token the panel says what to do; with one, what answers."""
    watch = addon("watch")
    yield from w.press("digidouble.test_cluster")
    yield from until(lambda: "Studio" in watch.tested)
    yield 0.5
    assert watch.tested["Studio"][1].endswith("(401)")
    w.picture("farm-no-token")
    place = yield from w.find("digidouble.enter_token", across=0.5)
    yield from w.click(*place)
    bpy.context.window_manager.clipboard = os.environ["DIGIDOUBLE_CLICKS_TOKEN"]
    yield from w.press_key("V", *place, ctrl=True)
    w.picture("farm-token")
    yield from w.press_key("RET", *place)
    yield from w.press_key("RET", *place)
    bpy.context.window_manager.clipboard = ""
    yield from until(lambda: watch.tested.get("Studio", (False, ""))[0])
    yield 0.5
    w.picture("farm-connected")


def submit(w):
    """Submit; the panel shows how it goes on, and the pictures open in an image editor."""
    watch = addon("watch")
    yield from w.press("digidouble.submit")
    yield from until(lambda: watch.jobs().jobs)
    yield from until(lambda: watch.jobs().jobs[0].state == "running", DONE)
    yield 0.5
    w.picture("farm-running")
    yield from until(lambda: not watch.jobs().jobs[0].active, DONE)
    job = watch.jobs().jobs[0]
    assert (job.state, job.done) == ("done", 1), job
    yield 0.5
    w.picture("farm-done")
    yield from w.press("digidouble.show_sheet")
    yield 2.0
    assert bpy.data.images["contact_sheet.png"].size[0] > 32
    w.picture("farm-pictures")
    yield from denoise_tab(w)
    w.picture("farm-denoise")
    yield from close_others()


def denoise_tab(w):
    """The tab Digidouble of the image editor's sidebar, in the latest window."""
    other = copy.copy(w)
    other.window = bpy.context.window_manager.windows[-1]
    other.area = other.window.screen.areas[0]
    other.area.spaces.active.show_region_ui = True
    yield 1.0
    yield from other.open_tab("Digidouble")


def cancel_submission(w):
    """Two that are still on their way: one by ESC over the 3D view, one by the cross. Nothing is begun."""
    there, threads, watch = addon("farm_there"), addon("threads"), addon("watch")
    send, before = there.send, watch.jobs().jobs

    def by_escape():
        yield from w.key("ESC")

    def by_cross():
        yield from w.press("digidouble.cancel_submission", across=0.83)

    for stop in (by_escape, by_cross):
        going_on = threading.Event()

        def held(cluster, recipe, say, going_on=going_on):
            say("Packing")
            going_on.wait(60)
            return send(cluster, recipe, say)

        there.send = held
        yield from w.press("digidouble.submit")
        yield from until(lambda: threads.said(watch.SUBMIT) == "Packing")
        yield 0.5
        w.picture("farm-sending")
        yield from stop()
        assert threads.said(watch.SUBMIT) == "Cancelling"
        w.picture("farm-cancelling")
        going_on.set()
        yield from until(lambda: not threads.busy(watch.SUBMIT))
        assert (watch.jobs().jobs, watch.refused) == (before, [])
    there.send = send


def cancel(w):
    """Another, of many pairs, is cancelled."""
    watch = addon("watch")
    w.scene().digidouble.count = 60
    yield from w.press("digidouble.submit")
    yield from until(lambda: len(watch.jobs().jobs) == 2)
    yield from w.press("digidouble.cancel_job")
    yield from until(lambda: not watch.jobs().jobs[0].active, DONE)
    assert watch.jobs().jobs[0].state == "stopped"
    yield 0.5
    w.picture("farm-cancelled")


def preferences(w):
    """The list of clusters in the preferences, and what the image editor's sidebar says of denoising."""
    bpy.ops.preferences.addon_show(module="bl_ext.user_default.digidouble")
    yield 2.0
    w.picture("farm-preferences")
    yield from close_others()


def close_others():
    for window in bpy.context.window_manager.windows[1:]:
        with bpy.context.temp_override(window=window):
            bpy.ops.wm.window_close()
    yield 1.0


def steps(w):
    """The tab is open, the double is there, and all panels are folded but Farm."""
    use_tiny_recipe(w)
    yield from choose_cluster(w)
    yield from test_connection(w)
    yield from cancel_submission(w)
    yield from submit(w)
    yield from cancel(w)
    yield from preferences(w)
