import numpy as np
import onnxruntime
import pytest
import torch

from farm.dataset import read_image, write_image
from farm.errors import BadInput, DatasetError
from farm.learn.denoising import denoise_file
from farm.learn.device import choose_device
from farm.learn.model import Model
from farm.learn.net import TAPS, smape, squared
from farm.learn.onnx_model import OnnxModel
from farm.learn.tiles import MULTIPLE, TILE, denoise_tiled

LAYERS = {"albedo": ("albedo.R", "albedo.G", "albedo.B"), "tangent": ("tangent.X", "tangent.Y", "tangent.Z")}


@pytest.fixture(scope="module")
def model():
    """An untrained model whose kernels are far from even."""
    model = Model.fresh(LAYERS, width=8, seed=3)
    with torch.no_grad():
        model.net.kernels.weight *= 20
    model.net.eval()
    return model


def pixels(height, width):
    rng = np.random.default_rng(height)
    return rng.gamma(1, 2, (3, height, width)).astype(np.float32), rng.random((6, height, width), np.float32)


def test_taps_are_all_different():
    assert len(set(TAPS)) == len(TAPS) == 25


def test_even_light_stays_even(model):
    _, features = pixels(30, 41)
    clean = model.denoise(np.full((3, 30, 41), 7.0, np.float32), features)
    np.testing.assert_allclose(clean, 7.0, rtol=1e-5)


def test_light_stays_within_what_was_rendered(model):
    noisy, features = pixels(37, 50)
    clean = model.denoise(noisy, features)
    assert clean.shape == noisy.shape
    assert noisy.min() <= clean.min() < clean.max() <= noisy.max()
    assert np.abs(clean - noisy.mean((1, 2), keepdims=True)).mean() > 0.1


def test_tiles_leave_no_seams(model):
    noisy, features = pixels(TILE + 70, TILE + 21)
    np.testing.assert_allclose(
        denoise_tiled(model.run, noisy, features), model.denoise(noisy, features), rtol=1e-4, atol=1e-5
    )


def test_noisy_references_pull_to_their_mean():
    """Nine references of ten are dark and one is bright: SMAPE is content with the dark, the squared error is not."""
    references = torch.tensor([0.1] * 9 + [4.1])
    image = torch.full((10,), float(references.mean()), requires_grad=True)
    slopes = [float(torch.autograd.grad(loss(image, references), image)[0].sum()) for loss in (squared, smape)]
    assert abs(slopes[0]) < 1e-4
    assert slopes[1] > 0.1


def test_a_file_holds_the_model(model, tmp_path):
    model.save(tmp_path / "model.pt")
    again = Model.load(tmp_path / "model.pt")
    noisy, features = pixels(24, 24)
    assert again.layers == LAYERS
    np.testing.assert_array_equal(again.denoise(noisy, features), model.denoise(noisy, features))


