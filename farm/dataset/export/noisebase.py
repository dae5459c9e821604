"""For Noisebase: refused, since its sequences hold every single sample and no dataset of this version stores samples.

Noisebase v1 keeps colour, position, motion, normal and diffuse colour per sample, a Zarr 2 file a sequence; averaged
pixels cannot be taken apart into them again.
"""

from __future__ import annotations

from typing import NoReturn

from farm.dataset.export.source import Source
from farm.errors import DatasetError

__all__ = ["plan"]


def plan(source: Source) -> NoReturn:
    """Raises DatasetError: no dataset of this version holds what the layout needs."""
    raise DatasetError(
        f"{source.root}: noisebase needs the colour, position, motion, normal and diffuse colour of every single"
        " sample, this dataset holds averages over samples; export it as webdataset, which keeps clips' frames together"
    )
