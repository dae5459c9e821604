"""The tables of layers and passes in docs/dataset.md. `python -m farm.dataset.layer_docs` brings the page in step."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from farm.dataset.layers import LAYERS, Layer
from farm.recipe.markdown import markdown_table, renew_table
from farm.recipe.passes import PASSES, PRESETS

__all__ = ["PAGE", "layer_table", "preset_table", "refresh"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "dataset.md"

_WHERE: Final = {
    ("noisy", "reference", "partner", "sample"): "all but data",
    ("reference",): "reference",
    ("data",): "data",
    ("data", "partner", "sample"): "data, partner, sample",
}


def layer_table() -> str:
    """A Markdown table of every layer: channels, images, unit, axes, sign and the pass that brings it."""
    rows = [[*_row(layer), layer.description] for layer in LAYERS]
    return "\n".join(markdown_table(["layer", "channels", "in", "unit", "axes", "sign", "pass", "what it is"], rows))


def preset_table() -> str:
    """A Markdown table of the presets' passes."""
    heads = ["pass", *(f"`{name}`" for name in PRESETS)]
    rows = [[f"`{name}`", *("✓" if name in PRESETS[preset] else "" for preset in PRESETS)] for name in PASSES]
    return "\n".join(markdown_table(heads, rows))


def _row(layer: Layer) -> list[str]:
    channels = " ".join(f"`{channel}`" for channel in layer.channels)
    asked = f"`{layer.asked_as}`" if layer.asked_as else "clips" if layer.clips else "always"
    return [layer.name, channels, _WHERE[layer.images], layer.unit, layer.axes, layer.sign, asked]


def refresh(page: str) -> str:
    """The page with each table between `<!-- NAME: … -->` and `<!-- end -->` made anew."""
    for name, table in (("layers", layer_table()), ("presets", preset_table())):
        page = renew_table(page, name, f"\n{table}\n\n", called=f"of {name}")
    return page


if __name__ == "__main__":
    PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
