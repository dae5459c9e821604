"""A recipe: what may vary and how, and what to capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, model_validator

from farm.errors import RecipeError
from farm.recipe import templates
from farm.recipe.axes import Axes, AxisSettings
from farm.recipe.capture import Capture, Split
from farm.recipe.character import BALD, Character, WrittenCharacter
from farm.recipe.distributions import Fixed, Setting
from farm.recipe.faults import Key, fault, show
from farm.recipe.parameters import AXES, PARAMETERS, SEED_MAX, Parameter, Value
from farm.recipe.population import KIND, load_population
from farm.recipe.rules import Rules, apply_rules, never_met
from farm.recipe.scalars import Whole
from farm.recipe.splits import share_out
from farm.recipe.variant import Variant, content_hash, stream

__all__ = ["RECIPE_FORMAT", "Recipe"]

RECIPE_FORMAT: Final = "recipe/1"


def _known_format(raw: Any) -> Any:
    """Refuse every format but this one, a newer one by name."""
    if raw == RECIPE_FORMAT:
        return raw
    kind, _, version = raw.partition("/") if isinstance(raw, str) else ("", "", "")
    if kind == "recipe" and version.isdecimal() and int(version[:9]) > 1:
        raise fault(f"{raw[:40]} is newer than this Digidouble reads ({RECIPE_FORMAT}); install a newer Digidouble")
    raise fault(f"unknown format, {show(raw)}; write `digidouble: {RECIPE_FORMAT}`")


def _known_population(raw: Any) -> Any:
    """Refuse a name that is in no template."""
    names = templates.names(KIND)
    if raw is None or raw in names:
        return raw
    raise fault(f"no {show(raw)} in {KIND}{templates.nearest(str(raw), names)}")


PopulationName = Annotated[
    str | None, BeforeValidator(_known_population), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})
]
Format = Annotated[str, BeforeValidator(_known_format), WithJsonSchema({"const": RECIPE_FORMAT})]


class Recipe(BaseModel):
    """What may vary and how (`axes`), how many draws of it (`count`, `seed`), and what is captured of each."""

    model_config = ConfigDict(frozen=True, extra="forbid", title=f"Digidouble {RECIPE_FORMAT}")

    digidouble: Format = Field(description="The format of this file.")
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64, description="Name: letters, digits, - and _."
    )
    seed: Whole = Field(default=0, ge=0, le=SEED_MAX, description="Equal seeds, equal variants.")
    count: Whole = Field(ge=1, le=1_000_000, description="Number of variants.")
    population: PopulationName = Field(
        default=None, description="Whom to draw from where the axes say nothing; the defaults stand when left out."
    )
    double: WrittenCharacter = Field(
        default=None,
        exclude_if=lambda double: double is None,
        description="Your own double, a .blend file; the built-in one when left out.",
    )
    axes: Axes = Field(default_factory=Axes, description="What may vary: a setting per parameter.")  # type: ignore[valid-type]
    rules: Rules = Field(
        default=(),
        exclude_if=lambda rules: not rules,
        description="What is set where conditions are met, after all else has been drawn; applied in order.",
    )
    capture: Capture = Field(default_factory=Capture, description="What is rendered of each variant.")
    split: Split = Field(
        default_factory=lambda: Split(train=0.8, valid=0.1, test=0.1),
        description="Shares of the variants for training, validation and testing.",
    )

    @model_validator(mode="after")
    def _leaves_its_own_to_the_double(self) -> Recipe:
        for axis in self.brought:
            if axis in self.axes.model_fields_set:  # type: ignore[attr-defined]
                remedy = "keep_hair" if axis == "hair" else "double"
                raise fault(f"the double brings its own; delete the line, or `{remedy}`", "axes", Key(axis))
        for number, rule in enumerate(self.rules):
            for part, paths in (("where", rule.where), ("set", rule.set)):
                for path in (each for each in paths if PARAMETERS[each].axis in self.brought):
                    raise fault(
                        "the double brings its own; delete it from the rule, or the rule",
                        "rules",
                        number,
                        part,
                        Key(path),
                    )
        return self

    @property
    def brought(self) -> tuple[str, ...]:
        """The axes that say nothing, because the artist's double brings what they would say."""
        return () if self._character is None else self._character.brought

    def settings(self) -> Iterator[tuple[str, Setting]]:
        """The setting of every parameter as (path, setting), left-out ones included, in the order of the axes.

        Axes that an artist's double brings are left out.
        """
        for axis, model in AXES.items():
            if axis in self.brought:
                continue
            settings = getattr(self.axes, axis)
            for name in model.model_fields:
                yield f"{axis}.{name}", self._setting(settings, PARAMETERS[f"{axis}.{name}"])

    @staticmethod
    def _setting(settings: AxisSettings, parameter: Parameter) -> Setting:
        """A setting, or the default of a left-out seed that would decide nothing."""
        left_out = parameter.name not in settings.model_fields_set
        if left_out and parameter.needs and getattr(settings, parameter.needs) == Fixed(0.0):
            return Fixed(parameter.default)
        setting: Setting = getattr(settings, parameter.name)
        return setting

    @property
    def left_to_population(self) -> frozenset[str]:
        """The parameters that are drawn from the population, because the axes say nothing of them."""
        if self.population is None:
            return frozenset()
        said = {f"{axis}.{name}" for axis in AXES for name in getattr(self.axes, axis).model_fields_set}
        said |= {path for path, parameter in PARAMETERS.items() if parameter.axis in self.brought}
        return load_population(self.population).paths - said

    @property
    def varied(self) -> list[str]:
        """The parameters that are not the same in all variants by what the recipe says, in the order of the axes."""
        by_rules = {path for rule in self.rules for path in rule.set}
        by_rules |= {path for path, parameter in PARAMETERS.items() if _needed(parameter) in by_rules}
        free = self.left_to_population | by_rules
        return [path for path, setting in self.settings() if path in free or not isinstance(setting, Fixed)]

    def suited(self, index: int) -> list[int]:
        """The numbers, from 0, of the rules that variant `index` suits."""
        return self._drawn(index)[1]

    def never_met(self) -> dict[int, str]:
        """The rules that no variant can suit, as far as that is plain, and a parameter that is never as each asks."""
        left = self.left_to_population
        known = {path: setting for path, setting in self.settings() if path not in left and not PARAMETERS[path].needs}
        return never_met(self.rules, known)

    def variant(self, index: int) -> Variant:
        """Draw number `index`. It depends on seed, index, population, axes and rules, and on nothing else.

        Each parameter has a random stream of its own, so that changing one leaves the others' values as they are. What
        is left to the population depends on the identity instead: equal identities are the same person. The rules come
        last.
        """
        return self._made(index, *self._drawn(index))

    def _made(self, index: int, drawn: Mapping[str, Value], suited: Sequence[int]) -> Variant:
        """Variant `index` of its values by path, and of the rules that it suits."""
        values: dict[str, dict[str, Any]] = {axis: {} for axis in AXES}
        for path, parameter in PARAMETERS.items():
            if parameter.axis not in self.brought:
                values[parameter.axis][parameter.name] = drawn[path]
        if "hair" in self.brought:
            values["hair"]["style"] = BALD
        try:
            return Variant.model_validate({"index": index, "double": self._character, **values})
        except ValidationError as error:
            detail = error.errors()[0]
            problem = str(detail["msg"]).removeprefix("Value error, ")
            blamed = self._blamed(suited, str(detail["loc"][0]))
            narrow = f"narrow its distribution{f', or what {blamed} sets' if blamed else ''}"
            raise RecipeError(f"recipe '{self.name}': variant {index}: {problem}; {narrow}") from error

    def _blamed(self, suited: Sequence[int], axis: str) -> str:
        """The last of some rules that sets an axis' parameters, as messages name it; '' where none does."""
        for number in reversed(suited):
            if any(PARAMETERS[path].axis == axis for path in self.rules[number].set):
                why = self.rules[number].why
                return f"rules[{number}]{f' ({why})' if why else ''}"
        return ""

    def _drawn(self, index: int) -> tuple[dict[str, Value], list[int]]:
        """The values of variant `index` by path, and the numbers of the rules that it suits."""
        left = self.left_to_population
        drawn: dict[str, Value] = {}
        for path, setting in self.settings():
            if path not in left:
                drawn[path] = (
                    setting.value if isinstance(setting, Fixed) else setting.draw(stream(self.seed, index, path))
                )
        if self.population is not None:
            path = "body.identity"
            person = self.axes.body.identity.draw(stream(self.seed, index, path)) if self.brought else drawn[path]  # type: ignore[attr-defined]
            drawn |= load_population(self.population).draw(int(person), drawn)
        suited = apply_rules(self.rules, drawn, self.seed, index)
        self._draw_woken(drawn, suited, index)
        return drawn, suited

    def _draw_woken(self, drawn: dict[str, Value], suited: Sequence[int], index: int) -> None:
        """Draw the seeds that decide nothing but for a rule: what they need is 0 by the axes, and not by the rule."""
        written = {path for number in suited for path in self.rules[number].set}
        for path, parameter in PARAMETERS.items() if written else ():
            if _needed(parameter) not in written or path in written or not drawn[_needed(parameter)]:
                continue
            settings = getattr(self.axes, parameter.axis)
            drawn[path] = getattr(settings, parameter.name).draw(stream(self.seed, index, path))

    @property
    def _character(self) -> Character | None:
        return None if self.double is None else Character(sha256=self.double.sha256, keep_hair=self.double.keep_hair)

    def draw(self) -> list[Variant]:
        """The recipe's variants.

        Raises:
            RecipeError: two variants are equal, or one is impossible.
        """
        return self.draw_suited()[0]

    def draw_suited(self) -> tuple[list[Variant], list[list[int]]]:
        """The recipe's variants, and for each rule the numbers of those that suit it. Raises what `draw` raises."""
        variants: list[Variant] = []
        suiting: list[list[int]] = [[] for _ in self.rules]
        for index in range(self.count):
            drawn, suited = self._drawn(index)
            variants.append(self._made(index, drawn, suited))
            for number in suited:
                suiting[number].append(index)
        first: dict[str, int] = {}
        for variant in variants:
            other = first.setdefault(variant.id, variant.index)
            if other != variant.index:
                raise RecipeError(
                    f"recipe '{self.name}': variants {other} and {variant.index} are equal (id {variant.id});"
                    " leave body.identity and hair.seed out so that they are drawn, let more vary, or lower count"
                )
        return variants, suiting

    def splits(self, variants: Sequence[Variant]) -> dict[str, str]:
        """`train`, `valid` or `test` for each variant's id; equal faces and equal strands are never parted."""
        return share_out(variants, self.split.shares())

    @property
    def digest(self) -> str:
        """Hash of what the recipe means: spelling, order, comments and written-out defaults make no difference.

        Nor does why a rule is there, nor where a packed double lies, whose content it names.
        """
        data = self.model_dump(mode="json")
        if self.double is not None and self.double.sha256 is not None:
            data["double"] = self.double.model_dump(mode="json", include={"sha256", "keep_hair"})
        for rule in data.get("rules", ()):
            del rule["why"]
        return content_hash(data)

    def to_yaml(self) -> str:
        """The recipe as YAML, without what was left out; reading it gives an equal recipe."""
        data = self.model_dump(mode="json", exclude_unset=True)
        return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)


def _needed(parameter: Parameter) -> str:
    """The path of what a seed needs to decide anything; '' for other parameters."""
    return f"{parameter.axis}.{parameter.needs}" if parameter.needs else ""


class _Dumper(yaml.SafeDumper):
    """Writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out."""
        return True
