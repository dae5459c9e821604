"""The asset library by clicking: built, stopped and gone on with; hair, pose and stunt given from browser and shelf."""

import json

import bpy
from window import addon, settled, until

ONLY = "bob kicking jump"
"""A hairstyle, a pose and a stunt: the whole library would take half a minute."""
TILE = 60
"""Pixels from the corner of a browser's list into its first picture."""


def chosen(w, path):
    axis, name = path.split(".")
    return getattr(getattr(addon("state").shown_variant(w.scene()), axis), name)


def stopped(w):
    """The button begins the whole library; Esc stops it, and what was done stays. Returns its folder."""
    folder = addon("assets").home()
    shown = addon("apart").Progress.shown
    yield from w.open_panel("Recipe")
    yield from w.press("digidouble.add_asset_library")
    yield from until((folder / "made.json").is_file)
    # by this name the panel draws how far it is; the window hears of it a moment after the file is there
    yield from until(lambda: 0 < shown["digidouble.add_asset_library"] < 1, 5)
    w.picture("library-building")
    yield from w.key("ESC")
    assert not shown
    made = json.loads((folder / "made.json").read_text())
    assert 0 < len(made) < 80, len(made)
    return folder


def gone_on(w, folder):
    """Begun again it goes on: nothing that is there is written anew."""
    there = {file: file.stat().st_mtime_ns for file in folder.rglob("*.blend")}
    with bpy.context.temp_override(window=w.window, area=w.area, region=w.area.regions[0]):
        bpy.ops.digidouble.add_asset_library("INVOKE_DEFAULT", only=ONLY)
    yield from until(lambda: not addon("apart").Progress.shown)
    assert {file: file.stat().st_mtime_ns for file in there} == there
    assert {"bob", "jump", "kicking"} <= {file.stem for file in folder.rglob("*.blend")}


def browser(w):
    """An asset browser on the library, below the viewport."""
    with bpy.context.temp_override(window=w.window, area=w.area, region=w.area.regions[0]):
        bpy.ops.screen.area_split(direction="HORIZONTAL", factor=0.45)
    yield 0.3
    low, w.area = sorted((area for area in w.window.screen.areas if area.type == "VIEW_3D"), key=lambda area: area.y)
    low.ui_type = "ASSETS"
    yield 0.5
    low.spaces.active.params.asset_library_reference = "Digidouble"
    with bpy.context.temp_override(window=w.window, area=w.area, region=w.area.regions[-1]):
        bpy.ops.view3d.view_center_camera()
    yield 2.0
    w.picture("asset-browser")
    return low


def find_asset(area, name):
    """Look for an asset as an artist does who types its name; where it then is."""
    area.spaces.active.params.filter_search = name
    yield 0.8
    region = next(each for each in area.regions if each.type == "WINDOW")
    return region.x + TILE, region.y + region.height - TILE


def dragged(w, low):
    """A hairstyle goes onto the double by drag and drop, and back by undo; nothing is left of the thing dropped."""
    before = chosen(w, "hair.style")
    assert before != "bob"
    place = yield from find_asset(low, "bob")
    yield from w.drag(place, (w.area.x + w.area.width // 3, w.area.y + w.area.height // 2))
    yield from settled(w)
    assert chosen(w, "hair.style") == "bob"
    assert not [thing.name for thing in bpy.data.objects if thing.name.startswith("Bob") or "digidouble_asset" in thing]
    w.picture("hair-dropped")
    yield from w.key("Z", ctrl=True)
    yield from settled(w)
    assert chosen(w, "hair.style") == before
    assert "Bob" not in w.scene().objects


def chosen_in_browser(w, low):
    """A pose cannot be dropped, the viewport takes no actions: what a double click calls gives it.

    Blender simulates no double clicks.
    """
    before = chosen(w, "pose.name")
    assert before != "kicking"
    place = yield from find_asset(low, "kicking")
    yield from w.drag(place, (w.area.x + w.area.width // 3, w.area.y + w.area.height // 2))
    assert chosen(w, "pose.name") == before
    yield from w.click(*place)
    keymap, item = addon("keys").bound("digidouble.use_asset")
    assert (keymap.name, item.type, item.value) == ("File Browser Main", "LEFTMOUSE", "DOUBLE_CLICK")
    region = next(each for each in low.regions if each.type == "WINDOW")
    with bpy.context.temp_override(window=w.window, area=low, region=region):
        assert bpy.ops.digidouble.use_asset("INVOKE_DEFAULT", True) == {"FINISHED"}
    yield from settled(w)
    assert chosen(w, "pose.name") == "kicking"


def from_the_shelf(w):
    """The viewport's shelf gives a stunt by a click, and a pose by a drag onto the double; undo takes that back."""
    w.area.spaces.active.show_region_asset_shelf = True
    yield 0.5
    shelf = next(region for region in w.area.regions if region.type == "ASSET_SHELF")
    first = shelf.x + TILE, shelf.y + shelf.height // 2
    w.picture("asset-shelf")
    for name, path in (("jump", "stunt.name"), ("a pose", "pose.name")):
        with bpy.context.temp_override(window=w.window, area=w.area, region=shelf):
            bpy.context.asset_shelf.search_filter = name
        yield 0.8
        if path == "stunt.name":
            yield from w.click(*first)
        else:
            yield from w.drag(first, (w.area.x + w.area.width // 3, w.area.y + w.area.height // 2))
        yield from settled(w)
        assert chosen(w, path) == name.replace(" ", "_")
    with bpy.context.temp_override(window=w.window, area=w.area, region=shelf):
        bpy.context.asset_shelf.search_filter = ""
    yield from w.key("Z", ctrl=True)
    yield from settled(w)
    assert (chosen(w, "pose.name"), chosen(w, "stunt.name")) == ("kicking", "jump")


def steps(w):
    """With a double in the window; its layout is as it was afterwards."""
    layout = w.window.workspace
    folder = yield from stopped(w)
    yield from gone_on(w, folder)
    with bpy.context.temp_override(window=w.window):
        bpy.ops.workspace.duplicate()
    yield 0.5
    w.look_anew()
    low = yield from browser(w)
    yield from dragged(w, low)
    yield from chosen_in_browser(w, low)
    yield from from_the_shelf(w)
    w.window.workspace = layout
    yield 0.5
    w.look_anew()
    w.opened = "Recipe"