def test_files_that_are_no_model(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere\.pt is missing"):
        Model.load(tmp_path / "nowhere.pt")
    (tmp_path / "text.pt").write_text("a model")
    with pytest.raises(BadInput, match=r"text\.pt: not a file of `digidouble train`"):
        Model.load(tmp_path / "text.pt")
    torch.save({"format": "digidouble-denoiser/9"}, tmp_path / "newer.pt")
    with pytest.raises(BadInput, match=r"'digidouble-denoiser/9', expected 'digidouble-denoiser/2'"):
        Model.load(tmp_path / "newer.pt")


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The model as ONNX."""
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    model.export_onnx(path)
    return path


@pytest.mark.parametrize(("height", "width"), [(37, 53), (75, 42), (64, 40)])
def test_onnx_gives_the_same_pixels_at_any_size(model, exported, height, width):
    noisy, features = pixels(height, width)
    found = OnnxModel(exported).denoise(noisy, features)
    assert found.shape == noisy.shape
    np.testing.assert_allclose(found, model.denoise(noisy, features), rtol=1e-4, atol=1e-5)


def test_what_the_onnx_file_says_of_itself(model, exported):
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    shapes = {each.name: each.shape for each in session.get_inputs()}
    assert shapes == {"noisy": ["count", 3, "height", "width"], "features": ["count", 6, "height", "width"]}
    assert [each.name for each in session.get_outputs()] == ["denoised"]
    assert OnnxModel(exported).layers == LAYERS
    assert OnnxModel(exported).channels == model.channels


def test_sides_are_lengthened_by_their_last_pixels():
    def network(noisy, features):
        assert noisy.shape[2] % MULTIPLE == noisy.shape[3] % MULTIPLE == 0
        np.testing.assert_array_equal(noisy[0, :, 13:, :21], np.repeat(light[:, -1:], 3, 1))
        np.testing.assert_array_equal(noisy[0, :, :13, 21:], np.repeat(light[..., -1:], 3, 2))
        return noisy + features[:, :3]

    light, features = pixels(13, 21)
    np.testing.assert_array_equal(denoise_tiled(network, light, features), light + features[:3])


def test_files_that_are_no_onnx_model(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.onnx is missing"):
        OnnxModel(tmp_path / "nowhere.onnx")
    (tmp_path / "text.onnx").write_text("a model")
    with pytest.raises(BadInput, match=r"text\.onnx: not a file of `digidouble onnx`"):
        OnnxModel(tmp_path / "text.onnx")


def image(path, height=40, width=44, **changes):
    noisy, features = pixels(height, width)
    named = dict(zip("RGB", noisy, strict=True)) | {"A": np.ones((height, width), np.float32)}
    named |= dict(zip([name for layer in LAYERS.values() for name in layer], features, strict=True)) | changes
    write_image(path, {name: values for name, values in named.items() if values is not None}, {})
    return path


def test_an_image_is_denoised_into_an_image(model, tmp_path):
    noisy = image(tmp_path / "noisy.exr")
    denoise_file(model, noisy, tmp_path / "clean.exr")
    clean = read_image(tmp_path / "clean.exr")
    light, features = pixels(40, 44)
    assert list(clean) == ["A", "B", "G", "R"]
    np.testing.assert_array_equal(np.stack([clean[name] for name in "RGB"]), model.denoise(light, features))


def test_an_image_is_denoised_without_torch_into_the_same_image(model, exported, tmp_path):
    noisy = image(tmp_path / "noisy.exr")
    denoise_file(model, noisy, tmp_path / "torch.exr")
    denoise_file(OnnxModel(exported), noisy, tmp_path / "onnx.exr")
    first, second = (read_image(tmp_path / name) for name in ("torch.exr", "onnx.exr"))
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, rtol=1e-4, atol=1e-5)


def test_what_the_image_has_not_is_read_from_its_pairs_data(model, tmp_path):
    whole = image(tmp_path / "whole.exr")
    denoise_file(model, whole, tmp_path / "clean.exr")
    pixels = read_image(whole)
    data = {name: pixels.pop(name) for name in LAYERS["tangent"]}
    write_image(tmp_path / "noisy.exr", pixels, {})
    write_image(tmp_path / "data.exr", data, {})
    denoise_file(model, tmp_path / "noisy.exr", tmp_path / "again.exr")
    assert (tmp_path / "again.exr").read_bytes() == (tmp_path / "clean.exr").read_bytes()
    write_image(tmp_path / "data.exr", {name: values[:-1] for name, values in data.items()}, {})
    with pytest.raises(DatasetError, match=r"data\.exr is not of the size of noisy\.exr"):
        denoise_file(model, tmp_path / "noisy.exr", tmp_path / "again.exr")


def test_images_that_cannot_be_denoised(model, tmp_path):
    bald = image(tmp_path / "bald.exr", **{"tangent.X": None})
    with pytest.raises(DatasetError, match=r"bald\.exr: has no channel 'tangent.X'"):
        denoise_file(model, bald, tmp_path / "clean.exr")
    spoilt = image(tmp_path / "spoilt.exr", G=np.full((40, 44), np.nan, np.float32))
    with pytest.raises(DatasetError, match=r"spoilt\.exr: channel G holds NaN"):
        denoise_file(model, spoilt, tmp_path / "clean.exr")
    with pytest.raises(BadInput, match=r"clean\.png: a denoised image is an EXR"):
        denoise_file(model, bald, tmp_path / "clean.png")
    with pytest.raises(BadInput, match="is the noisy image itself"):
        denoise_file(model, bald, bald)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bald.exr", "spoilt.exr"]


def test_a_gpu_that_is_not_there():
    assert choose_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        assert choose_device("cuda").type == choose_device("auto").type == "cuda"
    else:
        assert choose_device("auto").type == "cpu"
        with pytest.raises(BadInput, match="--device cuda: torch .*; give --device cpu"):
            choose_device("cuda")
