"""What can render, by name. No Blender here."""

from __future__ import annotations

from typing import Final

__all__ = ["AUTO", "CPU", "DEVICES", "GPU", "KINDS"]

CPU: Final = "cpu"

KINDS: Final = ("optix", "cuda", "hip", "oneapi", "metal")
"""Kinds of GPU by Blender's name in lower case, the likely faster one of a card first."""

GPU: Final = "gpu"
"""The GPU that is there, by the kind that drives it fastest; one must be there."""

AUTO: Final = "auto"
"""`GPU` where Ray has one to give, else `CPU`."""

DEVICES: Final = (AUTO, CPU, GPU, *KINDS)
