"""The page of `report.html`: HTML from rows of the index and pictures."""

from __future__ import annotations

import base64
import io
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any, Final

import numpy as np
from PIL import Image

from farm.dataset.contact_sheet import label_lines
from farm.dataset.index import noisy_files
from farm.dataset.layout import REFERENCE_NAME
from farm.dataset.views import FEATURE_VIEWS, shrink
from farm.recipe import AXES, PARAMETERS, Recipe

__all__ = ["THUMBNAIL_SIDE", "ShownPair", "asset_text", "compose_page", "duration_text", "picture_tag", "size_text"]

THUMBNAIL_SIDE: Final = 256
_SPLITS: Final = ("train", "valid", "test")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ShownPair:
    """One pair ready for the page.

    `row` is its row of the index; `pictures` are sRGB bytes (height, width, 3) by file name and by view; `errors` are
    the noisy images' relMSE; `depth` is the nearest and farthest metre of the depth picture.
    """

    row: Row
    pictures: dict[str, np.ndarray]
    errors: dict[str, float]
    depth: tuple[float, float]


def compose_page(recipe: Recipe, rows: Sequence[Row], shown: Sequence[ShownPair]) -> str:
    """The whole page: facts about all `rows`, and the pairs that are shown."""
    some = "" if len(shown) == len(rows) else f"<small>{len(shown)} of {len(rows):,} pairs, evenly spread</small>"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(recipe.name)} · digidouble</title>",
            f"<style>{asset_text('report.css')}</style></head><body>",
            f'<p class="eyebrow">Digidouble dataset</p><h1>{escape(recipe.name)}</h1>',
            _facts(recipe, rows),
            f"<h2>Contact sheet {some}</h2>",
            '<nav class="sheet">',
            *(_contact(pair) for pair in shown),
            "</nav>",
            "<h2>Pairs <small>noisy left, reference right: drag the divider, or focus it and use the arrow keys"
            "</small></h2>",
            *(_article(pair) for pair in shown),
            f"<footer>{_footnote(recipe)}</footer>",
            f"<script>{asset_text('report.js')}</script></body></html>\n",
        ]
    )


def asset_text(name: str) -> str:
    """A style sheet or script of `farm/dataset/page`."""
    return resources.files("farm.dataset").joinpath("page", name).read_text(encoding="utf-8")


def _facts(recipe: Recipe, rows: Sequence[Row]) -> str:
    planned = recipe.count * len(recipe.capture.frames.numbers)
    variants = len({row["variant"] for row in rows})
    files = [file for row in rows for file in row["files"]]
    splits = Counter(row["split"] for row in rows)
    done = sum(row["residual.converged"] for row in rows)
    engines = sorted({f"Blender {row['engine.blender']} ({row['engine.build_hash']})" for row in rows})
    devices = sorted({row["engine.device_name"] for row in rows})
    seconds = sum(value for row in rows for _, value in row["timings"])
    width, height = rows[0]["width"], rows[0]["height"]
    samples = ", ".join(str(spp) for spp in recipe.capture.samples)
    residual = statistics.median(row["residual.ratio"] for row in rows)
    facts = [
        ("Pairs", f"{len(rows):,} of {planned:,}", f"{variants:,} variants, {len(files):,} images"),
        ("Splits", " / ".join(str(splits[name]) for name in _SPLITS), " / ".join(_SPLITS)),
        ("Images", f"{width} × {height}", f"{samples} spp and reference"),
        ("Residual", f"{residual:.2%}", f"median; {done:,} of {len(rows):,} converged"),
        ("Render time", duration_text(seconds), f"{duration_text(seconds / len(rows))} a pair"),
        ("On disk", size_text(sum(file["bytes"] for file in files)), "float32 EXR"),
        ("Engine", rows[0]["engine.renderer"].capitalize(), ", ".join(engines + devices)),
    ]
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(detail)}</small></dd></div>"
        for name, value, detail in facts
    )
    return f'<dl class="facts">{tiles}</dl>'


def _contact(pair: ShownPair) -> str:
    title, detail = label_lines(pair.row)
    picture = shrink(pair.pictures[REFERENCE_NAME], THUMBNAIL_SIDE)
    return (
        f'<a href="#{_anchor(pair.row)}">{picture_tag(picture, alt=f"{title}, {detail}")}'
        f"<span>{escape(title)}<em>{escape(detail)}</em></span></a>"
    )


def _article(pair: ShownPair) -> str:
    title, detail = label_lines(pair.row)
    row = pair.row
    return (
        f'<article class="pair" id="{_anchor(row)}"><div>{_viewer(pair)}</div>'
        f"<div><header><h3>{escape(title)}</h3>{_chip(row['split'])}{_converged(row)}"
        f"<p>{escape(detail)} · frame {row['frame']} · variant {row['index']} · <code>{row['pair']}</code></p></header>"
        f"{_residual(row)}{_values(row)}{_images(pair)}</div></article>"
    )


