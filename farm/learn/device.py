"""What trains: the processor or an NVIDIA GPU. One that is asked for and absent is an error."""

from __future__ import annotations

import torch

from farm.errors import BadInput

__all__ = ["choose_device"]


def choose_device(name: str) -> torch.device:
    """The device of this name; `auto` is a GPU where there is one. BadInput where it is absent."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        build = "was built without CUDA" if torch.version.cuda is None else "finds no NVIDIA GPU"
        raise BadInput(
            f"--device cuda: torch {torch.__version__} {build}; give --device cpu, or install what is missing"
        )
    return torch.device("cuda" if there and name != "cpu" else "cpu")
