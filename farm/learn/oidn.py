"""Blender's own denoiser, Open Image Denoise, to compare with: through the compositor, in a process with bpy.

It is given what it asks for: the noisy light, albedo and normals of the same image, HDR, prefiltered features.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

import farm
from farm.dataset import read_image, write_image
from farm.errors import BadInput, DigidoubleError

__all__ = ["Guided", "blender_python", "denoise_with_blender"]

_RENDERS: Final = ".venv/bin/python"


class Guided(NamedTuple):
    """An image to denoise, each (3, height, width) float32."""

    light: np.ndarray
    albedo: np.ndarray
    normal: np.ndarray


def blender_python(named: Path | None) -> Path:
    """The Python that has bpy: the one that is named, or the environment that `make setup` made beside the library."""
    python = named or Path(farm.__file__).parents[1] / _RENDERS
    if named is None and not python.exists():
        raise BadInput(f"no Python with bpy in {python}; run `make setup`, or give --blender-python")
    probe = subprocess.run([python, "-c", "import bpy"], capture_output=True, check=False) if python.exists() else None
    if probe is None or probe.returncode:
        raise BadInput(f"--blender-python {python}: it cannot import bpy; give the Python that renders")
    return python


def denoise_with_blender(python: Path, images: Sequence[Guided]) -> list[np.ndarray]:
    """Each image denoised, (3, height, width) float32. Raises DigidoubleError where Blender fails."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for number, image in enumerate(images):
            for name, values in image._asdict().items():
                write_image(folder / f"{name}.{number}.exr", dict(zip("RGB", values, strict=True)), {})
        command = [str(python), "-m", "farm.learn.oidn_job", scratch]
        done = subprocess.run(command, cwd=Path(farm.__file__).parents[1], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise DigidoubleError(f"Open Image Denoise in {python} failed: {said}")
        found = [read_image(folder / f"denoised.{number}.exr") for number in range(len(images))]
    return [np.stack([image[colour] for colour in "RGB"]) for image in found]
