import csv
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from farm.dataset import read_image, relmse
from farm.dataset.metrics import beauty
from farm.errors import BadInput, DatasetError
from farm.learn.evaluation import METHODS, SCORES_FILE, evaluate, means
from farm.learn.model import Model
from farm.learn.oidn import blender_python
from farm.learn.pairs import PairDataset
from farm.learn.training import MODEL_FILE, Settings, read_curves, train

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
SETTINGS = Settings(epochs=6, batch=8, crop=48, crops=8, rate=2e-3, width=16)
SHORT = Settings(epochs=4, batch=4, crop=16, crops=1, rate=1e-3, width=8)


def digidouble(*words):
    command = [sys.executable, "-m", "farm.cli", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A run on the tiny portraits."""
    out = tmp_path_factory.mktemp("run")
    curves = train(tiny, out, SETTINGS, device=CPU)
    return out, curves


def test_training_lowers_the_validation_loss_by_half(trained):
    out, curves = trained
    assert [each.epoch for each in curves] == [0, 1, 2, 3, 4, 5, 6]
    assert read_curves(out) == curves
    assert min(each.valid_loss for each in curves) < curves[0].valid_loss / 2
    assert min(each.valid_relmse for each in curves) < curves[0].noisy_relmse / 2


@pytest.fixture(scope="module")
def judged(trained, tiny, render_python, tmp_path_factory):
    """The scores on the identity that was held out, with Blender's own denoiser's."""
    out = tmp_path_factory.mktemp("judged")
    model = Model.load(trained[0] / MODEL_FILE)
    return out, evaluate(model, tiny, out, blender=blender_python(render_python))


def test_denoised_images_of_the_held_out_identity_beat_their_inputs(judged, tiny):
    _, rows = judged
    people = [{row.pair.split("/")[1] for row in rows}, {i.pair.split("/")[1] for i in PairDataset(tiny).items}]
    assert people[0].isdisjoint(people[1])
    whole = {(row.pair, row.method, number // 3): row.scores for number, row in enumerate(_of_the_image(rows))}
    for (pair, method, number), scores in whole.items():
        if method == "model":
            noisy = whole[pair, "noisy", number]
            assert scores.relmse < noisy.relmse
            assert scores.flip < noisy.flip


def _of_the_image(rows):
    return [row for row in rows if row.region == "image"]


def test_open_image_denoise_is_judged_beside(judged):
    _, rows = judged
    figures = means(rows)
    for method in METHODS:
        assert figures[4, "image", method].relmse > 0
    assert figures[4, "image", "oidn"].relmse < figures[4, "image", "noisy"].relmse
    assert figures[4, "image", "oidn"].msssim > figures[4, "image", "noisy"].msssim


def test_what_an_evaluation_writes(judged):
    out, rows = judged
    with (out / SCORES_FILE).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    assert "| 4 | whole image | this model |" in (out / "scores.md").read_text()
    pictures = list(out.glob("*.png"))
    assert len(pictures) == 1
    picture = np.asarray(Image.open(pictures[0]))
    wide = picture.shape[1] // 4
    shown = [picture[40:200, place * wide + 10 : place * wide + 200].astype(int) for place in range(4)]
    roughness = [np.abs(np.diff(each, axis=1)).mean() for each in shown]
    assert roughness[0] > max(roughness[1:])


def test_a_run_that_is_taken_up_again_has_the_same_curve(balls, tmp_path):
    whole = train(balls, tmp_path / "whole", SHORT, device=CPU)
    train(balls, tmp_path / "parts", dataclasses.replace(SHORT, epochs=2), device=CPU)
    parts = train(balls, tmp_path / "parts", SHORT, device=CPU, workers=2)
    assert parts == whole
    for name in ("curves.csv", MODEL_FILE):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert train(balls, tmp_path / "parts", SHORT, device=CPU) == whole
    assert train(balls, tmp_path / "other", dataclasses.replace(SHORT, seed=1), device=CPU) != whole


def test_another_run_in_the_folder_is_refused(balls, tmp_path):
    train(balls, tmp_path, dataclasses.replace(SHORT, epochs=1), device=CPU)
    with pytest.raises(BadInput, match=r"that run has width 8, not 12; give another --out"):
        train(balls, tmp_path, dataclasses.replace(SHORT, width=12), device=CPU)
    with pytest.raises(BadInput, match="that run has layers albedo, normal, strand.tangent, not albedo"):
        train(balls, tmp_path, dataclasses.replace(SHORT, layers=("albedo",)), device=CPU)


def test_inside_the_hair_is_judged_where_there_is_a_mask(balls, tmp_path):
    train(balls, tmp_path, dataclasses.replace(SHORT, epochs=1), device=CPU)
    model = Model.load(tmp_path / MODEL_FILE)
    rows = evaluate(model, balls, tmp_path / "out", split="valid", blender=None)
    assert {(row.region, row.method) for row in rows} == {
        (region, method) for region in ("image", "hair") for method in ("noisy", "model")
    }
    with pytest.raises(DatasetError, match="its split 'test' is empty"):
        evaluate(model, balls, tmp_path / "none", blender=None)
    assert not (tmp_path / "none").exists()


def test_the_command_line_from_training_to_a_clean_image(balls, tmp_path):
    words = ["train", balls, "--out", tmp_path / "run", "--epochs", 2, "--crop", 24, "--crops", 1, "--width", 8]
    code, out, err = digidouble(*words, "--device", "cpu", "--workers", 0)
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()[:-1]] == ["epoch 0", "epoch 1", "epoch 2"]
    model = tmp_path / "run" / MODEL_FILE
    assert out.splitlines()[-1] == str(model)

    item = PairDataset(balls, split="valid").items[0]
    noisy = balls / item.pair / item.noisy
    code, out, err = digidouble("denoise", model, noisy, "--out", tmp_path / "clean.exr")
    assert (code, out) == (0, f"{tmp_path / 'clean.exr'}\n"), err
    target = beauty(read_image(balls / item.pair / "reference.exr"))
    assert relmse(beauty(read_image(tmp_path / "clean.exr")), target) != relmse(beauty(read_image(noisy)), target)

    code, out, err = digidouble("evaluate", model, balls, "--out", tmp_path / "e", "--split", "valid", "--without-oidn")
    assert code == 0, err
    assert "| 1 | inside the hair | this model |" in out
    code, _, err = digidouble("onnx", model, tmp_path / "model.onnx")
    assert code == 0, err
    code, out, err = digidouble("denoise", tmp_path / "model.onnx", noisy, "--out", tmp_path / "again.exr")
    assert (code, out) == (0, f"{tmp_path / 'again.exr'}\n"), err
    clean, again = (beauty(read_image(tmp_path / name)) for name in ("clean.exr", "again.exr"))
    np.testing.assert_allclose(again, clean, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "nowhere"], "nowhere is not a folder"),
        (["train", "BALLS", "--layers", "albedo,roughness"], "has no layer 'roughness'"),
        (["train", "BALLS", "--crop", "400"], "crop of 400 pixels does not fit into images of 48×32"),
        (["evaluate", "nowhere.pt", "BALLS", "--without-oidn"], "nowhere.pt is missing"),
        (["evaluate", "nowhere.pt", "BALLS", "--blender-python", "nowhere"], "nowhere.pt is missing"),
        (["train", "BALLS", "--crop", "20"], "a crop of 20 pixels; give a multiple of 8"),
        (["denoise", "nowhere.pt", "a.exr"], "nowhere.pt is missing"),
        (["denoise", "nowhere.onnx", "a.exr"], "nowhere.onnx is missing"),
        (["denoise", "nowhere.onnx", "a.exr", "--device", "cuda"], "nowhere.onnx runs on the processor"),
    ],
)
def test_bad_input_is_one_message(words, message, balls, tmp_path):
    given = [balls if word == "BALLS" else word for word in words]
    where = ["--out", tmp_path / "out"] if words[0] != "denoise" else []
    code, out, err = digidouble(*given, *where)
    assert (code, out) == (2, ""), err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_python_without_blender_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"--blender-python .*: it cannot import bpy"):
        blender_python(Path(sys.executable))
    with pytest.raises(BadInput, match="nowhere"):
        blender_python(tmp_path / "nowhere")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(balls, tmp_path):
    code, _, err = digidouble("train", balls, "--out", tmp_path / "out", "--device", "cuda")
    assert code == 2
    assert "--device cuda" in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())
