"""Hairstyles, poses and stunts in the asset browser: the library, and using what is chosen or dropped from it.

Blender itself drops only hairstyles into a scene, which are objects. Poses and stunts are actions: they are
double-clicked in an asset browser, or clicked or dragged from the viewport's asset shelf, as hairstyles may be too.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

from farm.motion.asset_file import MADE_OF
from farm.recipe import PARAMETERS
from farm.recipe.distributions import Fixed
from farm.recipe.settings import known_names

from . import document, keys, preview, thumbnails
from .apart import ApartOperator, Progress
from .ops_double import StageOperator
from .state import change, label, refuse, said, shown_variant, state_of

__all__ = ["CLASSES", "draw_library", "register", "unregister"]

LIBRARY: Final = "Digidouble"
USES: Final = {"hairstyle": "hair.style", "pose": "pose.name", "stunt": "stunt.name"}
"""What an asset is -> the parameter that it sets."""
LIBRARIES: Final = tuple(
    (name, name, "", value)
    for name, value in (("LOCAL", 1), ("ALL", 2), ("ESSENTIALS", 3), ("ONLINE_ESSENTIALS", 4), ("CUSTOM", 100))
)
"""Kinds of asset libraries, by the numbers that Blender gives them."""
DROPPING: Final = ("OBJECT_OT_transform_to_mouse", "OBJECT_OT_add_named", "WM_OT_append")
"""Operators of Blender's that bring an asset into a scene as a step of their own."""


def home() -> Path:
    """Where the library lies."""
    return Path(bpy.utils.extension_path_user(__package__, path="assets", create=True))


class DIGIDOUBLE_OT_add_asset_library(ApartOperator, StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Make an asset library of all hairstyles, poses and stunts for this double's rig. What is there already is kept"""

    bl_idname = "digidouble.add_asset_library"
    bl_label = "Add Asset Library"
    bl_options: Final = {"REGISTER"}
    directory: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Folder", description="Where it is written; left empty, a folder of Digidouble's own", subtype="DIR_PATH"
    )
    only: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[str]:
        """Build it in a Blender of its own."""
        self._folder = Path(bpy.path.abspath(self.directory)) if self.directory else home()
        given = {
            "folder": str(self._folder),
            "rig": shown_variant(context.scene).rig.name,
            "pictures": str(thumbnails.FOLDER),
            "only": self.only,
        }
        return self.begin(context, "farm.stage.asset_library:build_library", given)

    def finished(self, context: Any, result: Any) -> set[str]:
        """Let the asset browser know of it."""
        libraries = context.preferences.filepaths.asset_libraries
        if not any(Path(each.path) == self._folder for each in libraries):
            libraries.new(name=LIBRARY, directory=str(self._folder))
        _read_anew(context)
        self.report({"INFO"}, f"'{LIBRARY}' is in the Asset Browser" if result else "Nothing has changed")
        return {"FINISHED"}

    def failed(self, context: Any, trouble: str) -> None:
        """Say it in the panel."""
        refuse(context.scene, trouble, "recipe")


def _read_anew(context: Any) -> None:
    """Let asset browsers and shelves see what is new."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type in ("ASSETS", "VIEW_3D"):
                with context.temp_override(window=window, area=area):
                    if bpy.ops.asset.library_refresh.poll():
                        bpy.ops.asset.library_refresh()


class DIGIDOUBLE_OT_use_asset(StageOperator, bpy.types.Operator):  # noqa: N801
    """Give all variants this hairstyle, pose or stunt"""

    bl_idname = "digidouble.use_asset"
    bl_label = "Use in Digidouble"
    path: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    name: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    # a shelf tells so which asset was clicked or is dragged
    asset_library_type: bpy.props.EnumProperty(items=LIBRARIES, options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    asset_library_identifier: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    relative_asset_identifier: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Leave clicks on what is not ours to others."""
        if not self.path:
            asset = getattr(context, "asset", None)
            self.path, self.name = use_at(self.relative_asset_identifier) or use_of(asset) or ("", "")
        return self.execute(context) if self.path else {"PASS_THROUGH"}

    def execute(self, context: Any) -> set[str]:
        """Set the parameter that the asset is of, and let go of its lock."""
        if self.path not in USES.values():
            self.report({"ERROR"}, "Choose a hairstyle, pose or stunt of Digidouble's library")
            return {"CANCELLED"}
        if self.name not in known_names(PARAMETERS[self.path]):
            self.report({"ERROR"}, f"'{self.name}' is no longer among the {PARAMETERS[self.path].template}")
            return {"CANCELLED"}
        use(context.scene, self.path, self.name)
        return self.show(context)


