"""`index.parquet`: a row for each committed pair, made from the records alone. Equal records give equal bytes."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from farm.dataset import layout
from farm.dataset.files import replace_bytes, sha256_of
from farm.dataset.folder import Dataset
from farm.dataset.info import read_info, seal
from farm.dataset.record import Record, read_record
from farm.errors import DatasetError
from farm.recipe import PARAMETERS, Recipe, load_recipe

__all__ = ["INDEX_FORMAT", "Column", "build_index", "columns", "encode_index", "index_row", "read_index", "schema"]

INDEX_FORMAT: Final = "digidouble-index/1"

_FILE: Final = pa.struct(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("spp", pa.int64()),
        ("replica", pa.int64()),
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
        Column("files", pa.list_(_FILE), "The images, by name."),
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


def index_row(record: Record, *, split: str, record_sha256: str) -> dict[str, Any]:
    """One pair's row."""
    camera = record.camera
    return {
        "pair": layout.pair_key(record.variant_id, record.view.frame),
        "variant": record.variant_id,
        "index": record.variant.index,
        "frame": record.view.frame,
        "split": split,
        "identity": record.variant.identity,
        "groom": record.variant.groom,
        "width": record.view.resolution[0],
        "height": record.view.resolution[1],
        **record.variant.flat(),
        "view.matrix_world": [value for row in camera.matrix_world for value in row],
        **{f"view.{name}": getattr(camera, name) for name in ("fl_x", "fl_y", "cx", "cy")},
        **{f"residual.{name}": value for name, value in record.residual.model_dump().items()},
        **{f"engine.{name}": value for name, value in record.engine.model_dump().items()},
        "timings": sorted(record.timings.items()),
        "files": _files(record),
        "task": record.task,
        "record_sha256": record_sha256,
    }


def encode_index(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as the bytes of a Parquet file, ordered by the variant's number and the frame."""
    ordered = sorted(rows, key=lambda row: (row["index"], row["frame"]))
    table = pa.Table.from_pylist(ordered, schema=schema())
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def build_index(dataset: Dataset) -> Path:
    """Writes `index.parquet` from the committed records, and its digest into `dataset.json`."""
    root = dataset.root
    recipe = load_recipe(root / layout.RECIPE_FILE)
    splits = _splits(recipe)
    rows = []
    for path in dataset.committed().values():
        record = read_record(path)
        if record.variant_id not in splits:
            raise DatasetError(f"{path}: variant {record.variant_id} is not one of recipe '{recipe.name}'; remove it")
        rows.append(index_row(record, split=splits[record.variant_id], record_sha256=sha256_of(path)))
    replace_bytes(root / layout.INDEX_FILE, encode_index(rows))
    seal(root, read_info(root), layout.INDEX_FILE)
    return root / layout.INDEX_FILE


def read_index(root: Path) -> list[dict[str, Any]]:
    """The rows of a dataset's index; DatasetError for a missing, broken or foreign file."""
    path = root / layout.INDEX_FILE
    if not path.is_file():
        raise DatasetError(f"{path} is missing; write it with `digidouble render`")
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        rows: list[dict[str, Any]] = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error
    if not table.schema.equals(schema()):
        raise DatasetError(f"{path}: its columns are not those of {INDEX_FORMAT}")
    return rows


def _splits(recipe: Recipe) -> dict[str, str]:
    return recipe.splits(recipe.draw())


def _kind(name: str) -> str:
    return {layout.REFERENCE_NAME: "reference", layout.DATA_NAME: "data"}.get(name, "noisy")


def _files(record: Record) -> list[dict[str, Any]]:
    rows = []
    for name, entry in sorted(record.files.items()):
        noisy = layout.parse_noisy(name)
        rows.append(
            {
                "name": name,
                "kind": _kind(name),
                "spp": entry.samples,
                "replica": 0 if noisy is None else noisy[1],
                "seeds": list(entry.seeds),
                "bytes": entry.bytes,
                "sha256": entry.sha256,
            }
        )
    return rows
