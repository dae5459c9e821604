"""Steps of an artist: chosen by pictures, a stunt played, a rule, variants side by side, a recipe saved and loaded."""

import json
from pathlib import Path

import bpy
import rules_steps
from window import settled

ABOVE = 78
"""Pixels from the menu of what is chosen by its picture up to the picture's middle, at 100 %."""
BELOW = 121
"""From there down to the first row of the pictures to choose from."""
PICTURED = (("Hair", "hair.style"), ("Pose", "pose.chosen"), ("Stunt", "stunt.chosen"))


def value(w, path):
    axis, name = path.split(".")
    return getattr(getattr(w.scene().digidouble, axis), name)


def by_picture(w, name, path):
    """Open a panel, its pictures, and click another one."""
    yield from w.open_panel(name)
    before = value(w, path)
    x, y = yield from w.find(f"digidouble.{path}", across=0.6)
    x, y = x - 40, y + ABOVE  # the picture, which tells no path, stands above the menu
    yield from w.click(x, y)
    yield 0.5
    w.picture(f"{name.lower()}-pictures")
    yield from w.click(x - 35, y - BELOW)
    yield from settled(w)
    w.picture(f"{name.lower()}-chosen")
    assert value(w, path) != before, f"{path} is still {before}"


def hair(w):
    yield from by_picture(w, *PICTURED[0])


def pose(w):
    yield from by_picture(w, *PICTURED[1])


def stunt(w):
    """A stunt by its picture, and played in the timeline."""
    yield from by_picture(w, *PICTURED[2])
    yield from w.press("digidouble.rehearse")
    for _ in range(60):
        yield 0.5
        if w.window.screen.is_animation_playing:
            break
    yield 1.0
    scene = w.scene()
    assert w.window.screen.is_animation_playing
    assert scene.frame_end > 20
    w.picture("stunt-played")
    yield from w.press("digidouble.rehearse")
    yield 1.0
    assert not w.window.screen.is_animation_playing


def side_by_side(w):
    """Variants as pictures, and the third one taken."""
    from bl_ext.user_default.digidouble import side_by_side as part

    yield from w.open_panel("Vary")
    w.picture("vary")
    yield from w.press("digidouble.side_by_side")
    for _ in range(120):
        yield 0.5
        if len(part._live.get("icons", ())) == 6 and not part.Progress.shown:
            break
    yield 1.0
    w.picture("side-by-side")
    third = w.scene().digidouble.index + 2
    yield from w.press(f"digidouble.use_variant(index={third})", across=0.8)
    yield from settled(w)
    assert w.scene().digidouble.index == third
    w.picture("third-chosen")


def recipe(w):
    """Saved by pressing the button, and loaded again after a change."""
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    state = w.scene().digidouble
    yield from w.open_panel("Recipe")
    w.picture("recipe")
    saved = state.document
    yield from w.press("digidouble.save_recipe", across=0.75)
    yield 1.5
    w.picture("save")
    browser = next(area for area in w.window.screen.areas if area.type == "FILE_BROWSER")
    folder = browser.spaces.active.params.directory.decode()
    yield from w.press_key("RET", browser.x + browser.width // 2, browser.y + browser.height // 2)
    yield 1.0
    file = next(Path(folder).glob("*.yaml"))
    state.count = 7
    assert state.document != saved
    yield from w.press("digidouble.open_recipe", across=0.25)
    yield 1.5
    browser = next(area for area in w.window.screen.areas if area.type == "FILE_BROWSER")
    browser.spaces.active.params.filename = file.name
    yield 0.5
    yield from w.press_key("RET", browser.x + browser.width // 2, browser.y + browser.height // 2)
    yield from settled(w)
    w.picture("loaded")
    for part in ("count", "rules"):
        assert json.loads(state.document)[part] == json.loads(saved)[part]
    file.unlink()


def steps(w):
    """With a double in the window, its panels folded."""
    for step in (hair, pose, stunt, rules_steps.rule, side_by_side, recipe, rules_steps.removed):
        yield from step(w)
