"""The panel Denoise by clicking: a denoiser loaded, the passes that it needs switched on, a render denoised."""

import copy

import bpy
import numpy as np
from motion_steps import choose_file
from window import addon, until


def render(w):
    """A small render with few samples of the artist's own scene."""
    scene = w.scene()
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.render.resolution_x = scene.render.resolution_y = 64
    with bpy.context.temp_override(window=w.window, scene=scene):
        bpy.ops.render.render()


def pixels(image):
    found = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(found)
    return found.reshape(image.size[1], image.size[0], 4)[..., :3]


def editor(w):
    """An image editor with the render, in a window of its own, its tab Digidouble opened."""
    other = copy.copy(w)
    other.area = addon("windows").open_editor("IMAGE_EDITOR")
    other.window = bpy.context.window_manager.windows[-1]
    other.area.spaces.active.image = bpy.data.images["Render Result"]
    other.area.spaces.active.show_region_ui = True
    yield 1.0
    yield from other.open_tab("Digidouble")
    return other


def steps(w):
    """In the artist's own scene; the extra window is closed again."""
    w.window.scene = bpy.data.scenes["Scene"]
    yield 0.5
    render(w)
    other = yield from editor(w)
    yield from other.press("digidouble.load_denoiser")
    yield from choose_file(other, "mean.onnx")
    other.area = next(area for area in other.window.screen.areas if area.type == "IMAGE_EDITOR")
    yield 0.5
    other.picture("denoise-passes-missing")
    yield from other.press("digidouble.enable_passes")
    render(w)
    yield from other.press("digidouble.denoise")
    yield from until(lambda: "Render Denoised" in bpy.data.images)
    clean = pixels(bpy.data.images["Render Denoised"])
    assert clean.shape == (64, 64, 3)
    assert np.isfinite(clean).all()
    assert clean.std() > 0.01
    yield 1.0
    other.picture("denoised")
    w.count = other.count
    with bpy.context.temp_override(window=other.window):
        bpy.ops.wm.window_close()
    yield 0.5
    w.window.scene = bpy.data.scenes["Digidouble"]
    yield 0.5
