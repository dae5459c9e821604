"""How a parameter varies: evenly within a range, on a bell curve, or leaning to one end."""

from __future__ import annotations

from typing import Any, Final

import bpy

from farm.recipe import PARAMETERS, Parameter
from farm.recipe.distributions import Beta, Normal, Setting, Uniform
from farm.recipe.settings import BETA_SHAPE, value_range

from . import document
from .ops_double import StageOperator
from .parameters import title_of
from .state import change, state_of

__all__ = ["CLASSES"]

EVEN: Final = "EVEN"
BELL: Final = "BELL"
LEAN: Final = "LEAN"
SHAPES: Final = (
    (EVEN, "Evenly", "All values of the range are equally likely", "NOCURVE", 0),
    (BELL, "Bell Curve", "Most values are near the middle, few far from it", "SMOOTHCURVE", 1),
    (LEAN, "Leaning", "Values crowd towards one end, both ends or the middle", "SHARPCURVE", 2),
)


class DIGIDOUBLE_OT_distribute(StageOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Say how often which values are drawn"""

    bl_idname = "digidouble.distribute"
    bl_label = "How It Varies"
    path: bpy.props.StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]
    shape: bpy.props.EnumProperty(name="Shape", items=SHAPES)  # type: ignore[valid-type]
    low: bpy.props.FloatProperty(name="Least", description="No value is below", precision=3)  # type: ignore[valid-type]
    high: bpy.props.FloatProperty(name="Most", description="No value is above", precision=3)  # type: ignore[valid-type]
    middle: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Middle", description="The value that is the most likely", precision=3
    )
    spread: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Spread",
        description="Two of three values are no farther off",
        min=1e-4,
        default=1,
        precision=3,
    )
    up: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Pull Up", description="Above 1, values keep off the least; below 1, they crowd there",
        min=BETA_SHAPE[0], max=BETA_SHAPE[1], soft_max=8, default=2,
    )  # fmt: skip
    down: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Pull Down", description="Above 1, values keep off the most; below 1, they crowd there",
        min=BETA_SHAPE[0], max=BETA_SHAPE[1], soft_max=8, default=2,
    )  # fmt: skip

    def invoke(self, context: Any, _: Any) -> set[str]:
        """Begin with how it varies now."""
        parameter = PARAMETERS[self.path]
        self._read(parameter, document.setting(state_of(context.scene).document, self.path))
        title = title_of(parameter) + (f" ({parameter.unit})" if parameter.unit else "")
        return context.window_manager.invoke_props_dialog(self, width=300, title=title)  # type: ignore[no-any-return]

    def _read(self, parameter: Parameter, made: Setting | None) -> None:
        """Take over a distribution; what it does not say is likely."""
        low, high = value_range(parameter)
        if isinstance(made, Uniform | Normal | Beta):
            low, high = made.low, made.high
        self.low, self.high = low, high
        self.middle, self.spread = (low + high) / 2, (high - low) / 6
        self.shape = EVEN
        if isinstance(made, Normal):
            self.shape, self.middle, self.spread = BELL, made.mean, made.sd
        elif isinstance(made, Beta):
            self.shape, self.up, self.down = LEAN, made.a, made.b

    def draw(self, _: Any) -> None:
        """The shape, and what it has."""
        layout = self.layout
        layout.row().prop(self, "shape", expand=True)
        layout.use_property_split = True
        ends = layout.column(align=True)
        ends.prop(self, "low")
        ends.prop(self, "high")
        for name in {EVEN: (), BELL: ("middle", "spread"), LEAN: ("up", "down")}[self.shape]:
            layout.prop(self, name)

    def execute(self, context: Any) -> set[str]:
        """Write it; what the parameter cannot have is refused."""
        parameter = PARAMETERS.get(self.path)
        if parameter is None or parameter.type is not float:
            self.report({"ERROR"}, f"'{self.path}' is no number that can vary so")
            return {"CANCELLED"}
        lowest, highest = value_range(parameter)
        low, high = (min(max(_tidy(end), lowest), highest) for end in (self.low, self.high))
        if low >= high:
            self.report({"ERROR"}, f"{title_of(parameter)}: Least must be below Most")
            return {"CANCELLED"}
        made: dict[str, Setting] = {
            EVEN: Uniform(low, high),
            BELL: Normal(_tidy(self.middle), _tidy(self.spread), low, high),
            LEAN: Beta(_tidy(self.up), _tidy(self.down), low, high),
        }
        change(context.scene, lambda text: document.write_setting(text, self.path, made[self.shape]))
        if state_of(context.scene).problem:
            self.report({"ERROR"}, state_of(context.scene).problem)
            return {"CANCELLED"}
        return self.show(context)


def _tidy(value: float) -> float:
    """Without the noise of single precision."""
    return float(f"{value:.6g}")


CLASSES: Final = (DIGIDOUBLE_OT_distribute,)
