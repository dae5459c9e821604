"""`report.html` and `contact_sheet.png`: a dataset to look at. One file that opens from disk and needs no network."""

from __future__ import annotations

import base64
import io
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from farm.dataset import layout
from farm.dataset.contact_sheet import Thumbnail, compose_sheet, label_lines
from farm.dataset.exr import read_image
from farm.dataset.files import replace_bytes
from farm.dataset.folder import Dataset
from farm.dataset.index import read_index
from farm.dataset.info import read_info, seal
from farm.dataset.metrics import beauty, relmse
from farm.dataset.views import FEATURE_VIEWS, depth_range, view_beauty
from farm.errors import DatasetError
from farm.recipe import AXES, PARAMETERS, Recipe, load_recipe

__all__ = ["PAIRS_SHOWN", "THUMBNAILS_SHOWN", "write_report"]

PAIRS_SHOWN: Final = 60
"""Pairs in the report; of a larger dataset, evenly spread ones."""

THUMBNAILS_SHOWN: Final = 120
"""Variants on the contact sheet; of a larger dataset, evenly spread ones."""

_SIDE_SHOWN: Final = 768
_THUMBNAIL_SIDE: Final = 256
_SPLITS: Final = ("train", "valid", "test")


@dataclass(frozen=True)
class _Shown:
    """One pair ready for the page: its row of the index, pictures as sRGB bytes by name, and errors by name."""

    row: Mapping[str, Any]
    pictures: dict[str, np.ndarray]
    errors: dict[str, float]
    depth: tuple[float, float]


def write_report(dataset: Dataset) -> Path:
    """Writes `report.html` and `contact_sheet.png` from the index and the images, and seals them.

    Raises DatasetError where there is no index, no committed pair, or an image that cannot be read.
    """
    root = dataset.root
    rows = read_index(root)
    if not rows:
        raise DatasetError(f"{root} has no committed pair to report on; render it first")
    recipe = load_recipe(root / layout.RECIPE_FILE)
    replace_bytes(root / layout.CONTACT_SHEET_FILE, compose_sheet(_thumbnails(root, rows)))
    replace_bytes(root / layout.REPORT_FILE, _page(root, recipe, rows).encode("utf-8"))
    seal(root, read_info(root), layout.CONTACT_SHEET_FILE, layout.REPORT_FILE)
    return root / layout.REPORT_FILE


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int))
    return [rows[place] for place in places]


def _thumbnails(root: Path, rows: Sequence[dict[str, Any]]) -> list[Thumbnail]:
    first = {row["variant"]: row for row in reversed(rows)}
    chosen = _spread([first[variant] for variant in dict.fromkeys(row["variant"] for row in rows)], THUMBNAILS_SHOWN)
    return [
        Thumbnail(_shrunk(view_beauty(read_image(root / row["pair"] / layout.REFERENCE_NAME)), _THUMBNAIL_SIDE), label)
        for row, label in ((row, label_lines(row)) for row in chosen)
    ]


def _shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    factor = -(-max(picture.shape[:2]) // side)
    return picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def _shown(root: Path, row: Mapping[str, Any]) -> _Shown:
    folder = root / row["pair"]
    reference = read_image(folder / layout.REFERENCE_NAME)
    target = beauty(reference)
    pictures = {layout.REFERENCE_NAME: view_beauty(reference)}
    pictures |= {name: view(reference) for name, view in FEATURE_VIEWS.items()}
    errors = {}
    for file in _noisy(row):
        noisy = read_image(folder / file["name"])
        pictures[file["name"]] = view_beauty(noisy)
        errors[file["name"]] = relmse(beauty(noisy), target)
    shrunk = {name: _shrunk(picture, _SIDE_SHOWN) for name, picture in pictures.items()}
    return _Shown(row=row, pictures=shrunk, errors=errors, depth=depth_range(reference))


def _noisy(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return sorted((file for file in row["files"] if file["kind"] == "noisy"), key=lambda f: (f["spp"], f["replica"]))


def _page(root: Path, recipe: Recipe, rows: Sequence[dict[str, Any]]) -> str:
    chosen = _spread(rows, PAIRS_SHOWN)
    shown = [_shown(root, row) for row in chosen]
    some = "" if len(chosen) == len(rows) else f"<small>{len(chosen)} of {len(rows):,}, evenly spread</small>"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(recipe.name)} · digidouble</title>",
            f"<style>{_asset('report.css')}</style></head><body>",
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
            f"<script>{_asset('report.js')}</script></body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    return resources.files("farm.dataset").joinpath("page", name).read_text(encoding="utf-8")


def _facts(recipe: Recipe, rows: Sequence[dict[str, Any]]) -> str:
    planned = recipe.count * len(recipe.capture.frames.numbers)
    variants = len({row["variant"] for row in rows})
    files = [file for row in rows for file in row["files"]]
    splits = Counter(row["split"] for row in rows)
    done = sum(row["residual.converged"] for row in rows)
    engines = sorted({f"Blender {row['engine.blender']} ({row['engine.build_hash']})" for row in rows})
    devices = sorted({f"{row['engine.device']}: {row['engine.device_name']}" for row in rows})
    seconds = sum(value for row in rows for _, value in row["timings"])
    width, height = rows[0]["width"], rows[0]["height"]
    samples = ", ".join(str(spp) for spp in recipe.capture.samples)
    residual = statistics.median(row["residual.ratio"] for row in rows)
    facts = [
        ("Pairs", f"{len(rows):,} of {planned:,}", f"{variants:,} variants, {len(files):,} images"),
        ("Splits", " / ".join(str(splits[name]) for name in _SPLITS), " / ".join(_SPLITS)),
        ("Images", f"{width} × {height}", f"{samples} spp and reference"),
        ("Residual", f"{residual:.2%}", f"median; {done:,} of {len(rows):,} converged"),
        ("Render time", _duration(seconds), f"{_duration(seconds / len(rows))} a pair"),
        ("On disk", _size(sum(file["bytes"] for file in files)), "float32 EXR"),
        ("Engine", rows[0]["engine.renderer"].capitalize(), ", ".join(engines + devices)),
    ]
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(detail)}</small></dd></div>"
        for name, value, detail in facts
    )
    return f'<dl class="facts">{tiles}</dl>'


