"""What may vary: recipes, the parameters they set and the variants drawn from them. No bpy, Ray or torch."""

from farm.recipe.capture import Capture, Frames, Reference, Split
from farm.recipe.parameters import AXES, PARAMETERS, Parameter
from farm.recipe.reading import load_recipe, parse_recipe
from farm.recipe.recipe import RECIPE_FORMAT, Recipe
from farm.recipe.recipe_schema import json_schema
from farm.recipe.variant import Variant, content_hash, stream

__all__ = [
    "AXES",
    "PARAMETERS",
    "RECIPE_FORMAT",
    "Capture",
    "Frames",
    "Parameter",
    "Recipe",
    "Reference",
    "Split",
    "Variant",
    "content_hash",
    "json_schema",
    "load_recipe",
    "parse_recipe",
    "stream",
]
