"""For Noisebase: a Zarr 2 file a sequence, with every single sample, its rays' features and the camera of each frame.

    TO/<split>/scene<number>.zip    a variant's frames, in order
    TO/<split>.yaml                 what Noisebase's loaders are configured with
    TO/sequences.json               which variant each is, its frames and its samples' jitters

Arrays have the frame first, then channels, height, width and samples. They are those of Noisebase's "Sample Training
Format v1" and its RGBE: radiance with a shared exponent on a logarithmic scale between a frame's darkest and brightest.
"""

from __future__ import annotations

import importlib.util
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from farm.dataset.cameras import unproject
from farm.dataset.export.captures import intrinsics, matrix_world
from farm.dataset.export.item import Item, Plan, json_item, text_item
from farm.dataset.export.source import Row, Source, read_layer
from farm.dataset.files import replacing
from farm.dataset.layers import DEPTH_BACKGROUND, Layer
from farm.dataset.layout import REFERENCE_NAME
from farm.dataset.place import Place
from farm.errors import BadInput, DatasetError
from farm.recipe.variant import stream

__all__ = ["CHUNK", "FAR", "decode_rgbe", "encode_rgbe", "plan"]

CHUNK: Final = 4
"""Samples in a chunk."""

FAR: Final = 1000.0
"""Metres to the place of a ray that hits nothing."""

NEAR: Final = 0.1
"""The projection's near plane, metres; its far plane is `FAR`."""

LAYERS: Final = {"color": "beauty", "position": "position", "motion": "motion.world", "normal": "normal",
                 "diffuse": "albedo", "depth": "depth"}  # fmt: skip
"""What is read of each sample."""

_HALF: Final = ("normal", "diffuse")

Array = NDArray[Any]


def plan(source: Source) -> Plan:
    """A file a variant, in the folder of its split.

    Raises DatasetError for a dataset without single samples, or with a number of them that its chunks do not hold,
    BadInput where Zarr 2 is not installed.
    """
    count = source.recipe.capture.per_sample
    if not count or count % CHUNK:
        found = f"has {count} samples of each pixel one by one" if count else "holds averages over samples"
        raise DatasetError(
            f"{source.root}: noisebase needs the colour, position, motion, normal and diffuse colour of every single"
            f" sample, {CHUNK} of each pixel or a multiple; this dataset {found}: render a recipe with"
            f" `capture: {{per_sample: {CHUNK}}}`"
        )
    _zarr()
    there = {layer.name for layer in source.info.layers}
    layers = {key: source.layer(name, needed_by="noisebase") for key, name in LAYERS.items() if name in there}
    if missing := LAYERS.keys() - layers.keys() - {"motion"}:
        source.layer(LAYERS[min(missing)], needed_by="noisebase")
    items, told, notes = [], {}, []
    for split in source.splits:
        sequences = list(_sequences(source, split))
        for number, rows in enumerate(sequences):
            output = f"{split}/scene{number:04d}.zip"
            items.append(Item((output,), partial(_write, source.root, rows, layers, count, output)))
            told[output] = _told(rows)
        items.append(text_item(f"{split}.yaml", _configuration(source, split, sequences, count)))
        notes.append(f"{split}: {len(sequences)} sequences of {len(sequences[0])} frames, {count} samples per pixel")
    return Plan((*items, json_item("sequences.json", told)), tuple(notes))


