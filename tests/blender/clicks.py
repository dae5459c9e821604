"""An artist's first quarter of an hour, by clicking: run in a real Blender by tests/blender/run.py."""

import os
import sys
from pathlib import Path

import addon_utils
import bpy

sys.path.insert(0, str(Path(__file__).parent))
import artist_steps
import asset_steps
import building_steps
import denoise_steps
import farm_steps
import motion_steps
import window
from window import body_of, settled

OUT = Path(os.environ["DIGIDOUBLE_CLICKS_OUT"])


def shown(w):
    from bl_ext.user_default.digidouble.state import shown_variant

    return shown_variant(w.scene())


def scale(size):
    bpy.context.preferences.view.ui_scale = size
    yield 1.0
    for area in bpy.context.window_manager.windows[0].screen.areas:
        area.tag_redraw()
    yield 1.5


def first_steps(w):
    """New double, three variants on and back, undo and redo."""
    yield from w.open_tab("Digidouble")
    w.picture("tab")
    yield from w.press("digidouble.new_double")
    yield from settled(w)
    assert w.scene().name == "Digidouble"
    assert sorted(thing.name for thing in bpy.data.scenes["Scene"].objects) == ["Camera", "Cube", "Light"]
    w.picture("new-double")
    first = body_of(w.scene())
    onward = yield from w.find("step_variant(by=1)")
    for _ in range(3):
        yield from w.click(*onward)
        yield from settled(w)
    assert w.scene().digidouble.index == 3
    assert body_of(w.scene()) != first
    w.picture("third-variant")
    back = yield from w.find("step_variant(by=-1)", across=0.07)
    for _ in range(3):
        yield from w.click(*back)
        yield from settled(w)
    assert w.scene().digidouble.index == 0
    assert body_of(w.scene()) == first
    yield from w.key("Z", ctrl=True)
    yield from settled(w)
    assert w.scene().digidouble.index == 1
    yield from w.key("Z", ctrl=True, shift=True)
    yield from settled(w)
    assert w.scene().digidouble.index == 0
    assert body_of(w.scene()) == first


def dice_and_lock(w):
    """Dice change the hair alone; it is locked, and a new seed leaves it."""
    before = shown(w)
    yield from w.press('roll_axis(axis="hair")', across=0.7)
    yield from settled(w)
    rolled = shown(w)
    assert rolled.hair != before.hair
    assert rolled.body == before.body
    assert w.scene().digidouble.hair.locked
    yield from w.press("digidouble.new_seed", across=0.83)
    yield from settled(w)
    assert shown(w).hair == rolled.hair
    assert shown(w).body != before.body
    w.picture("hair-locked")


def panels(w):
    """Every panel, opened alone, at 100 % and at 150 %, and in German."""
    view = bpy.context.preferences.view
    view.use_translate_interface = True
    german = "de_DE" in bpy.app.translations.locales  # a Blender may be built without any language but English
    for size, told in ((1.0, "100"), (1.5, "150"), *([(1.0, "german")] if german else [])):
        if told == "german":
            view.language = "de_DE"
        yield from scale(size)
        for name in window.PANELS[::-1]:
            yield from w.open_panel(name)
            w.picture(f"{name.lower()}-{told}")
        if told == "german":
            continue
        place = yield from w.find("digidouble.wardrobe.locked", across=0.8)
        yield from w.click(w.header("Double")[0], place[1])
        w.picture(f"wardrobe-{told}")
        yield from w.click(w.header("Double")[0], place[1])
    if german:
        view.language = "en_US"
    yield from scale(1.0)


def reopened(w):
    """All is there again in a file that is saved and opened: the recipe, the variant, the jobs."""
    from bl_ext.user_default.digidouble import watch

    file = str(OUT / "artist.blend")
    before, body, jobs = w.scene().digidouble.document, body_of(w.scene()), [job.folder for job in watch.jobs().jobs]
    assert jobs
    bpy.ops.wm.save_as_mainfile(filepath=file)
    yield 1.0
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    yield 2.0
    bpy.ops.wm.open_mainfile(filepath=file)
    yield 3.0
    w.look_anew()
    yield from settled(w)
    assert w.scene().digidouble.document == before
    assert body_of(w.scene()) == body
    assert [job.folder for job in watch.jobs().jobs] == jobs
    w.picture("opened-again")


def all_steps(w):
    yield from first_steps(w)
    yield from building_steps.steps(w)
    yield from dice_and_lock(w)
    yield from w.fold_all(("Double", "Vary"))
    yield from artist_steps.steps(w)
    yield from motion_steps.steps(w)
    yield from asset_steps.steps(w)
    yield from panels(w)
    yield from w.open_panel("Farm")
    yield from farm_steps.steps(w)
    yield from denoise_steps.steps(w)
    yield from reopened(w)


file = os.environ["DIGIDOUBLE_CLICKS_EXTENSION"]
installed = bpy.ops.extensions.package_install_files(filepath=file, repo="user_default", enable_on_install=True)
assert installed == {"FINISHED"}
assert addon_utils._extensions_warnings_get() == {}
window.play(all_steps, OUT)
