"""A denoiser in Blender: the pixels of the numpy path, on a dataset's image and on the render with its passes."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.mean_denoiser import LAYERS, exported


@pytest.fixture(scope="module")
def blender(addon):
    """The add-on, and Blender's own OpenImageIO, which the bpy module carries off Python's path."""
    import bpy

    pytest.importorskip("onnx", reason="builds a denoiser")
    pytest.importorskip("onnxruntime", reason="runs it")
    sys.path.append(str(next(Path(bpy.utils.resource_path("LOCAL")).glob("python/lib/python*/site-packages"))))
    yield bpy
    sys.path.pop()


@pytest.fixture(scope="module")
def denoiser(blender, tmp_path_factory):
    """A network of the exported form: the mean of 3 × 3 pixels of the light, plus a part of the albedo and normal."""
    return exported(tmp_path_factory.mktemp("model") / "mean.onnx", LAYERS)


@pytest.fixture(scope="module")
def rendered(blender):
    """A scene of 64 × 64 pixels, rendered once; Blender's own denoiser is on, and the passes are off."""
    bpy = blender
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 4, True
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.image_settings.file_format = "JPEG"
    bpy.ops.render.render()
    return scene


def shown(blender, name):
    """An image's pixels, rows from the top."""
    image = blender.data.images[name]
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    assert image.is_float
    return pixels.reshape(image.size[1], image.size[0], 4)[::-1]


def test_a_datasets_image_gives_the_pixels_of_the_command_line(blender, denoiser, tmp_path):
    from farm.dataset import read_image, write_image
    from farm.learn.denoising import denoise_file
    from farm.learn.onnx_model import OnnxModel

    rng = np.random.default_rng(1)
    height, width = 44, 70
    names = ["R", "G", "B", "A", *(channel for channels in LAYERS.values() for channel in channels)]
    pixels = {name: rng.random((height, width), np.float32) for name in names}
    beside = {name: pixels.pop(name) for name in LAYERS["normal"]}
    write_image(tmp_path / "noisy_0004spp_r00.exr", pixels, {})
    write_image(tmp_path / "data.exr", beside, {})
    denoise_file(OnnxModel(denoiser), tmp_path / "noisy_0004spp_r00.exr", tmp_path / "clean.exr")
    assert blender.ops.digidouble.load_denoiser(filepath=str(denoiser)) == {"FINISHED"}
    file = str(tmp_path / "noisy_0004spp_r00.exr")
    assert blender.ops.digidouble.denoise(filepath=file) == {"FINISHED"}
    found = shown(blender, "noisy_0004spp_r00 Denoised")
    expected = read_image(tmp_path / "clean.exr")
    for place, name in enumerate("RGBA"):
        assert np.array_equal(found[..., place], expected[name]), name


def test_the_render_names_its_missing_passes_and_is_denoised_once_they_are_on(blender, denoiser, rendered):
    layer = rendered.view_layers[0]
    blender.ops.digidouble.load_denoiser(filepath=str(denoiser))
    with pytest.raises(RuntimeError, match="Enable Denoising Albedo, Normal and render again"):
        blender.ops.digidouble.denoise()
    assert blender.ops.digidouble.enable_passes() == {"FINISHED"}
    assert layer.use_pass_normal
    assert layer.cycles.denoising_store_passes
    assert not {"UNDO"} - blender.types.DIGIDOUBLE_OT_enable_passes.bl_options
    with pytest.raises(RuntimeError, match="the image lacks albedo, normal"):
        blender.ops.digidouble.denoise()
    rendered.cycles.use_denoising = False
    blender.ops.render.render()
    assert blender.ops.digidouble.denoise() == {"FINISHED"}
    found = shown(blender, "Render Denoised")
    assert rendered.render.image_settings.file_format == "JPEG"

    from addon import denoise
    from farm.learn.onnx_model import OnnxModel

    file = Path(blender.app.tempdir) / "digidouble-render.exr"
    there = denoise.read_exr(file)
    light = np.stack([there[f"ViewLayer.Combined.{colour}"] for colour in "RGB"])
    beside = [there[f"ViewLayer.Denoising Albedo.{colour}"] for colour in "RGB"]
    beside += [there[f"ViewLayer.Normal.{axis}"] for axis in "XYZ"]
    expected = OnnxModel(denoiser).denoise(light, np.stack(beside))
    assert np.array_equal(np.moveaxis(found[..., :3], -1, 0), expected)
    assert light.std() > 0.01

    rendered.cycles.use_denoising = True
    blender.ops.render.render()
    blender.ops.digidouble.denoise()
    again = shown(blender, "Render Denoised")
    assert np.allclose(again, found, atol=1e-6), "what is denoised is the light before Blender's own denoiser"


