"""Motion capture imported by clicking: a file that is damaged, and one that is whole, which is played then."""

import os

import bpy
from asset_steps import chosen
from window import addon, settled, until

FILES = os.environ["DIGIDOUBLE_CLICKS_FILES"]


def choose_file(w, name):
    """In the file browser that is open: the folder and the name as they are typed, and Return."""
    yield from until(lambda: any(area.type == "FILE_BROWSER" for area in w.window.screen.areas))
    yield 0.5
    area = next(each for each in w.window.screen.areas if each.type == "FILE_BROWSER")
    params = area.spaces.active.params
    params.directory, params.filename = FILES.encode(), name
    yield 0.5
    yield from w.press_key("RET", area.x + area.width // 2, area.y + area.height // 2)


def imported(w, name):
    shown = addon("apart").Progress.shown
    yield from w.press("digidouble.import_motion")
    yield from choose_file(w, name)
    yield from until(lambda: not shown)
    yield from settled(w)


def steps(w):
    """The tab is open and all panels are folded but Stunt, which is not locked."""
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    yield from w.open_panel("Stunt")
    state, before = w.scene().digidouble, w.scene().digidouble.document
    yield from imported(w, "damaged.bvh")
    assert state.problem_at == "stunt"
    assert "damaged.bvh" in state.problem
    assert state.document == before
    w.picture("motion-damaged")
    yield from w.key("ESC")  # closes the report at the mouse
    yield from w.press("digidouble.dismiss", across=0.8)
    assert not state.problem
    yield from imported(w, "sway.bvh")
    assert chosen(w, "stunt.name") == "sway"
    assert not state.problem
    play = yield from w.find("digidouble.rehearse")
    yield from w.click(*play)
    yield from until(lambda: w.window.screen.is_animation_playing)
    assert w.scene().frame_end > 20
    w.picture("motion-imported")
    yield from w.click(*play)
    yield from settled(w)
