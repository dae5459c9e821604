"""The sidebar tab Digidouble, panels in working order."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import bpy

from farm.recipe import AXES, PARAMETERS, Parameter
from farm.recipe.distributions import Beta, Choose, Normal
from farm.recipe.parameters import NO_STUNT
from farm.recipe.passes import PRESETS

from . import assets, document, ops_motion, ops_presets, own_recipe, preview, side_by_side, thumbnails
from .building import draw_building
from .parameters import VARIED, ends_of, mode_in, mode_of, property_of, title, title_of
from .problems import draw_problem, draw_trouble
from .properties import preset_property
from .rules import ruling
from .state import CONTEXT, said, shown_variant, state_of

__all__ = ["CLASSES", "SPACE", "StagePanel"]

SPACE: Final = {"bl_space_type": "VIEW_3D", "bl_region_type": "UI", "bl_category": "Digidouble"}
VARY_AXES: Final = tuple(axis for axis in AXES if axis != "rig")
"""The rig is chosen once, with the double."""


SHOWN: Final = ("face.expression", "wardrobe.outfit", "hair.style", "beard.style", "pose.name", "stunt.name")
"""What is chosen by its picture."""
NAMES: Final = 0.44
"""A parameter's name takes this share of a row: the longest fits into the sidebar as it opens."""


def draw_parameter(layout: Any, scene: Any, path: str, *, also: bool = True) -> None:
    """A parameter's slider or menu, and how it varies; a number's range below, where it varies."""
    parameter = PARAMETERS[path]
    group = getattr(state_of(scene), parameter.axis)
    mode = mode_of(scene, parameter)
    if path in SHOWN:  # below its picture no name is needed, and what is chosen has a long one
        row = layout.row(align=True)
    else:
        split = layout.split(factor=NAMES)
        name = split.row()
        name.alignment = "RIGHT"
        name.label(text=said(title_of(parameter)), translate=False)
        row = split.row(align=True)
    field = row.row(align=True)
    by_rule = ruling(scene, path)
    field.enabled = by_rule is None
    field.prop(group, property_of(parameter), text="Yes" if parameter.type is bool else "")
    lock = row.row(align=True)
    lock.enabled = not group.locked
    lock.prop(group, f"mode_{parameter.name}", text="", icon_only=True)
    if by_rule is not None:
        told = layout.row()
        told.active, told.alignment = False, "RIGHT"
        told.label(text=said("as rule {} says here", by_rule + 1), translate=False)
    if mode == VARIED and also and not group.locked:
        _draw_distribution(layout, scene, parameter, group)


def _draw_distribution(layout: Any, scene: Any, parameter: Parameter, group: Any) -> None:
    made = document.setting(state_of(scene).document, parameter.path)
    split = layout.split(factor=NAMES)
    split.label(text="")
    if ends_of(made):
        row = split.row(align=True)
        row.prop(group, f"low_{parameter.name}", text="")
        row.prop(group, f"high_{parameter.name}", text="")
        if parameter.type is float:
            row.operator("digidouble.distribute", text="", icon="NOCURVE").path = parameter.path
    elif isinstance(made, Normal | Beta):
        split.operator(
            "digidouble.distribute", text=document.describe(parameter.path, made, said)
        ).path = parameter.path
    elif isinstance(made, Choose) and parameter.template:
        split.operator("digidouble.choose", text=document.describe(parameter.path, made, said)).path = parameter.path
    else:
        split.label(text=document.describe(parameter.path, made, said))


def _column(layout: Any) -> Any:
    column = layout.column()
    column.use_property_decorate = False
    return column


def draw_axis(layout: Any, scene: Any, axis: str, names: Sequence[str] = ()) -> None:
    """The parameters of an axis, or some of them, in the recipe's order."""
    column = _column(layout)
    for name in AXES[axis].model_fields:
        if not names or name in names:
            path = f"{axis}.{name}"
            if path in SHOWN:
                _draw_picture(layout, scene, path)
                column = _column(layout)
            draw_parameter(column, scene, path)


def _draw_picture(layout: Any, scene: Any, path: str) -> None:
    """The picture of what is chosen, where there is one; a click shows all there are."""
    parameter = PARAMETERS[path]
    group = getattr(state_of(scene), parameter.axis)
    chosen = getattr(getattr(shown_variant(scene), parameter.axis), parameter.name)
    if thumbnails.icon(parameter.template, chosen):
        layout = layout.column()
        layout.enabled = ruling(scene, path) is None
        layout.template_icon_view(group, property_of(parameter), show_labels=True, scale=6.0, scale_popup=5.0)