def test_what_no_render_here_has_is_named(blender, rendered, tmp_path):
    file = exported(tmp_path / "hair.onnx", {"strand.tangent": [f"strand.tangent.{axis}" for axis in "XYZ"]})
    assert blender.ops.digidouble.load_denoiser(filepath=str(file)) == {"FINISHED"}
    with pytest.raises(RuntimeError, match=r"needs strand\.tangent, which only renders of the farm have"):
        blender.ops.digidouble.denoise()


def test_what_is_no_denoiser_is_refused(blender, tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="not a file of `digidouble onnx`"):
        blender.ops.digidouble.load_denoiser(filepath=str(tmp_path / "x.onnx"))
    with pytest.raises(RuntimeError, match="is missing"):
        blender.ops.digidouble.load_denoiser(filepath=str(tmp_path / "y.onnx"))


def test_without_onnx_runtime_it_says_what_to_install(addon, monkeypatch, tmp_path):
    import bpy

    from addon import denoise, denoiser

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(denoise, "able", denoise.able.__wrapped__)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    denoiser.unregister()
    with pytest.raises(RuntimeError, match=r"no ONNX Runtime and no OpenImageIO: .* ends in -denoiser\.zip"):
        bpy.ops.digidouble.load_denoiser(filepath=str(tmp_path / "x.onnx"))
    assert not bpy.ops.digidouble.denoise.poll()
    assert not bpy.ops.digidouble.enable_passes.poll()


def test_esc_ends_it_between_tiles(blender, denoiser, tmp_path):
    """What the modal operator does at Esc; tiles are of 512 pixels."""
    from addon import denoise, threads
    from farm.dataset import write_image
    from farm.learn.onnx_model import OnnxModel

    pixels = {name: np.ones((8, 2000), np.float32) for name in "RGB"}
    write_image(tmp_path / "wide.exr", pixels, {})
    model, said, failed = OnnxModel(exported(tmp_path / "n.onnx", {"depth": ["R"]})), [], []

    def work(say):
        def first(text):
            said.append(text)
            threads.end("esc")
            say(text)

        return denoise.denoise(model, tmp_path / "wide.exr", first)

    assert threads.start("esc", work, lambda _: failed.append("it went on"), failed.append)
    while threads.busy("esc"):
        threads.pump()
    assert (said, failed) == (["Denoising, 0 of 4"], [])


def test_undo_and_redo(blender, denoiser, tmp_path):  # the last test: undo makes the fixtures' scene void
    from farm.dataset import write_image

    ops = blender.ops
    names = ["R", "G", "B", *(channel for channels in LAYERS.values() for channel in channels)]
    write_image(tmp_path / "small.exr", {name: np.full((8, 8), 0.5, np.float32) for name in names}, {})
    ops.digidouble.load_denoiser(filepath=str(denoiser))

    def state():
        return blender.context.view_layer.use_pass_normal, "small Denoised" in blender.data.images

    blender.context.view_layer.use_pass_normal = False
    ops.ed.undo_push(message="before")
    assert ops.digidouble.enable_passes("EXEC_DEFAULT", True) == {"FINISHED"}
    assert ops.digidouble.denoise("EXEC_DEFAULT", True, filepath=str(tmp_path / "small.exr")) == {"FINISHED"}
    seen = [state()]
    for step in (ops.ed.undo, ops.ed.undo, ops.ed.redo, ops.ed.redo):
        step()
        seen.append(state())
    assert seen == [(True, True), (True, False), (False, False), (True, False), (True, True)]