class DIGIDOUBLE_AST_shelf(bpy.types.AssetShelf):  # noqa: N801
    """What the double can wear and do, below the viewport: a click or a drag gives it"""

    bl_space_type = "VIEW_3D"
    bl_activate_operator = "DIGIDOUBLE_OT_use_asset"
    bl_drag_operator = "DIGIDOUBLE_OT_use_asset"
    bl_default_preview_size = 96

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the scene has a double."""
        return bool(state_of(context.scene).document)

    @classmethod
    def asset_poll(cls, asset: Any) -> bool:
        """Only our assets."""
        return use_of(asset) is not None


def use(scene: Any, path: str, name: str) -> None:
    """Fix a parameter; its axis is unlocked."""
    getattr(state_of(scene), PARAMETERS[path].axis).locked = False
    change(scene, lambda text: document.write_setting(text, path, Fixed(name)))


def use_of(asset: Any) -> tuple[str, str] | None:
    """The parameter that an asset sets, and to what; None for somebody else's."""
    kind, _, name = str(asset.metadata.get(MADE_OF, "")).partition("/") if asset is not None else ("", "", "")
    return (USES[kind], name) if kind in USES else None


def use_at(place: str) -> tuple[str, str] | None:
    """The same by an asset's place in the library, as `poses/default/kicking.blend/Action/Kicking`."""
    parts = Path(place).parts
    file = next((number for number, part in enumerate(parts) if part.endswith(".blend")), 0)
    found = next((path for path in USES.values() if PARAMETERS[path].template in parts[:file]), None)
    return (found, Path(parts[file]).stem) if found else None


def draw_library(layout: Any) -> None:
    """The button, or how far the library is."""
    if not Progress.draw(layout, DIGIDOUBLE_OT_add_asset_library.bl_idname):
        layout.operator(DIGIDOUBLE_OT_add_asset_library.bl_idname, icon="ASSET_MANAGER")


def _draw_menu(menu: Any, context: Any) -> None:
    used = use_of(getattr(context, "asset", None))
    if used is None:
        return
    path, name = used
    menu.layout.separator()
    chosen = menu.layout.operator(
        DIGIDOUBLE_OT_use_asset.bl_idname, text=said("Use as {}", said(label(PARAMETERS[path].axis)))
    )
    chosen.path, chosen.name = path, name


@persistent
def _dropped(imported: Any, *_: Any) -> None:
    """Let what was dropped onto a double's scene be worn or done; the dropped thing itself goes away again."""
    if not state_of(bpy.context.scene).document:
        return
    things = [item.id for item in imported.import_items if item.id is not None]
    named = [(thing.id_type, thing.name, str(thing.get(MADE_OF, ""))) for thing in things]
    ours = [each for each in named if each[2].partition("/")[0] in USES]
    if ours and bpy.app.background:
        _take_up(ours)
    elif ours:
        bpy.app.timers.register(functools.partial(_take_up, ours), first_interval=0.1)


def _take_up(things: list[tuple[str, str, str]]) -> None:
    """Use what was dropped in place of it, as one step, once Blender has done with placing it."""
    windows = bpy.context.window_manager
    last = windows.operators[-1].bl_idname if windows.operators else ""
    if last in DROPPING and not bpy.app.background:
        with bpy.context.temp_override(window=windows.windows[0]):
            bpy.ops.ed.undo()
    else:
        _remove(things)
    scene = preview.stage_scene()
    for _, _, made_of in things:
        kind, _, name = made_of.partition("/")
        use(scene, USES[kind], name)
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=DIGIDOUBLE_OT_use_asset.bl_label)


def _remove(things: list[tuple[str, str, str]]) -> None:
    for kind, name, _ in things:
        thing = (bpy.data.objects if kind == "OBJECT" else bpy.data.actions).get(name)
        if thing is not None and MADE_OF in thing:
            bpy.data.batch_remove([thing, thing.data] if kind == "OBJECT" else [thing])


def register() -> None:
    """Be in the asset browser's menus, and notice what is dropped."""
    bpy.types.ASSETBROWSER_MT_context_menu.append(_draw_menu)
    bpy.app.handlers.blend_import_post.append(_dropped)
    keys.bind(DIGIDOUBLE_OT_use_asset.bl_idname, keys.FILE_LIST, "LEFTMOUSE", "DOUBLE_CLICK")


def unregister() -> None:
    """Take that back."""
    keys.release(DIGIDOUBLE_OT_use_asset.bl_idname)
    bpy.app.handlers.blend_import_post.remove(_dropped)
    bpy.types.ASSETBROWSER_MT_context_menu.remove(_draw_menu)


CLASSES: Final = (DIGIDOUBLE_OT_add_asset_library, DIGIDOUBLE_OT_use_asset, DIGIDOUBLE_AST_shelf)
