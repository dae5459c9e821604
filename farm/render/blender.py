"""Blender opened for rendering: an empty scene, configured for a capture, on a chosen device."""

from __future__ import annotations

from typing import Any

import bpy

from farm.dataset import Engine
from farm.recipe import Capture
from farm.render.device import choose_device, keep_kernels, resolve_kind
from farm.render.passes import enable_passes
from farm.render.settings import configure, engine_build

__all__ = ["open_scene"]


def open_scene(capture: Capture, *, device: str = "cpu", threads: int = 0) -> tuple[Any, Engine]:
    """Start from factory settings with an empty file; returns the scene, ready for a stage, and the engine.

    device   `cpu`, or a GPU that must be there: `gpu`, or its kind (`farm.render.kinds`)
    threads  CPU threads to render with; 0 leaves the number to Blender
    """
    keep_kernels()
    device = resolve_kind(device)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    name = choose_device(scene, device)
    configure(scene, capture, threads=threads)
    enable_passes(scene.view_layers[0])
    return scene, Engine(**engine_build(device).model_dump(), device_name=name)