class StagePanel:
    """A panel of the tab, shown where the scene has a double."""

    bl_options: Final = {"DEFAULT_CLOSED"}
    bl_translation_context = CONTEXT

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the scene has a double, and its recipe is right."""
        text = state_of(context.scene).document
        return bool(text) and not document.trouble(text)


class _AxisPanel(StagePanel):
    """A panel of one axis: its header rolls the dice and locks."""

    axis = ""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not where an artist's double brings what the axis would say; only whether its hair stays is asked then."""
        return super().poll(context) and (cls.axis == "hair" or cls.axis not in own_recipe.brought(context.scene))

    def draw_header_preset(self, context: Any) -> None:
        """Dice and lock."""
        if self.axis in own_recipe.brought(context.scene):
            return
        group = getattr(state_of(context.scene), self.axis)
        row = self.layout.row(align=True)
        row.operator("digidouble.roll_axis", text="", icon="FILE_REFRESH", emboss=False).axis = self.axis
        row.prop(group, "locked", text="", icon="LOCKED" if group.locked else "UNLOCKED", emboss=False)
        row.separator()

    def draw(self, context: Any) -> None:
        """The axis' parameters."""
        draw_problem(self.layout, context.scene, self.axis)
        if self.axis != "hair" or not own_recipe.draw_keep_hair(self.layout, context.scene):
            draw_axis(self.layout, context.scene, self.axis)


class DIGIDOUBLE_PT_double(bpy.types.Panel):  # noqa: N801 - Blender's own form
    """Who is on stage"""

    bl_label = "Double"
    bl_translation_context = CONTEXT
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    def draw(self, context: Any) -> None:
        """A new double, or the one that is there."""
        layout, scene = self.layout, context.scene
        if state_of(scene).document and draw_trouble(layout, scene):
            layout.operator("digidouble.remove_double", icon="TRASH")
        elif state_of(scene).document:
            draw_problem(layout, scene, "")
            draw_building(layout, scene)
            column = layout.column(align=True)
            row = column.row(align=True)
            row.operator("digidouble.step_variant", text="", icon="TRIA_LEFT").by = -1
            count = document.read(state_of(scene).document).count
            told = said("Variant {} of {}", state_of(scene).index + 1, count)
            row.label(text=f"   {told}", translate=False)
            row.operator("digidouble.step_variant", text="", icon="TRIA_RIGHT").by = 1
            column.operator("digidouble.step_variant", text="Next Variant").by = 1
            layout.operator("digidouble.remove_double", icon="TRASH")
        elif preview.stage_scene() is not None:
            layout.operator("digidouble.show_double", icon="OUTLINER_OB_ARMATURE")
        else:
            layout.operator("digidouble.new_double", icon="ADD")
            column = layout.column(align=True)
            column.active = False
            column.label(text="Made in a scene of its own;")
            column.label(text="yours stays as it is.")


def _child(axis: str, parent: str = "") -> type:
    """A panel of an axis; below `parent`, where given."""
    made = {"bl_label": title(axis), "axis": axis, "__doc__": AXES[axis].__doc__, **SPACE}
    if parent:
        made["bl_parent_id"] = parent
    return type(f"DIGIDOUBLE_PT_{axis}", (_AxisPanel, bpy.types.Panel), made)


class DIGIDOUBLE_PT_stunt(_AxisPanel, bpy.types.Panel):  # noqa: N801
    """What the double does"""

    bl_label = "Stunt"
    bl_space_type, bl_region_type, bl_category = SPACE.values()
    axis = "stunt"

    def draw(self, context: Any) -> None:
        """The stunt; what shapes it only where one is done."""
        layout, scene = self.layout, context.scene
        draw_problem(layout, scene, self.axis)
        done = shown_variant(scene).stunt.name != NO_STUNT
        if done:
            playing = context.screen.is_animation_playing
            layout.operator(
                "digidouble.rehearse", text="Stop" if playing else "Play Stunt", icon="PAUSE" if playing else "PLAY"
            )
        varied = mode_of(scene, PARAMETERS["stunt.name"]) == VARIED
        draw_axis(layout, scene, "stunt", () if done or varied else ("name",))
        ops_motion.draw_import(layout)


class DIGIDOUBLE_PT_stage(StagePanel, bpy.types.Panel):  # noqa: N801
    """Where it is seen"""

    bl_label = "Stage"
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    def draw_header_preset(self, _: Any) -> None:
        """Presets of light and camera."""
        ops_presets.DIGIDOUBLE_PT_stage_presets.draw_panel_header(self.layout)

    def draw(self, _: Any) -> None:
        """Light and camera are below."""


class DIGIDOUBLE_PT_vary(StagePanel, bpy.types.Panel):  # noqa: N801
    """How many variants, and what of them varies"""

    bl_label = "Vary"
    bl_space_type, bl_region_type, bl_category = SPACE.values()
    bl_options: Final = set()

    def draw(self, context: Any) -> None:
        """Count, seed, and for each part the dice and the lock."""
        layout, scene = self.layout, context.scene
        state = state_of(scene)
        draw_problem(layout, scene, "vary")
        side_by_side.draw_side_by_side(layout, scene)
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(state, "population")
        column.prop(state, "count")
        row = column.row(align=True)
        row.prop(state, "seed")
        row.operator("digidouble.new_seed", text="", icon="FILE_REFRESH")
        box = layout.column(align=True)
        for axis in (each for each in VARY_AXES if each not in own_recipe.brought(scene)):
            group = getattr(state, axis)
            row = box.row(align=True)
            row.label(text=said(title(axis)), translate=False)
            told = row.row()
            told.active, told.alignment = False, "RIGHT"
            told.label(text=_tell_axis(scene, axis), translate=False)
            row.operator("digidouble.roll_axis", text="", icon="FILE_REFRESH").axis = axis
            row.prop(group, "locked", text="", icon="LOCKED" if group.locked else "UNLOCKED")


