"""What comes out: the dataset's names and layout, its images and records, its index, check and report.

`docs/dataset.md` describes the format for readers.
"""

from farm.dataset.exr import ImageStamp, read_attributes, read_image, write_image
from farm.dataset.folder import (
    Dataset,
    clean_uncommitted,
    commit_record,
    committed,
    create_dataset,
    open_dataset,
)
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
    image_file,
    read_record,
    task_key,
)

__all__ = [
    "DATASET_FORMAT",
    "DEPTH_BACKGROUND",
    "LAYERS",
    "NOISY_CHANNELS",
    "RECORD_FORMAT",
    "REFERENCE_CHANNELS",
    "CameraRecord",
    "Dataset",
    "DatasetInfo",
    "Engine",
    "EngineBuild",
    "ImageFile",
    "ImageStamp",
    "Layer",
    "PairFolder",
    "Record",
    "Residual",
    "View",
    "clean_uncommitted",
    "commit_record",
    "committed",
    "create_dataset",
    "image_file",
    "inspect_image",
    "inspect_pair",
    "merge_halves",
    "noisy_name",
    "open_dataset",
    "parse_noisy",
    "read_attributes",
    "read_image",
    "read_record",
    "relmse",
    "residual_relmse",
    "task_key",
    "write_image",
]
