"""What makes `dataset.json` a description in MLCommons' Croissant 1.0 as well: JSON-LD beside our own names.

It is made from the rest of `dataset.json` and the index's columns, and not read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from farm.dataset import layout
from farm.dataset.layers import Layer

__all__ = ["CONFORMS_TO", "KEYS", "RECORDS", "describe"]

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.0"

RECORDS: Final = "pairs"
"""The record set: a record a pair, from the index."""

KEYS: Final = frozenset(
    {"@context", "@type", "citeAs", "conformsTo", "description", "distribution", "name", "recordSet", "version"}
)
"""The names at the top that are Croissant's alone."""

_OWN: Final = (
    "column dataType.id examples.json extract field fileProperty fileObject fileSet format includes isLiveDataset"
    " jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source"
    " subField transform equivalentProperty citeAs data.json"
)

_IMAGES: Final = {
    "noisy": (f"{layout.PAIRS_FOLDER}/*/*/noisy_*.exr", "Noisy images: few samples per pixel, each with its own seed."),
    "reference": (f"{layout.PAIRS_FOLDER}/*/*/{layout.REFERENCE_NAME}", "References: the mean of two halves."),
    "data": (f"{layout.PAIRS_FOLDER}/*/*/{layout.DATA_NAME}", "Layers of the frame itself, never blended."),
    "partner": (f"{layout.PAIRS_FOLDER}/*/*/low_*.exr", "Partners of low resolution, all samples on one known point."),
    "sample": (f"{layout.PAIRS_FOLDER}/*/*/sample_*.exr", "Single samples, each with the features of its own ray."),
}
_RECORD_FILES: Final = (f"{layout.PAIRS_FOLDER}/*/*/{layout.RECORD_NAME}", "What each pair holds and how it was made.")

_KINDS: Final = {
    "html": "text/html",
    "md": "text/markdown",
    "parquet": "application/x-parquet",
    "png": "image/png",
    "yaml": "application/yaml",
}
"""Media types of the files beside it, by ending."""

_TYPES: Final = {"string": "sc:Text", "int64": "sc:Integer", "double": "sc:Float", "bool": "sc:Boolean"}


def describe(*, name: str, recipe: str, layers: Sequence[Layer], files: Mapping[str, str]) -> dict[str, Any]:
    """Croissant's part of `dataset.json`: `files` are SHA-256 of the files beside it, `recipe` the recipe's digest.

    The record set is there once the index is.
    """
    return {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": name,
        "description": "Renders of digi-doubles in pairs: noisy images, feature layers and converged references.",
        "version": "1.0.0",
        "citeAs": f"@misc{{{name}, title={{{name}: paired renders made with Digidouble}}, note={{recipe {recipe}}}}}",
        "distribution": [*_objects(files), *_sets(layers)],
        "recordSet": [_record_set()] if layout.INDEX_FILE in files else [],
    }


def _context() -> dict[str, Any]:
    """The context that Croissant 1.0 prescribes."""
    terms: dict[str, Any] = {}
    for term in _OWN.split():
        name, _, kind = term.partition(".")
        typed = {"json": {"@id": f"cr:{name}", "@type": "@json"}, "id": {"@id": f"cr:{name}", "@type": "@vocab"}}
        terms[name] = typed.get(kind, f"cr:{name}")
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "sc": "https://schema.org/",
        **terms,
    }


def _objects(files: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    for name, digest in sorted(files.items()):
        kind = _KINDS[name.rpartition(".")[2]]
        yield {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "encodingFormat": kind,
            "sha256": digest,
        }


def _sets(layers: Sequence[Layer]) -> Iterable[dict[str, Any]]:
    there = {image for layer in layers for image in layer.images}
    sets = [(image, "image/x-exr", *_IMAGES[image]) for image in _IMAGES if image in there]
    for name, kind, pattern, description in [*sets, ("records", "application/json", *_RECORD_FILES)]:
        yield {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "description": description,
            "encodingFormat": kind,
            "includes": pattern,
        }


def _record_set() -> dict[str, Any]:
    """The index's plain columns; its lists and maps are for Parquet's own readers."""
    from farm.dataset.columns import columns

    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{RECORDS}/{column.name}",
            "name": f"{RECORDS}/{column.name}",
            "description": f"{column.description} [{column.unit}]" if column.unit else column.description,
            "dataType": _TYPES[str(column.type)],
            "source": {"fileObject": {"@id": layout.INDEX_FILE}, "extract": {"column": column.name}},
        }
        for column in columns()
        if str(column.type) in _TYPES
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "A record a pair.",
        "key": {"@id": f"{RECORDS}/pair"},
        "field": fields,
    }
