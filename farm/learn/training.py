"""Training the denoiser: epochs, checkpoints and curves. A run that was stopped goes on to the same curve."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from farm.dataset.files import replace_bytes
from farm.dataset.metrics import relmse
from farm.errors import BadInput, DigidoubleError
from farm.learn.augment import augmented
from farm.learn.model import Model, load_file, save_file
from farm.learn.net import smape, squared
from farm.learn.pairs import PairDataset
from farm.learn.sample import Sample
from farm.learn.tiles import MULTIPLE
from farm.recipe.variant import stream

__all__ = ["CHECKPOINT_FILE", "CURVES_FILE", "MODEL_FILE", "Epoch", "Settings", "read_curves", "train"]

CHECKPOINT_FORMAT: Final = "digidouble-checkpoint/2"
CHECKPOINT_FILE: Final = "checkpoint.pt"
CURVES_FILE: Final = "curves.csv"
MODEL_FILE: Final = "model.pt"

SQUARED_SHARE: Final = 0.05
"""The squared error's part of the loss, beside SMAPE."""
_GRADIENT: Final = 1.0
"""Longest gradient of a step: the squared error's is as long as the brightest sample is bright."""
_MEMORY: Final = 0.999
"""How much of the weights' running mean a step keeps; in the first steps less."""


@dataclass(frozen=True)
class Settings:
    """How to train. A run that is taken up again must have the same, but for `epochs`.

    `layers` are the features beside the light; None are those of albedo, normal and tangent that the dataset has.
    """

    epochs: int = 100
    batch: int = 8
    crop: int = 128
    crops: int = 8
    rate: float = 1e-3
    width: int = 32
    layers: tuple[str, ...] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Epoch:
    """A row of the curves: SMAPE losses, and relMSE of the validation images before and after denoising.

    Epoch 0 is the untrained network; its `train_loss` is that of validation.
    """

    epoch: int
    train_loss: float
    valid_loss: float
    valid_relmse: float
    noisy_relmse: float