def _viewer(pair: ShownPair) -> str:
    noisy = noisy_files(pair.row)
    reference = pair.pictures[REFERENCE_NAME]
    height, width = reference.shape[:2]
    samples = pair.row["residual.samples"]
    layers = [picture_tag(reference, alt=f"reference, {samples} samples per pixel", kind="reference")]
    layers += [
        picture_tag(
            pair.pictures[file["name"]],
            alt=f"noisy, {file['spp']} samples per pixel",
            kind="noisy",
            data={"image": file["name"], "label": _noisy_label(file, noisy)},
            hidden=place > 0,
        )
        for place, file in enumerate(noisy)
    ]
    near, far = pair.depth
    captions = {name: name for name in FEATURE_VIEWS} | {"depth": f"depth, {near:.2f} m (bright) to {far:.2f} m"}
    layers += [
        picture_tag(pair.pictures[name], alt=captions[name], kind="feature", data={"view": name}, hidden=True)
        for name in FEATURE_VIEWS
    ]
    return (
        f'<div class="viewer" style="aspect-ratio:{width}/{height}">{"".join(layers)}'
        '<div class="divider" role="slider" tabindex="0" aria-orientation="horizontal" aria-valuemin="0"'
        ' aria-valuemax="100" aria-valuenow="50" aria-label="Divider: noisy left, reference right"></div>'
        f'<span class="tag left">{_noisy_label(noisy[0], noisy)}</span>'
        f'<span class="tag right">reference, {samples} spp</span></div>'
        f'<div class="controls">{_choices(noisy)}</div>'
    )


def _choices(noisy: Sequence[Row]) -> str:
    samples = "".join(
        f'<button type="button" data-image="{file["name"]}" aria-pressed="{_truth(place == 0)}">'
        f"{_noisy_label(file, noisy)}</button>"
        for place, file in enumerate(noisy)
    )
    views = "".join(
        f'<button type="button" data-view="{name}" aria-pressed="{_truth(name == "beauty")}">{name}</button>'
        for name in ("beauty", *FEATURE_VIEWS)
    )
    return (
        f'<div class="choices" role="group" aria-label="Samples of the noisy image">{samples}</div>'
        f'<div class="choices" role="group" aria-label="Layer">{views}</div>'
    )


def _noisy_label(file: Row, noisy: Sequence[Row]) -> str:
    several = any(other["replica"] for other in noisy)
    return f"{file['spp']} spp" + (f" r{file['replica']}" if several else "")


def _converged(row: Row) -> str:
    return _chip("converged", "good") if row["residual.converged"] else _chip("at its cap", "capped")


def _chip(text: str, kind: str = "") -> str:
    return f'<span class="chip {kind}">{escape(text)}</span>'


def _residual(row: Row) -> str:
    ratio, threshold = row["residual.ratio"], row["residual.threshold"]
    full = max(ratio, threshold) * 1.25
    kind = "" if row["residual.converged"] else " capped"
    return (
        f'<div class="residual"><p>Noise left in the reference: <b>{ratio:.2%}</b> of the best noisy image’s,'
        f" asked for {threshold:.2%}; {row['residual.samples']} samples; relMSE {row['residual.relmse']:.2g}</p>"
        f'<div class="meter{kind}"><i style="width:{ratio / full:.1%}"></i>'
        f'<s style="left:{threshold / full:.1%}"></s></div></div>'
    )


def _values(row: Row) -> str:
    sections = []
    for axis in AXES:
        entries = "".join(
            f'<dt title="{escape(each.description)}">{each.name.replace("_", " ")}</dt>'
            f"<dd>{escape(_value(row[path]))} {escape(each.unit)}</dd>"
            for path, each in PARAMETERS.items()
            if each.axis == axis
        )
        sections.append(f"<section><h4>{axis}</h4><dl>{entries}</dl></section>")
    return f'<div class="values">{"".join(sections)}</div>'


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("_", " ")


def _images(pair: ShownPair) -> str:
    rows = "".join(
        f'<tr><td><code>{file["name"]}</code></td><td class="number">{file["spp"]}</td>'
        f'<td class="number">{_error(pair.errors.get(file["name"]))}</td>'
        f"<td>{', '.join(map(str, file['seeds']))}</td>"
        f'<td class="number">{size_text(file["bytes"])}</td><td><code>{file["sha256"][:12]}</code></td></tr>'
        for file in sorted(pair.row["files"], key=lambda file: file["spp"])
    )
    steps = " · ".join(f"{escape(step)} {duration_text(seconds)}" for step, seconds in pair.row["timings"])
    return (
        '<details><summary>Images, seeds and timings</summary><div class="scroll"><table class="images"><thead><tr>'
        '<th>image</th><th class="number">spp</th><th class="number">relMSE</th><th>seeds</th>'
        '<th class="number">size</th><th>SHA-256</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div><p>{steps}</p></details>"
    )


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _footnote(recipe: Recipe) -> str:
    return (
        f"Recipe <code>{recipe.digest}</code>, seed {recipe.seed}. Pictures are tone mapped with AgX for the eye; the"
        " EXR files hold scene-linear Rec.709 light. Normals are shown as −1…1 in world axes."
    )


def _anchor(row: Row) -> str:
    return f"{row['variant']}-f{row['frame']:04d}"


def picture_tag(
    picture: np.ndarray, *, alt: str, kind: str = "", data: Mapping[str, str] | None = None, hidden: bool = False
) -> str:
    """An `img` that carries its picture: sRGB bytes (height, width, 3), as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90, subsampling=0, optimize=True)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    attributes: Iterable[str] = (
        *(f'data-{name}="{escape(value)}"' for name, value in (data or {}).items()),
        *([f'class="{kind}"'] if kind else []),
        *(["hidden"] if hidden else []),
    )
    return f'<img src="data:image/jpeg;base64,{encoded}" alt="{escape(alt)}" {" ".join(attributes)}>'


def _truth(value: bool) -> str:
    return "true" if value else "false"


def duration_text(seconds: float) -> str:
    """A span of time for people: `1.5 s`, `2 min 05 s`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def size_text(size: float) -> str:
    """A number of bytes for people: `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
