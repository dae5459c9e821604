"""Datasets to learn from: balls made with numpy, and tiny portraits that the renderer's environment makes.

These tests run in the training environment (`make test-train`); without torch there is nothing to collect.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from farm.dataset import Layer, build_index, create_dataset, write_image
from farm.dataset.info import seal
from farm.recipe import parse_recipe

ROOT = Path(__file__).parents[2]
RENDER_PYTHON = "DIGIDOUBLE_RENDER_PYTHON"

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]

EXTRA = {"strand.tangent": ("strand.tangent.X", "strand.tangent.Y", "strand.tangent.Z"), "hair.mask": ("hair.mask.X",)}
"""Layers of hair that the balls have as well: their upper half counts as hair."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Networks as small as these are slower on several threads, and where other work runs very much so."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
        yield


@pytest.fixture(scope="session")
def balls_module():
    """The maker of balls of the dataset's tests."""
    spec = importlib.util.spec_from_file_location("balls", ROOT / "tests" / "dataset" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["balls"] = module
    spec.loader.exec_module(module)
    return module


def write_hair(module, dataset, variant, frame, resolution):
    """The data image of a pair, with the layers of hair."""
    pixels = module.scene(variant, frame, resolution)
    up = pixels["normal.Z"] * (pixels["normal.Y"] < 0)
    hair = np.clip(2 * up, 0, 1)
    across = (np.stack([-up, 0 * up, pixels["normal.X"]]) * hair).astype(np.float32)
    channels = dict(zip(EXTRA["strand.tangent"], across, strict=True)) | {"hair.mask.X": hair}
    write_image(dataset.pair(variant.id, frame).path / "data.exr", channels, {})


@pytest.fixture(scope="session")
def balls(balls_module, tmp_path_factory):
    """A dataset of three balls, two of them for training; not to be changed."""
    recipe = parse_recipe(balls_module.RECIPE, source="balls.yaml")
    dataset = create_dataset(tmp_path_factory.mktemp("balls") / "balls", recipe, engine=balls_module.BUILD)
    for variant in recipe.draw():
        for frame in recipe.capture.frames.numbers:
            balls_module.render_pair(dataset, recipe, variant, frame)
            write_hair(balls_module, dataset, variant, frame, recipe.capture.resolution)
    more = tuple(
        Layer(name=name, channels=channels, unit="1", images=("data",), description=name)
        for name, channels in EXTRA.items()
    )
    seal(dataset.root, dataset.info.model_copy(update={"layers": dataset.info.layers + more}), "recipe.yaml")
    build_index(dataset)
    return dataset.root


@pytest.fixture
def copied(balls, tmp_path):
    """A copy of the balls that may be harmed."""
    return Path(shutil.copytree(balls, tmp_path / "balls"))


@pytest.fixture(scope="session")
def render_python():
    """The Python that renders: another environment than the one that trains."""
    named = os.environ.get(RENDER_PYTHON, ROOT / ".venv" / "bin" / "python")
    assert Path(named).exists(), f"no {named}: run `make setup`, or set {RENDER_PYTHON}"
    return Path(named)


@pytest.fixture(scope="session")
def tiny(render_python, tmp_path_factory):
    """A dataset of six tiny portraits, rendered; not to be changed."""
    out = tmp_path_factory.mktemp("tiny") / "tiny"
    command = [render_python, "-m", "farm.cli", "render", ROOT / "tests" / "learn" / "tiny.yaml", "--out", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out
