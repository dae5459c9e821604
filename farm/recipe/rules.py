"""Rules of a recipe: what is set in the variants that meet conditions, after all else has been drawn.

Rules are applied in order. Conditions see the values as they are at that moment, and a later rule replaces what an
earlier one set. What a rule sets is drawn from a stream that the variant, the parameter and the parameters of its
conditions name, not its place among the rules nor its values: so that a rule more, a rule less, another order or a
wider condition leave all draws as they are where the same rules still apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from farm.recipe.axes import disagreement
from farm.recipe.conditions import Condition, at_path, parse_condition, suits
from farm.recipe.distributions import Setting
from farm.recipe.faults import Key, fault, show
from farm.recipe.parameters import AXES, PARAMETERS, Parameter, Value
from farm.recipe.settings import parse_setting
from farm.recipe.templates import nearest
from farm.recipe.variant import stream

__all__ = ["FIRST_OF_ALL", "PATHS_MARK", "Rule", "Rules", "apply_rules", "never_met"]

PATHS_MARK: Final = "x-paths"
"""In pydantic's own JSON Schema, `where` and `set` are only this; `json_schema` completes them."""

FIRST_OF_ALL: Final = "body.identity"
"""Who is drawn, from which a population draws all else: no rule can set it."""


def _parameter(path: str) -> Parameter:
    if path not in PARAMETERS:
        raise fault(f"unknown parameter {show(path)}{_remedy(path)}", Key(path))
    return PARAMETERS[path]


def _remedy(path: str) -> str:
    if path in AXES:
        return f"; write `{path}.{next(iter(AXES[path].model_fields))}` or another of its parameters"
    owners = [f"'{each.path}'" for each in PARAMETERS.values() if each.name == path]
    if owners:
        return f"; did you mean {' or '.join(owners)}?"
    axis = path.partition(".")[0]
    if axis in AXES:
        return nearest(path, [each for each in PARAMETERS if each.startswith(f"{axis}.")])
    guess = nearest(path, list(PARAMETERS))
    return guess if guess.endswith("?") else nearest(axis, list(AXES))


def _settable(path: str) -> Parameter:
    parameter = _parameter(path)
    if path == FIRST_OF_ALL:
        raise fault(f"{path} is drawn before any rule is looked at; set it in axes", Key(path))
    return parameter


class _ByPath:
    """Reads `where` or `set`: every path that is wrong is told, not the first alone."""

    def __init__(
        self, known: Callable[[str], Parameter], parse: Callable[[Parameter, Any], Condition | Setting], example: str
    ) -> None:
        self._known, self._parse, self._example = known, parse, example

    def _pairs(self, raw: Any) -> list[tuple[str, Any]]:
        if not isinstance(raw, Mapping) or not raw:
            raise fault(f"expected at least one parameter, found {show(raw)}; write `{self._example}`")
        return list(raw.items())

    def _pair(self, raw: tuple[str, Any]) -> tuple[str, Condition | Setting]:
        return raw[0], at_path(*raw, self._known, self._parse)

    @staticmethod
    def _plain(parts: Mapping[str, Condition | Setting]) -> dict[str, Any]:
        return {path: part.plain() for path, part in parts.items()}

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        pairs = core_schema.list_schema(core_schema.no_info_plain_validator_function(self._pair))
        mapped = core_schema.no_info_after_validator_function(dict, pairs)
        plain = core_schema.plain_serializer_function_ser_schema(self._plain)
        return core_schema.no_info_before_validator_function(self._pairs, mapped, serialization=plain)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {PATHS_MARK: True}


class Rule(BaseModel):
    """What is set in the variants that meet all of some conditions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Annotated[dict[str, Condition], _ByPath(_parameter, parse_condition, "where: {stunt.name: jump}")] = Field(
        description="Conditions, all of which must hold: beside a parameter one value, any of several names, or"
        " [least, most] of a number."
    )
    set: Annotated[dict[str, Setting], _ByPath(_settable, parse_setting, "set: {hair.style: buzz}")] = Field(
        description="A value or a distribution beside each parameter, in place of what was drawn."
    )
    why: str | None = Field(
        default=None, min_length=1, max_length=200, description="What it is for, told wherever the rule is."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Rule:
        for axis, model in AXES.items():
            paths = [path for path in self.set if path.startswith(f"{axis}.")]
            wrong = paths and disagreement(model, ((path.partition(".")[2], self.set[path]) for path in paths))
            if wrong:
                raise fault(str(wrong), "set", Key(paths[0]))
        return self


def _listed(raw: Any) -> Any:
    if isinstance(raw, Mapping):
        raise fault("expected a list of rules; begin each with a dash, `- where: …`")
    if not isinstance(raw, list | tuple):
        raise fault(f"expected a list of rules, found {show(raw)}")
    return raw


Rules = Annotated[tuple[Rule, ...], BeforeValidator(_listed)]
"""Rules of a recipe, in the order in which they are applied."""


def apply_rules(rules: Iterable[Rule], values: dict[str, Value], seed: int, index: int) -> list[int]:
    """Apply rules to the values of variant `index`, by path, which are changed.

    Returns:
        The numbers of the rules that suit the variant, from 0.
    """
    suited = []
    drawn: Counter[tuple[str, str]] = Counter()
    for number, rule in enumerate(rules):
        if not suits(rule.where, values):
            continue
        suited.append(number)
        about = ",".join(sorted(rule.where))
        for path, setting in rule.set.items():
            values[path] = setting.draw(stream(seed, index, "rules", about, path, drawn[about, path]))
            drawn[about, path] += 1
    return suited


def never_met(rules: Iterable[Rule], settings: Mapping[str, Setting]) -> dict[int, str]:
    """The rules that no variant can suit, as far as that is plain: their numbers, and a path that is never as asked.

    Args:
        rules: In order.
        settings: What each parameter is drawn from; a path that is left out may have any value.
    """
    possible = {path: [setting] for path, setting in settings.items()}
    never = {}
    for number, rule in enumerate(rules):
        for path, condition in rule.where.items():
            if path in possible and not any(map(condition.may_hold, possible[path])):
                never[number] = path
                break
        else:
            for path, setting in rule.set.items():
                if path in possible:
                    possible[path].append(setting)
    return never