def encode_rgbe(light: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Light (3, H, W, S) ≥ 0 as bytes (4, H, W, S), and the exposures (2,) that decode them: Noisebase's RGBE.

    The shared exponent is rounded up, and the colours are rounded at random, so that their mean is right.
    """
    brightest = light.max(axis=0)
    lit = light[light > 0]
    if not lit.size:
        return np.zeros((4, *brightest.shape), np.uint8), np.zeros(2, np.float32)
    low, high = np.log(lit.min()), np.log(lit.max())
    span = max(high - low, 1e-6)
    logs = np.log(np.maximum(brightest, lit.min()))
    exponents = np.clip((logs - low) / span * 256, 0, 255).astype(np.uint8)
    exposure = np.array([low, low + span], np.float32)
    scaled = light / _scale(exponents, exposure) * 255
    colours = np.floor(scaled + random.random(light.shape)).clip(0, 255).astype(np.uint8)
    return np.concatenate([colours, exponents[None]]), exposure


def decode_rgbe(coded: Array, exposure: Array) -> Array:
    """Light (3, H, W, S) float32 of bytes (4, H, W, S), as Noisebase's loaders decode them."""
    light: Array = coded[:3].astype(np.float32) / 255 * _scale(coded[3], exposure)
    return light


def _scale(exponents: Array, exposure: Array) -> Array:
    share = (exponents.astype(np.float32) + 1) / 256
    scale: Array = np.exp(share * (exposure[1] - exposure[0]) + exposure[0])
    return scale


def _zarr() -> Any:
    """Zarr 2, which alone writes what Noisebase reads."""
    if importlib.util.find_spec("zarr") is not None:
        import zarr

        if zarr.__version__.startswith("2."):
            return zarr
        raise BadInput(f"noisebase needs Zarr 2, this is {zarr.__version__}: pip install 'digidouble[noisebase]'")
    raise BadInput("noisebase needs the package zarr, which is not installed: pip install 'digidouble[noisebase]'")


def _sequences(source: Source, split: str) -> Iterator[list[Row]]:
    """A split's rows by variant, in the index's order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in source.of(split):
        found[row["variant"]].append(row)
    yield from found.values()


def _samples(row: Row) -> list[dict[str, Any]]:
    return sorted((file for file in row["files"] if file["kind"] == "sample"), key=lambda file: file["name"])


def _told(rows: Sequence[Row]) -> dict[str, Any]:
    jitters = [[[file["jitter_x"], file["jitter_y"]] for file in _samples(row)] for row in rows]
    return {"variant": rows[0]["variant"], "frames": [row["frame"] for row in rows], "jitter": jitters}


def _configuration(source: Source, split: str, sequences: Sequence[Sequence[Row]], count: int) -> Iterator[str]:
    width, height = source.resolution
    yield f'name: "{source.recipe.name} - {split}"'
    yield "src:"
    for key, value in {
        "sequences": len(sequences),
        "files": split + "/scene{index:04d}.zip",
        "frames_per_sequence": len(sequences[0]),
        "crop": min(width, height),
        "samples": count,
        "rendering_height": height,
        "rendering_width": width,
    }.items():
        yield f"  {key}: {value}"


def _write(root: Place, rows: Sequence[Row], layers: dict[str, Layer], count: int, output: str, folder: Path) -> None:
    zarr = _zarr()
    from numcodecs import Blosc

    width, height = rows[0]["width"], rows[0]["height"]
    shapes: dict[str, tuple[tuple[int, ...], str]] = {
        "color": ((4, height, width, count), "u1"),
        "exposure": ((2,), "f4"),
        "reference": ((3, height, width), "f4"),
        **{
            key: ((3, height, width, count), "f2" if key in _HALF else "f4")
            for key in ("position", "motion", "normal", "diffuse")
        },
        **{f"camera_{name}": ((3,), "f4") for name in ("position", "target", "up")},
        "view_proj_mat": ((4, 4), "f4"),
        "proj_mat": ((4, 4), "f4"),
        "crop_offset": ((2,), "i4"),
    }
    with replacing(folder / output) as unfinished:
        store = _undated_store(zarr, unfinished)
        group = zarr.group(store=store)
        arrays = {
            key: group.create_dataset(
                key,
                shape=(len(rows), *shape),
                dtype=kind,
                chunks=(1, *shape[:-1], CHUNK if len(shape) == 4 else shape[-1]),
                compressor=Blosc(cname="lz4hc", clevel=9),
            )
            for key, (shape, kind) in shapes.items()
        }
        for place, row in enumerate(rows):
            for key, values in _frame(root, row, layers, first=place == 0).items():
                arrays[key][place] = values
        store.close()


def _undated_store(zarr: Any, file: Path) -> Any:
    """A new ZipStore in a file; where Zarr's own stamps each entry with the clock, equal data gives equal bytes."""
    from numcodecs.compat import ensure_bytes

    class Undated(zarr.ZipStore):  # type: ignore[misc]
        def __setitem__(self, key: str, value: Any) -> None:
            entry = zipfile.ZipInfo(key)
            entry.external_attr = 0o644 << 16
            self.zf.writestr(entry, ensure_bytes(value))

    return Undated(str(file), mode="w")


def _frame(root: Place, row: Row, layers: dict[str, Layer], *, first: bool) -> dict[str, Array]:
    """One frame of every array."""
    pose, lens = matrix_world(row), intrinsics(row)
    read = [(file, read_layer(root / row["pair"] / file["name"], list(layers.values()))) for file in _samples(row)]
    stacked = {
        key: np.moveaxis(np.stack([pixels[layer.name] for _, pixels in read], axis=-1), 2, 0)
        for key, layer in layers.items()
    }
    missed = stacked.pop("depth")[0] > DEPTH_BACKGROUND / 2
    away = np.stack([_far_places(pose, lens, file, missed.shape[:2]) for file, _ in read], axis=-1)
    stacked["position"] = np.where(missed, np.moveaxis(away, 2, 0), stacked["position"])
    if "motion" not in stacked or first:
        stacked["motion"] = np.zeros_like(stacked["position"])
    coded, exposure = encode_rgbe(stacked["color"], stream(0, "rgbe", row["variant"], row["frame"]))
    beauty = next(layer for key, layer in layers.items() if key == "color")
    reference = read_layer(root / row["pair"] / REFERENCE_NAME, [beauty])[beauty.name]
    projection = _projection(row)
    view = _view(pose)
    return {
        **stacked,
        "color": coded,
        "exposure": exposure,
        "reference": np.moveaxis(reference, 2, 0),
        "camera_position": pose[:3, 3],
        "camera_target": pose[:3, 3] - pose[:3, 2],
        "camera_up": pose[:3, 1],
        "view_proj_mat": (projection @ view).T,
        "proj_mat": projection,
        "crop_offset": np.zeros(2, np.int32),
    }


def _far_places(pose: Array, lens: tuple[float, ...], file: dict[str, Any], shape: tuple[int, ...]) -> Array:
    fl_x, fl_y, cx, cy = lens
    moved = (fl_x, fl_y, cx - file["jitter_x"], cy - file["jitter_y"])
    return unproject(pose, moved, np.full(shape, FAR, np.float32))


def _view(pose: Array) -> Array:
    """World to camera (4, 4): +X right, +Y up, +Z forward, as Direct3D has it."""
    turn = np.stack([pose[:3, 0], pose[:3, 1], -pose[:3, 2]])
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = turn, -turn @ pose[:3, 3]
    return view


def _projection(row: Row) -> Array:
    """Camera to clip space (4, 4) for column vectors, depth 0…1."""
    fl_x, fl_y, cx, cy = intrinsics(row)
    width, height = row["width"], row["height"]
    depth = FAR / (FAR - NEAR)
    return np.array(
        [
            [2 * fl_x / width, 0, 2 * cx / width - 1, 0],
            [0, 2 * fl_y / height, 1 - 2 * cy / height, 0],
            [0, 0, depth, -NEAR * depth],
            [0, 0, 1, 0],
        ]
    )