def _contact(pair: _Shown) -> str:
    title, detail = label_lines(dict(pair.row))
    picture = _shrunk(pair.pictures[layout.REFERENCE_NAME], _THUMBNAIL_SIDE)
    return (
        f'<a href="#{_anchor(pair.row)}">{_image(picture, alt=f"{title}, {detail}")}'
        f"<span>{escape(title)}<em>{escape(detail)}</em></span></a>"
    )


def _article(pair: _Shown) -> str:
    title, detail = label_lines(dict(pair.row))
    row = pair.row
    return (
        f'<article class="pair" id="{_anchor(row)}"><div>{_viewer(pair)}</div>'
        f"<div><header><h3>{escape(title)}</h3>{_chip(row['split'])}{_converged(row)}"
        f"<p>{escape(detail)} · frame {row['frame']} · variant {row['index']} · <code>{row['pair']}</code></p></header>"
        f"{_residual(row)}{_values(row)}{_images(pair)}</div></article>"
    )


def _viewer(pair: _Shown) -> str:
    noisy = _noisy(pair.row)
    reference = pair.pictures[layout.REFERENCE_NAME]
    height, width = reference.shape[:2]
    samples = pair.row["residual.samples"]
    layers = [_image(reference, alt=f"reference, {samples} samples per pixel", kind="reference")]
    layers += [
        _image(
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
        _image(pair.pictures[name], alt=captions[name], kind="feature", data={"view": name}, hidden=True)
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


def _choices(noisy: Sequence[Mapping[str, Any]]) -> str:
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


def _noisy_label(file: Mapping[str, Any], noisy: Sequence[Mapping[str, Any]]) -> str:
    several = any(other["replica"] for other in noisy)
    return f"{file['spp']} spp" + (f" r{file['replica']}" if several else "")


def _converged(row: Mapping[str, Any]) -> str:
    return _chip("converged", "good") if row["residual.converged"] else _chip("at its cap", "capped")


def _chip(text: str, kind: str = "") -> str:
    return f'<span class="chip {kind}">{escape(text)}</span>'


def _residual(row: Mapping[str, Any]) -> str:
    ratio, threshold = row["residual.ratio"], row["residual.threshold"]
    full = max(ratio, threshold) * 1.25
    kind = "" if row["residual.converged"] else " capped"
    return (
        f'<div class="residual"><p>Noise left in the reference: <b>{ratio:.2%}</b> of the best noisy image’s,'
        f" asked for {threshold:.2%}; {row['residual.samples']} samples; relMSE {row['residual.relmse']:.2g}</p>"
        f'<div class="meter{kind}"><i style="width:{ratio / full:.1%}"></i>'
        f'<s style="left:{threshold / full:.1%}"></s></div></div>'
    )


def _values(row: Mapping[str, Any]) -> str:
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


def _images(pair: _Shown) -> str:
    rows = "".join(
        f'<tr><td><code>{file["name"]}</code></td><td class="number">{file["spp"]}</td>'
        f'<td class="number">{_error(pair.errors.get(file["name"]))}</td>'
        f"<td>{', '.join(map(str, file['seeds']))}</td>"
        f'<td class="number">{_size(file["bytes"])}</td><td><code>{file["sha256"][:12]}</code></td></tr>'
        for file in sorted(pair.row["files"], key=lambda file: file["spp"])
    )
    steps = " · ".join(f"{escape(step)} {_duration(seconds)}" for step, seconds in pair.row["timings"])
    return (
        '<details><summary>Images, seeds and timings</summary><div class="scroll"><table class="images"><thead><tr>'
        "<th>image</th><th>spp</th><th>relMSE</th><th>seeds</th><th>size</th><th>SHA-256</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div><p>{steps}</p></details>"
    )


def _error(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _footnote(recipe: Recipe) -> str:
    return (
        f"Recipe <code>{recipe.digest}</code>, seed {recipe.seed}. Pictures are tone mapped with AgX for the eye; the"
        " EXR files hold scene-linear Rec.709 light. Normals are shown as −1…1 in world axes."
    )


def _anchor(row: Mapping[str, Any]) -> str:
    return f"{row['variant']}-f{row['frame']:04d}"


def _image(
    picture: np.ndarray, *, alt: str, kind: str = "", data: Mapping[str, str] | None = None, hidden: bool = False
) -> str:
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


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