def _tell_axis(scene: Any, axis: str) -> str:
    """How much of an axis varies."""
    if getattr(state_of(scene), axis).locked:
        return said("locked")
    varied = _varied(state_of(scene).document)[axis]
    return said("{} vary", varied) if varied else said("the same")


@functools.lru_cache(maxsize=16)
def _varied(text: str) -> dict[str, int]:
    """How many parameters of each axis vary in a document."""
    recipe = document.read(text)
    left = recipe.left_to_population.union(*(rule.set for rule in recipe.rules))
    count = dict.fromkeys(AXES, 0)
    for path, parameter in PARAMETERS.items():
        count[parameter.axis] += path in left or mode_in(text, parameter) == VARIED
    return count


class DIGIDOUBLE_PT_recipe(StagePanel, bpy.types.Panel):  # noqa: N801
    """The recipe as a file"""

    bl_label = "Recipe"
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    def draw(self, context: Any) -> None:
        """Name, templates, open and save."""
        layout = self.layout
        draw_problem(layout, context.scene, "recipe")
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(state_of(context.scene), "recipe_name")
        layout.menu("DIGIDOUBLE_MT_recipes", icon="PRESET")
        row = layout.row(align=True)
        row.operator("digidouble.open_recipe", text="Open", icon="FILE_FOLDER")
        row.operator("digidouble.save_recipe", text="Save", icon="FILE_TICK")
        assets.draw_library(layout)


class DIGIDOUBLE_PT_capture(StagePanel, bpy.types.Panel):  # noqa: N801
    """What is rendered of each variant"""

    bl_label = "Capture"
    bl_space_type, bl_region_type, bl_category = SPACE.values()

    def draw_header_preset(self, _: Any) -> None:
        """Presets of what is captured."""
        ops_presets.DIGIDOUBLE_PT_capture_presets.draw_panel_header(self.layout)

    def draw(self, context: Any) -> None:
        """Size, samples, frames, passes, and what it comes to."""
        draw_problem(self.layout, context.scene, "capture")
        layout, state = self.layout, state_of(context.scene)
        layout.use_property_split, layout.use_property_decorate = True, False
        capture = state.capture
        size = layout.column(align=True)
        size.prop(capture, "width")
        size.prop(capture, "height")
        noise = layout.column(align=True)
        noise.prop(capture, "samples")
        noise.prop(capture, "replicas")
        noise.prop(capture, "reference")
        noise.prop(capture, "residual")
        frames = layout.column(align=True)
        frames.prop(capture, "count")
        frames.prop(capture, "start")
        frames.prop(capture, "rate")
        frames.prop(capture, "shutter")
        layout.prop(capture, "caustics")
        passes = layout.column(heading="Passes", align=True)
        for name in PRESETS:
            passes.prop(capture, preset_property(name))
        told = layout.column(align=True)
        told.active = False
        pairs, width, height, samples = _counts(state.document)
        text = "{} pair of {} × {} pixels" if pairs == 1 else "{} pairs of {} × {} pixels"
        told.label(text=said(text, f"{pairs:,}", width, height), translate=False)
        told.label(text=said("Up to {} samples a pixel for each", f"{samples:,}"), translate=False)


@functools.lru_cache(maxsize=16)
def _counts(text: str) -> tuple[int, int, int, int]:
    """What rendering a document comes to: pairs, their width and height, samples a pixel for each."""
    recipe = document.read(text)
    capture = recipe.capture
    pairs = recipe.count * capture.frames.count
    samples = sum(capture.samples) * capture.replicas + capture.reference.samples
    return pairs, *capture.resolution, samples


CLASSES: Final = (
    DIGIDOUBLE_PT_double,
    _child("body", "DIGIDOUBLE_PT_double"),
    _child("skin", "DIGIDOUBLE_PT_double"),
    _child("face", "DIGIDOUBLE_PT_double"),
    _child("wardrobe", "DIGIDOUBLE_PT_double"),
    _child("hair"),
    _child("beard", "DIGIDOUBLE_PT_hair"),
    _child("pose"),
    DIGIDOUBLE_PT_stunt,
    DIGIDOUBLE_PT_stage,
    _child("light", "DIGIDOUBLE_PT_stage"),
    _child("camera", "DIGIDOUBLE_PT_stage"),
    DIGIDOUBLE_PT_vary,
    DIGIDOUBLE_PT_recipe,
    DIGIDOUBLE_PT_capture,
)
