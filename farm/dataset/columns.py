"""The columns of `index.parquet`: names, types, units, meanings, stated once for writer, Croissant and docs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from farm.recipe import PARAMETERS

__all__ = ["INDEX_FORMAT", "Column", "columns", "schema"]

INDEX_FORMAT: Final = "digidouble-index/3"

_FILE: Final = pa.struct(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("spp", pa.int64()),
        ("replica", pa.int64()),
        ("factor", pa.int64()),
        ("jitter_x", pa.float64()),
        ("jitter_y", pa.float64()),
        ("seeds", pa.list_(pa.int64())),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)
_TYPES: Final = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


@dataclass(frozen=True)
class Column:
    """One column of the index."""

    name: str
    type: pa.DataType
    description: str
    unit: str = ""


@functools.cache
def columns() -> tuple[Column, ...]:
    """The columns in order; those of the variant are made from the recipe's parameters."""
    text, whole, number = pa.string(), pa.int64(), pa.float64()
    variant = [Column(path, _TYPES[each.type], each.description, each.unit) for path, each in PARAMETERS.items()]
    return (
        Column("pair", text, "The pair's folder in the dataset."),
        Column("variant", text, "The variant's id."),
        Column("index", whole, "The variant's number in the recipe."),
        Column("frame", whole, "The frame."),
        Column("split", text, "train, valid or test."),
        Column("identity", text, "Hash of body and skin."),
        Column("groom", text, "Hash of the hair."),
        Column("width", whole, "Width of every image.", "pixel"),
        Column("height", whole, "Height of every image.", "pixel"),
        *variant,
        Column("view.matrix_world", pa.list_(number, 16), "Camera to world, row by row.", "m"),
        Column("view.fl_x", number, "Focal length, horizontal.", "pixel"),
        Column("view.fl_y", number, "Focal length, vertical.", "pixel"),
        Column("view.cx", number, "Principal point from the left edge.", "pixel"),
        Column("view.cy", number, "Principal point from the top edge.", "pixel"),
        Column("view.focal_length", number, "Focal length of the lens.", "mm"),
        Column("view.sensor_width", number, "Width of the film back.", "mm"),
        Column("view.sensor_height", number, "Height of the film back.", "mm"),
        Column("settings", pa.map_(text, text), "The render settings that ran, by name; each value as JSON."),
        Column("residual.relmse", number, "relMSE that the reference still has."),
        Column("residual.best_noisy_relmse", number, "relMSE of the least noisy image."),
        Column("residual.ratio", number, "The first over the second."),
        Column("residual.threshold", number, "What the recipe asks the ratio to stay under."),
        Column("residual.samples", whole, "Samples per pixel of the reference."),
        Column("residual.converged", pa.bool_(), "Whether the ratio got under the threshold."),
        Column("engine.renderer", text, "The renderer."),
        Column("engine.blender", text, "Blender's version."),
        Column("engine.build_hash", text, "Blender's build."),
        Column("engine.device", text, "Kind of device."),
        Column("engine.digidouble", text, "Digest of digidouble's version and templates."),
        Column("engine.device_name", text, "The device."),
        Column("timings", pa.map_(text, number), "Time of each step; differs from run to run.", "s"),
        Column(
            "files",
            pa.list_(_FILE),
            "The images, by name: `kind` is noisy, reference, data, partner or sample, `factor` what width and height"
            " are divided by, `jitter_x` and `jitter_y` where in each pixel all samples lie, as the record says.",
        ),
        Column("task", text, "The task's key."),
        Column("record_sha256", text, "SHA-256 of the pair's record."),
    )


@functools.cache
def schema() -> pa.Schema:
    """The Parquet schema; unit and description are each field's metadata."""
    fields = [
        pa.field(each.name, each.type, nullable=False, metadata={"description": each.description, "unit": each.unit})
        for each in columns()
    ]
    return pa.schema(fields, metadata={"format": INDEX_FORMAT})
