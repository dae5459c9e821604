"""The plan's count of channels, samples and bytes is that of the dataset's layers and files."""

from __future__ import annotations

import pytest

from farm.dataset import Dataset
from farm.dataset.layers import dataset_layers
from farm.dataset.planned import planned_images
from farm.recipe import Capture, Recipe
from farm.recipe.passes import CLIP_PASSES, MATTE_PASSES, PASS_CHANNELS, PASSES
from farm.recipe.volume import _ALWAYS, _OF_CLIPS, pair_volume

KINDS = ("noisy", "reference", "data")


def added(asked_as: str, kind: str, *, clip: bool = True) -> int:
    layers = dataset_layers(clip=clip, passes=PASSES)
    return sum(len(layer.channels) for layer in layers if layer.asked_as == asked_as and kind in layer.images)


def test_a_pass_has_as_many_channels_as_its_layers() -> None:
    assert PASS_CHANNELS.keys() == set(PASSES)
    for name in PASSES:
        assert PASS_CHANNELS[name] == tuple(added(name, kind) for kind in KINDS), name
    assert (added("", "noisy", clip=False), added("", "reference", clip=False)) == _ALWAYS
    assert added("", "noisy") - _ALWAYS[0] == added("", "reference") - _ALWAYS[1] == _OF_CLIPS


def test_stills_lack_the_passes_of_clips() -> None:
    for name in PASSES:
        assert (not added(name, "data", clip=False) and added(name, "data") > 0) == (name in CLIP_PASSES), name
    assert pair_volume(Capture.model_validate({"passes": CLIP_PASSES})).data == 0
    assert pair_volume(Capture.model_validate({"passes": CLIP_PASSES, "frames": 2})).data == 1


def test_what_lies_beside_is_counted_as_it_is_planned() -> None:
    capture = Capture.model_validate({"partners": {"factors": [2, 4], "samples": [1, 4]}, "per_sample": 4})
    volume = pair_volume(capture)
    assert (volume.partners, volume.single) == (4, 4)
    assert volume.images == len(planned_images(capture))
    assert volume.beside_samples == (1 / 4 + 1 / 16) * (1 + 4 + 1) + 4 * 2


def test_a_dataset_has_the_images_and_no_more_bytes_than_estimated(finished: Dataset, recipe: Recipe) -> None:
    """The balls are plainer than renders, so that they pack better."""
    volume = pair_volume(recipe.capture)
    files = list(finished.root.glob("pairs/*/*/*.exr"))
    assert len(files) == 6 * (volume.noisy + volume.references + volume.data)
    assert 0.3 * volume.bytes < sum(file.stat().st_size for file in files) / 6 < volume.bytes


def test_coverage_is_rendered_where_a_pass_needs_it() -> None:
    pytest.importorskip("bpy", reason="the passes' table needs bpy")
    from farm.render.passes import MATTE

    assert set(MATTE_PASSES) == set(MATTE)
    for name in PASSES:
        wanted = 17 if name in MATTE else 1
        assert pair_volume(Capture.model_validate({"passes": [name]})).data_samples == wanted
