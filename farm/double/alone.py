"""A scene for one object, in which Blender evaluates nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

__all__ = ["alone"]


@contextmanager
def alone(thing: Any) -> Iterator[None]:
    """Meanwhile the context's scene is one that holds an object alone, the active one.

    Operators and whoever asks for what is evaluated wait for the whole of the scene that they see.
    """
    scene = bpy.data.scenes.new("alone")
    scene.collection.objects.link(thing)
    try:
        with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0], active_object=thing, object=thing):
            yield
    finally:
        bpy.data.scenes.remove(scene)
