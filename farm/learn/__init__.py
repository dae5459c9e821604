"""What the dataset is for: loaders, a small denoiser, its training and its evaluation.

Importing this brings no torch; what needs it is loaded when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from farm.learn.pairs import PairDataset
    from farm.learn.shards import ShardDataset

__all__ = ["PairDataset", "ShardDataset"]

_HOMES: Final = {"PairDataset": "farm.learn.pairs", "ShardDataset": "farm.learn.shards"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'farm.learn' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
