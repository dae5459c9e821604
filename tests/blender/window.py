"""Clicks in a real Blender window: the mouse moves, buttons are found by what they do, the screen is pictured.

A test is a generator that yields how many seconds to wait; `play` steps it from Blender's timer and ends Blender.
"""

import importlib
import os
import subprocess
import sys
import traceback
from pathlib import Path

import bpy

HOVER = 0.12
STEP = 18
PANELS = ("Double", "Hair", "Pose", "Stunt", "Stage", "Vary", "Recipe", "Capture", "Farm")
HEADER, SPACING = 13, 28
"""Of a folded panel, in pixels at 100 %: its header's middle below the one above, and from one to the next."""


class Window:
    """The first window, its 3D view and the sidebar in it."""

    def __init__(self, pictures: Path):
        self.pictures = pictures
        self.count = 0
        self.look_anew()

    def look_anew(self):
        """Find the window, as after another file was opened."""
        self.window = bpy.context.window_manager.windows[0]
        self.area = max((a for a in self.window.screen.areas if a.type == "VIEW_3D"), key=lambda a: a.width * a.height)
        self.area.spaces.active.show_region_ui = True
        self.opened = ""

    @property
    def sidebar(self):
        return next(region for region in self.area.regions if region.type == "UI")

    def scene(self):
        return self.window.scene

    def move(self, x, y):
        self.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=int(x), y=int(y))

    def click(self, x, y, **modifiers):
        self.move(x - 1, y)
        yield 0.2
        self.move(x, y)
        yield 0.4
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=int(x), y=int(y), **modifiers)
        yield 0.2
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=int(x), y=int(y), **modifiers)
        yield 0.5

    def drag(self, start, end):
        """Press, move and let go."""
        (x, y), (to_x, to_y) = start, end
        self.move(x, y)
        yield 0.4
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=int(x), y=int(y))
        for step in range(1, 9):
            yield 0.06
            self.move(x + (to_x - x) * step / 8, y + (to_y - y) * step / 8)
        yield 0.2
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=int(to_x), y=int(to_y))
        yield 0.5

    def key(self, type_, **modifiers):
        """A key with the mouse over the 3D view."""
        x, y = self.area.x + self.area.width // 3, self.area.y + self.area.height // 2
        self.move(x, y)
        yield 0.2
        yield from self.press_key(type_, x, y, **modifiers)

    def press_key(self, type_, x, y, **modifiers):
        self.window.event_simulate(type=type_, value="PRESS", x=x, y=y, **modifiers)
        yield 0.1
        self.window.event_simulate(type=type_, value="RELEASE", x=x, y=y, **modifiers)
        yield 0.5

    def picture(self, name):
        """What the screen shows, as a PNG."""
        self.count += 1
        file = self.pictures / f"{self.count:02d}-{name}.png"
        subprocess.run(["import", "-window", "root", str(file)], check=True)

    def open_tab(self, name):
        """Click the sidebar's tabs from the top until one is `name`'s."""
        yield 0.5
        region = self.sidebar
        x = region.x + region.width - 8
        for y in range(region.y + region.height - 30, region.y + 40, -25):
            if region.active_panel_category == name:
                return
            yield from self.click(x, y)
        raise AssertionError(f"the sidebar has no tab {name}")

    def header(self, name):
        """Where a panel's header is while all above it are folded."""
        size = bpy.context.preferences.view.ui_scale
        top = self.sidebar.y + self.sidebar.height
        return self.sidebar.x + 60 * size, top - size * (HEADER + SPACING * PANELS.index(name))

    def fold_all(self, opened):
        """Fold the panels that are open."""
        for name in opened:
            yield from self.click(*self.header(name))
        self.opened = ""

    def open_panel(self, name):
        """Open one panel, and fold the one that was opened before."""
        above = bool(self.opened) and PANELS.index(name) < PANELS.index(self.opened)
        if self.opened and not above:
            yield from self.click(*self.header(self.opened))
        yield from self.click(*self.header(name), ctrl=above)  # which folds all others
        self.opened = name

    def under_mouse(self):
        """What the button under the mouse does: an operator's call, or the path of a property; '' for nothing."""
        manager = bpy.context.window_manager
        manager.clipboard = ""
        with bpy.context.temp_override(window=self.window, area=self.area, region=self.sidebar):
            for tell in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
                if tell.poll():
                    try:
                        tell(full_path=True) if tell is bpy.ops.ui.copy_data_path_button else tell()
                    except RuntimeError:
                        continue
                    if manager.clipboard:
                        return manager.clipboard
        return ""

    def find(self, wanted, across=0.45, below=12):
        """The place of the button whose call or path holds `wanted`.

        It is searched at a share `across` of the sidebar's width, from `below` pixels under its top on.
        """
        region = self.sidebar
        x = region.x + int(region.width * across)
        seen = []
        for y in range(region.y + region.height - below, region.y + 8, -STEP):
            self.move(x, y + 1)
            yield 0.03
            self.move(x, y)
            yield HOVER
            found = self.under_mouse()
            if found:
                seen.append(found)
            if wanted in found:
                return x, y
        raise AssertionError(f"no button for {wanted}; there are {sorted(set(seen))}")

    def press(self, wanted, across=0.45):
        place = yield from self.find(wanted, across)
        yield from self.click(*place)


def addon(name):
    """A module of the extension that is installed."""
    return importlib.import_module(f"bl_ext.user_default.digidouble.{name}")


def until(condition, seconds=30):
    """Wait until a condition holds."""
    for _ in range(4 * seconds):
        if condition():
            return
        yield 0.25
    raise AssertionError("it does not come about")


def body_of(scene):
    """A place on the body, to tell one double from another."""
    body = next(thing for thing in scene.objects if thing.name.startswith("body"))
    return tuple(round(part, 5) for part in body.data.vertices[1000].co)


def settled(w):
    """Wait until the scene shows what its document says."""
    from bl_ext.user_default.digidouble import preview

    yield 0.5
    for _ in range(120):
        if not bpy.app.timers.is_registered(preview._answer) and w.scene().digidouble.shown:
            return
        yield 0.5
    raise AssertionError("the preview does not come to rest")


def play(test, pictures):
    """Step a test from Blender's timer; Blender ends with 0 where it passes, else with 1."""
    pictures.mkdir(parents=True, exist_ok=True)
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.use_save_prompt = False
    steps = None

    def step():
        nonlocal steps
        try:
            if steps is None:
                steps = test(Window(pictures))
            return next(steps)
        except StopIteration:
            code = 0
        except BaseException:
            traceback.print_exc()
            subprocess.run(["import", "-window", "root", str(pictures / "failed.png")], check=False)
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
        return None

    bpy.app.timers.register(step, first_interval=2.0, persistent=True)
