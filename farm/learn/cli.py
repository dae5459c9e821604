"""The command line of training: `digidouble train`, `evaluate`, `denoise`, `onnx`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from farm.errors import BadInput

if TYPE_CHECKING:
    from farm.learn.model import Model
    from farm.learn.onnx_model import OnnxModel

__all__ = ["denoise", "evaluate", "onnx", "train"]

DEVICES: Final = ("auto", "cpu", "cuda")
WORKERS_MAX: Final = 8
NEEDED: Final = ("torch", "fsspec", "flip_evaluator", "onnx")

MODEL = click.argument("model", type=click.Path(path_type=Path))
DATASET = click.argument("dataset")
DEVICE = click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True,
                      help="What computes; a GPU that is asked for and absent is an error.")  # fmt: skip


def _bar() -> Progress:
    console = Console(stderr=True)
    parts = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*parts, console=console, transient=True, disable=not console.is_terminal)


def _require(names: tuple[str, ...], remedy: str) -> None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(f"this needs {', '.join(missing)}, which {sys.executable} has not: {remedy}")


def _require_torch() -> None:
    remedy = "run `make train-env` and use .venv-train/bin/digidouble, or install digidouble[train]"
    _require(NEEDED, remedy)


def _loaded_onnx(model: Path, device: str) -> OnnxModel:
    """An ONNX file, which the processor runs."""
    _require(("onnxruntime", "fsspec"), "install digidouble[onnx]")
    from farm.learn.onnx_model import OnnxModel

    if device == "cuda":
        raise BadInput(f"--device cuda: {model} runs on the processor; give --device cpu, or the model.pt it is of")
    return OnnxModel(model)


def _loaded(model: Path, device: str) -> Model:
    """A model on a device."""
    _require_torch()
    from farm.learn.device import choose_device
    from farm.learn.model import Model

    chosen = choose_device(device)
    loaded = Model.load(model)
    loaded.net.to(chosen)
    return loaded


@click.command()
@DATASET
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/model"), show_default=True,
              help="The run's folder: model.pt, curves.csv, checkpoint.pt.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=100, show_default=True, help="Epochs, from the first one on.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Crops in a step.")
@click.option("--crop", type=click.IntRange(16), default=128, show_default=True, help="Side of a crop in pixels.")
@click.option("--crops", type=click.IntRange(1), default=8, show_default=True,
              help="Crops of each noisy image in an epoch.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=1e-3, show_default=True,
              help="Adam's learning rate.")  # fmt: skip
@click.option("--width", type=click.IntRange(4, 256), default=32, show_default=True,
              help="Channels of the network's finest level.")  # fmt: skip
@click.option("--layers", metavar="NAME,NAME",
              help="Features beside the light.  [default: albedo, normal, tangent, where there]")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of weights, order and crops.")
@click.option("--workers", type=click.IntRange(0), help="Processes that read images.  [default: by the cores]")
@DEVICE
def train(
    dataset: str, out: Path, layers: str | None, workers: int | None, device: str, **settings: int | float
) -> int:
    """Train a denoiser on a dataset's train split; run it again to go on where it stopped.

    DATASET is a folder, or a URL that fsspec opens. The network is a small U-Net that predicts a filter for each pixel.

    \b
    Examples:
      digidouble train out/demo --out out/model
      digidouble train s3://studio/hair --out out/hair --device cuda --epochs 400
    """
    _require_torch()
    from farm.learn.device import choose_device
    from farm.learn.training import MODEL_FILE, Epoch, Settings
    from farm.learn.training import train as train_model

    names = None if layers is None else tuple(name.strip() for name in layers.split(",") if name.strip())
    plan = Settings(**settings, layers=names)  # type: ignore[arg-type]  # click has made each its type
    chosen = choose_device(device)
    readers = max(0, min(WORKERS_MAX, (os.cpu_count() or 1) - 1)) if workers is None else workers
    with _bar() as bar:
        line = bar.add_task("training", total=None)

        def progress(epoch: int, done: int, total: int) -> None:
            whole = plan.epochs * total
            bar.update(line, completed=(epoch - 1) * total + done, total=whole, description=f"epoch {epoch}")

        def report(epoch: Epoch) -> None:
            click.echo(
                f"epoch {epoch.epoch}: loss {epoch.train_loss:.4f}, validation {epoch.valid_loss:.4f}, "
                f"relMSE {epoch.valid_relmse:.4f} (noisy {epoch.noisy_relmse:.4f})"
            )

        train_model(dataset, out, plan, device=chosen, workers=readers,
                    progress=progress, report=report)  # fmt: skip
    click.echo(out / MODEL_FILE)
    return 0


@click.command()
@MODEL
@DATASET
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/evaluation"),
              show_default=True, help="Where scores.csv, scores.md and the pictures go.")  # fmt: skip
@click.option("--split", type=click.Choice(("train", "valid", "test")), default="test", show_default=True,
              help="The images that are judged.")  # fmt: skip
@click.option("--blender-python", type=click.Path(path_type=Path), metavar="PYTHON",
              help="The Python with bpy that runs Open Image Denoise.  [default: .venv's]")  # fmt: skip
@click.option("--without-oidn", is_flag=True, help="Leave Open Image Denoise out.")
@DEVICE
def evaluate(
    model: Path, dataset: str, out: Path, split: str, blender_python: Path | None, without_oidn: bool, device: str
) -> int:
    """Score a model on images it was not trained on, against the noisy ones and Open Image Denoise.

    relMSE, SMAPE, HDR-FLIP (lower is better) and MS-SSIM (higher is), over whole images and inside the hair.

    \b
    Examples:
      digidouble evaluate out/model/model.pt out/demo
      digidouble evaluate out/model/model.pt out/demo --split valid --without-oidn
    """
    _require_torch()
    from farm.learn.evaluation import evaluate as evaluate_model
    from farm.learn.evaluation import table
    from farm.learn.oidn import blender_python as find_blender

    loaded = _loaded(model, device)
    blender = None if without_oidn else find_blender(blender_python)
    with _bar() as bar:
        line = bar.add_task("images", total=None)
        rows = evaluate_model(loaded, dataset, out, split=split, blender=blender,
                              progress=lambda done, total: bar.update(line, completed=done, total=total))  # fmt: skip
    click.echo(table(rows), nl=False)
    click.echo(f"pictures: {out}")
    return 0


@click.command()
@MODEL
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.exr",
              help="The denoised image.  [default: IMAGE.denoised.exr]")  # fmt: skip
@DEVICE
def denoise(model: Path, image: Path, out: Path | None, device: str) -> int:
    """Denoise an EXR that has the layers which the model was trained on.

    MODEL is what `train` wrote, or what `onnx` made of it: that one runs without torch, on the processor.

    \b
    Examples:
      digidouble denoise out/model/model.pt noisy_0004spp_r00.exr --out clean.exr
      digidouble denoise denoiser.onnx noisy_0004spp_r00.exr --out clean.exr
    """
    loaded = _loaded_onnx(model, device) if model.suffix.lower() == ".onnx" else _loaded(model, device)
    from farm.learn.denoising import denoise_file

    target = image.with_suffix(".denoised.exr") if out is None else out
    denoise_file(loaded, image, target)
    click.echo(target)
    return 0


@click.command()
@MODEL
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def onnx(model: Path, file: Path) -> int:
    """Export a model as ONNX, for programs without torch: inputs `noisy` and `features`, output `denoised`.

    docs/training.md says what they hold.

    \b
    Example:
      digidouble onnx out/model/model.pt denoiser.onnx
    """
    _require_torch()
    from farm.learn.model import Model

    Model.load(model).export_onnx(file)
    click.echo(file)
    return 0