def train(
    dataset: str | Path,
    out: Path,
    settings: Settings,
    *,
    device: torch.device,
    workers: int = 0,
    progress: Callable[[int, int, int], None] = lambda *_: None,
    report: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Trains on a dataset's `train` split, or goes on with the run in `out`; gives the curves.

    After each epoch `out` holds the checkpoint, the curves and the best model so far, each whole. `progress` hears
    (epoch, batches done, batches of an epoch), `report` each epoch. Raises DatasetError as `PairDataset` does,
    BadInput where `out` holds another run, DigidoubleError where the loss is no longer a number.
    """
    training = PairDataset(
        dataset, layers=settings.layers, crop=settings.crop, crops=settings.crops, seed=settings.seed
    )
    names = [layer.name for layer in training.layers]
    validation = PairDataset(dataset, split="valid", layers=names)
    run = _Run(out, settings, {layer.name: layer.channels for layer in training.layers}, device)
    if not run.curves:
        first = run.validate(validation)
        run.keep(Epoch(0, first[0], *first))
        report(run.curves[-1])
    while run.curves[-1].epoch < settings.epochs:
        epoch = run.curves[-1].epoch + 1
        loss = run.learn(training, epoch, workers, progress)
        run.keep(Epoch(epoch, loss, *run.validate(validation)))
        report(run.curves[-1])
    return run.curves


def read_curves(folder: Path) -> list[Epoch]:
    """The curves of a run."""
    with (folder / CURVES_FILE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [Epoch(int(row[0]), *(float(value) for value in row[1:])) for row in rows]


class _Run:
    """A network in training and the folder that it is kept in."""

    def __init__(
        self, folder: Path, settings: Settings, layers: dict[str, tuple[str, ...]], device: torch.device
    ) -> None:
        self.folder, self.settings, self.device = folder, settings, device
        if settings.crop % MULTIPLE:
            raise BadInput(f"a crop of {settings.crop} pixels; give a multiple of {MULTIPLE}")
        fresh = Model.fresh(layers, width=settings.width, seed=settings.seed)
        self.net = fresh.net.to(device)
        self.mean = AveragedModel(self.net, avg_fn=_running_mean)
        self.model = replace(fresh, net=self.mean.module)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=settings.rate)
        self.curves: list[Epoch] = []
        if (folder / CHECKPOINT_FILE).exists():
            self._resume()

    def learn(
        self, training: PairDataset, epoch: int, workers: int, progress: Callable[[int, int, int], None]
    ) -> float:
        """One epoch; gives the mean loss of its batches."""
        training.set_epoch(epoch)
        loader: DataLoader[Sample] = DataLoader(
            training,
            batch_size=self.settings.batch,
            sampler=training.order(),
            num_workers=workers,
            drop_last=len(training) >= self.settings.batch,
        )
        losses: list[float] = []
        for batch in loader:
            random = stream(self.settings.seed, "augment", epoch, len(losses))
            images = {name: batch[name].to(self.device) for name in ("noisy", "reference", *self.model.layers)}
            images = augmented(images, random)
            found = self.net(images["noisy"], torch.cat([images[name] for name in self.model.layers], 1))
            self.optimizer.zero_grad(set_to_none=True)
            loss = smape(found, images["reference"])
            (loss + SQUARED_SHARE * squared(found, images["reference"])).backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), _GRADIENT)
            self.optimizer.step()
            self.mean.update_parameters(self.net)
            losses.append(float(loss.detach()))
            if not np.isfinite(losses[-1]):
                raise DigidoubleError(f"the loss became {losses[-1]} in epoch {epoch}; train with a lower --rate")
            progress(epoch, len(losses), len(loader))
        return float(np.mean(losses))

    def validate(self, validation: PairDataset) -> tuple[float, float, float]:
        """Mean loss, relMSE and the noisy images' own relMSE over the whole validation images."""
        rows = []
        for index in range(len(validation)):
            sample = validation[index]
            features = np.concatenate([sample[name] for name in self.model.layers])
            found = self.model.denoise(sample["noisy"], features)
            target = sample["reference"]
            loss = float(smape(torch.from_numpy(found), torch.from_numpy(target)))
            rows.append((loss, relmse(found, target), relmse(sample["noisy"], target)))
        loss, ours, noisy = (float(each) for each in np.mean(rows, axis=0))
        return loss, ours, noisy

    def keep(self, epoch: Epoch) -> None:
        """Takes in an epoch, and writes what a later run needs."""
        self.curves.append(epoch)
        if min(self.curves, key=lambda each: each.valid_loss) is epoch:
            self.model.save(self.folder / MODEL_FILE)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(field.name for field in fields(Epoch))
        writer.writerows(asdict(each).values() for each in self.curves)
        replace_bytes(self.folder / CURVES_FILE, text.getvalue().encode("utf-8"))
        save_file(
            self.folder / CHECKPOINT_FILE,
            {
                "format": CHECKPOINT_FORMAT,
                **self.model.plain(),
                "trained": self.net.state_dict(),
                "steps": self.mean.n_averaged,
                "optimizer": self.optimizer.state_dict(),
                "settings": asdict(self.settings),
                "curves": [asdict(each) for each in self.curves],
            },
        )

    def _resume(self) -> None:
        file = self.folder / CHECKPOINT_FILE
        there = load_file(file, CHECKPOINT_FORMAT)
        wanted = asdict(self.settings) | {"layers": ", ".join(self.model.layers)}
        found = there["settings"] | {"layers": ", ".join(there["layers"])}
        for name, value in wanted.items():
            if name != "epochs" and found[name] != value:
                raise BadInput(f"{file}: that run has {name} {found[name]}, not {value}; give another --out")
        self.model.net.load_state_dict(there["weights"])
        self.net.load_state_dict(there["trained"])
        self.mean.n_averaged.copy_(there["steps"])
        self.optimizer.load_state_dict(there["optimizer"])
        self.curves = [Epoch(**each) for each in there["curves"]]


def _running_mean(mean: Tensor, now: Tensor, steps: Tensor) -> Tensor:
    """Polyak & Juditsky (1992), with the memory growing at first: early weights are soon forgotten."""
    keep = torch.clamp((1 + steps) / (10 + steps), max=_MEMORY)
    return mean + (now - mean) * (1 - keep)
