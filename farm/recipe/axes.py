"""The recipe's axes: for each parameter of `parameters.AXES` a setting.

The models are derived: a parameter that is added there can be set in recipes, appears in the JSON Schema, in the docs
and in the plan's table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)

from farm.recipe.distributions import Fixed, Integers, Setting
from farm.recipe.parameters import AXES, PARAMETERS, Axis, Parameter
from farm.recipe.settings import parse_setting, value_range

__all__ = ["PARAMETER_MARK", "Axes", "AxisSettings", "disagreement"]

PARAMETER_MARK: Final = "x-parameter"
"""In pydantic's own JSON Schema, a setting is only this and the parameter's path; `json_schema` completes it."""


def _default(parameter: Parameter) -> Setting:
    """The setting of a parameter that a recipe leaves out."""
    if parameter.drawn:
        low, high = value_range(parameter)
        return Integers(int(low), int(high))
    return Fixed(parameter.default)


class AxisSettings(BaseModel):
    """One axis of a recipe: a setting for each of its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _setting_field(parameter: Parameter) -> tuple[Any, Any]:
    annotation = Annotated[
        Setting,
        PlainValidator(lambda raw: parse_setting(parameter, raw)),
        PlainSerializer(lambda setting: setting.plain()),
        WithJsonSchema({PARAMETER_MARK: parameter.path}),
    ]
    return annotation, Field(default=_default(parameter), description=parameter.description)


def disagreement(axis: type[Axis], settings: Iterable[tuple[str, Setting]]) -> str:
    """What is wrong with an axis' fixed values among each other, by the rules of the variant's own; '' for nothing."""
    try:
        axis(**{name: setting.value for name, setting in settings if isinstance(setting, Fixed)})
    except ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return ""


def _agree(axis: type[Axis]) -> Callable[[AxisSettings], AxisSettings]:
    def check(settings: AxisSettings) -> AxisSettings:
        wrong = disagreement(axis, settings)
        if wrong:
            raise ValueError(wrong)
        return settings

    return check


def _settings_model(axis: str, model: type[Axis]) -> type[AxisSettings]:
    fields: dict[str, Any] = {name: _setting_field(PARAMETERS[f"{axis}.{name}"]) for name in model.model_fields}
    validators: dict[str, Any] = {"agree": model_validator(mode="after")(_agree(model))}
    created = create_model(
        f"{model.__name__}Settings",
        __base__=AxisSettings,
        __module__=__name__,
        __doc__=model.__doc__,
        __validators__=validators,
        **fields,
    )
    globals()[created.__name__] = created  # pickle looks classes up by their name
    return created


def _axes_model() -> type[AxisSettings]:
    models = {axis: _settings_model(axis, model) for axis, model in AXES.items()}
    fields: dict[str, Any] = {axis: (model, Field(default_factory=model)) for axis, model in models.items()}
    return create_model("Axes", __base__=AxisSettings, __module__=__name__, **fields)


Axes: Final = _axes_model()
"""The model of a recipe's axes, derived from `parameters.AXES`: `axes.hair.melanin` is a Setting."""
