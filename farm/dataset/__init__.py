"""What comes out: the dataset's names and layout, its images and records, its index, check and report.

`docs/dataset.md` describes the format for readers.

Importing this brings neither OpenEXR nor PyArrow: what needs them is loaded when it is first asked for. So whoever
copies datasets, as Blender's extension does, needs neither.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from farm.dataset.check import CheckReport, check_dataset
    from farm.dataset.examination import Defect
    from farm.dataset.exr import ImageStamp, read_image, write_image
    from farm.dataset.folder import (
        Dataset,
        clean_uncommitted,
        commit_record,
        create_dataset,
        open_dataset,
    )
    from farm.dataset.index import INDEX_FORMAT, build_index, read_index
    from farm.dataset.info import DATASET_FORMAT, DatasetInfo
    from farm.dataset.inspection import inspect_image, inspect_pair
    from farm.dataset.layers import DEPTH_BACKGROUND, LAYERS, NOISY_CHANNELS, REFERENCE_CHANNELS, Layer
    from farm.dataset.layout import PairFolder, noisy_name, parse_noisy
    from farm.dataset.metrics import merge_halves, relmse, residual_relmse
    from farm.dataset.record import (
        RECORD_FORMAT,
        CameraRecord,
        Engine,
        EngineBuild,
        ImageFile,
        Record,
        Residual,
        View,
        read_record,
        task_key,
    )
    from farm.dataset.report import write_report

__all__ = [
    "DATASET_FORMAT",
    "DEPTH_BACKGROUND",
    "INDEX_FORMAT",
    "LAYERS",
    "NOISY_CHANNELS",
    "RECORD_FORMAT",
    "REFERENCE_CHANNELS",
    "CameraRecord",
    "CheckReport",
    "Dataset",
    "DatasetInfo",
    "Defect",
    "Engine",
    "EngineBuild",
    "ImageFile",
    "ImageStamp",
    "Layer",
    "PairFolder",
    "Record",
    "Residual",
    "View",
    "build_index",
    "check_dataset",
    "clean_uncommitted",
    "commit_record",
    "create_dataset",
    "inspect_image",
    "inspect_pair",
    "merge_halves",
    "noisy_name",
    "open_dataset",
    "parse_noisy",
    "read_image",
    "read_index",
    "read_record",
    "relmse",
    "residual_relmse",
    "task_key",
    "write_image",
    "write_report",
]

_HOMES: Final = {
    "check": (
        "CheckReport",
        "check_dataset",
    ),
    "examination": ("Defect",),
    "exr": (
        "ImageStamp",
        "read_image",
        "write_image",
    ),
    "folder": (
        "Dataset",
        "clean_uncommitted",
        "commit_record",
        "create_dataset",
        "open_dataset",
    ),
    "index": (
        "INDEX_FORMAT",
        "build_index",
        "read_index",
    ),
    "info": (
        "DATASET_FORMAT",
        "DatasetInfo",
    ),
    "inspection": (
        "inspect_image",
        "inspect_pair",
    ),
    "layers": (
        "DEPTH_BACKGROUND",
        "LAYERS",
        "NOISY_CHANNELS",
        "REFERENCE_CHANNELS",
        "Layer",
    ),
    "layout": (
        "PairFolder",
        "noisy_name",
        "parse_noisy",
    ),
    "metrics": (
        "merge_halves",
        "relmse",
        "residual_relmse",
    ),
    "record": (
        "RECORD_FORMAT",
        "CameraRecord",
        "Engine",
        "EngineBuild",
        "ImageFile",
        "Record",
        "Residual",
        "View",
        "read_record",
        "task_key",
    ),
    "report": ("write_report",),
}
"""Where each name is at home."""


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'farm.dataset' has no attribute '{name}'")
    return getattr(importlib.import_module(f"farm.dataset.{home}"), name)
