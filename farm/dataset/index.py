"""`index.parquet`: a row for each committed pair, made from the records alone. Equal records give equal bytes."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farm.dataset import layout
from farm.dataset.columns import INDEX_FORMAT, schema
from farm.dataset.files import read_bytes, read_many, replace_bytes, size_of
from farm.dataset.folder import Dataset
from farm.dataset.info import read_info, read_recipe, seal
from farm.dataset.leaks import refuse_leaks
from farm.dataset.place import Place
from farm.dataset.record import Record, parse_record
from farm.errors import DatasetError

__all__ = ["INDEX_FORMAT", "build_index", "encode_index", "index_row", "noisy_files", "read_index"]


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
        **{f"view.{name}": value for name, value in camera.model_dump(exclude={"matrix_world"}).items()},
        "settings": list(_settings(json.dumps(record.settings, sort_keys=True))),
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


def build_index(dataset: Dataset, splits: Mapping[str, str] | None = None) -> Place:
    """Writes `index.parquet` from the committed records, and its digest into `dataset.json`.

    `splits` are those of the recipe's variants by their ids, where they are known already: drawing many takes longer
    than reading their records.

    Raises DatasetError for a pair that is not of the dataset's recipe, and for splits that leak.
    """
    root = dataset.root
    recipe = read_recipe(root)
    splits = recipe.splits(recipe.draw()) if splits is None else splits
    rows = []
    for path, data in read_many(list(dataset.committed().values())):
        record = parse_record(path, data)
        if record.variant_id not in splits:
            raise DatasetError(f"{path}: variant {record.variant_id} is not one of recipe '{recipe.name}'; remove it")
        rows.append(index_row(record, split=splits[record.variant_id], record_sha256=sha256(data).hexdigest()))
    refuse_leaks(rows, root)
    replace_bytes(root / layout.INDEX_FILE, encode_index(rows))
    seal(root, read_info(root), layout.INDEX_FILE)
    return root / layout.INDEX_FILE


def read_index(root: Place) -> list[dict[str, Any]]:
    """The rows of a dataset's index; DatasetError for a missing, broken or foreign file."""
    path = root / layout.INDEX_FILE
    if size_of(path) is None:
        raise DatasetError(f"{path} is missing; write it with `digidouble index`")
    try:
        content = io.BytesIO(read_bytes(path))
        with pq.ParquetFile(content, page_checksum_verification=True) as file:  # read_table imports pandas, where it is
            table = file.read()
        rows: list[dict[str, Any]] = table.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error
    if not table.schema.equals(schema()):
        said = (table.schema.metadata or {}).get(b"format", b"").decode("ascii", "replace")
        found = f"is {said!r}" if said and said != INDEX_FORMAT else "has other columns"
        raise DatasetError(f"{path} {found}, this digidouble reads {INDEX_FORMAT}; write it anew: digidouble index")
    return rows


@functools.lru_cache(maxsize=16)
def _settings(text: str) -> tuple[tuple[str, str], ...]:
    """Settings by name, each as JSON, from all of them as JSON: most records have the same."""
    return tuple((name, json.dumps(value, sort_keys=True)) for name, value in sorted(json.loads(text).items()))


def _files(record: Record) -> list[dict[str, Any]]:
    rows = []
    for name, entry in sorted(record.files.items()):
        noisy, partner = layout.parse_noisy(name), layout.parse_partner(name)
        across, down = entry.jitter or (None, None)
        rows.append(
            {
                "name": name,
                "kind": layout.image_kind(name),
                "spp": entry.samples,
                "replica": 0 if noisy is None else noisy[1],
                "factor": 1 if partner is None else partner[0],
                "jitter_x": across,
                "jitter_y": down,
                "seeds": list(entry.seeds),
                "bytes": entry.bytes,
                "sha256": entry.sha256,
            }
        )
    return rows


def noisy_files(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a row's noisy images, by samples and replica."""
    noisy = [file for file in row["files"] if file["kind"] == "noisy"]
    return sorted(noisy, key=lambda file: (file["spp"], file["replica"]))
