"""Sheets: what a picture of all templates of a kind shows of them. `farm.render.sheet` renders it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import PARAMETERS
from farm.recipe.templates import Part, nearest
from farm.recipe.variant import Variant

__all__ = ["SHEETS", "Sheet", "load_sheet"]

SHEETS: Final = "sheets"

Pixels = Annotated[int, Field(ge=16, le=2048)]


class Sheet(Part):
    """templates/sheets: what a kind's sheet shows.

    varies      the parameter that takes each template's name in turn
    samples     per pixel
    resolution  width and height of a picture in pixels
    moments     of a stunt, from its beginning to its end: a film strip
    """

    description: str
    varies: str
    samples: int = Field(ge=1, le=4096)
    resolution: tuple[Pixels, Pixels]
    moments: int = Field(default=1, ge=1, le=64)
    views: tuple[dict[str, Any], ...] = Field(min_length=1)
    people: tuple[dict[str, dict[str, Any]], ...] = Field(min_length=1)

    def variant(self, name: str, person: int, view: int) -> Variant:
        """The variant of one picture; pydantic's ValidationError where the sheet says what a variant cannot have."""
        axis, parameter = self.varies.split(".")
        axes = {key: dict(values) for key, values in self.people[person].items()}
        axes.setdefault(axis, {})[parameter] = name
        bare: dict[str, dict[str, Any]] = {each: {} for each in ("body", "skin", "hair", "pose", "stunt", "light")}
        return Variant.model_validate({"index": 0, **bare, **axes, "camera": self.views[view]})


def load_sheet(kind: str) -> Sheet:
    """The sheet of a kind of template; TemplateError where there is none or it is wrong."""
    if kind not in templates.names(SHEETS):
        raise TemplateError(f"{kind} have no sheet{nearest(kind, templates.names(SHEETS))}")
    sheet = templates.read(Sheet, SHEETS, kind)
    place = templates.place(SHEETS, kind)
    if sheet.varies not in PARAMETERS or PARAMETERS[sheet.varies].template != kind:
        known = [path for path, parameter in PARAMETERS.items() if parameter.template == kind]
        raise TemplateError(f"{place}: varies: '{sheet.varies}' names no {kind}{nearest(sheet.varies, known)}")
    for person in range(len(sheet.people)):
        for view in range(len(sheet.views)):
            try:
                sheet.variant(templates.names(kind)[0], person, view)
            except ValueError as error:
                reason = " ".join(str(error).split())
                raise TemplateError(f"{place}: person {person + 1}, view {view + 1}: {reason}") from None
    return sheet
