import json

import fsspec
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from farm.dataset import read_image, write_image
from farm.errors import BadInput, DatasetError, StoreAccessError
from farm.learn import PairDataset


def same(first, second):
    assert first.keys() == second.keys()
    return all(np.array_equal(first[name], second[name]) for name in first)


def test_a_sample_is_what_the_files_hold(balls):
    dataset = PairDataset(balls, split="train")
    assert len(dataset) == 2 * 2 * 2 * 2  # variants, frames, sample counts, replicas
    item, sample = dataset.items[5], dataset[5]
    noisy = read_image(balls / item.pair / item.noisy)
    reference = read_image(balls / item.pair / "reference.exr")
    data = read_image(balls / item.pair / "data.exr")
    assert set(sample) == {"noisy", "reference", "albedo", "normal", "strand.tangent", "pair", "samples"}
    for name, image, channels in (
        ("noisy", noisy, "RGB"),
        ("reference", reference, "RGB"),
        ("albedo", noisy, ["albedo.R", "albedo.G", "albedo.B"]),
        ("strand.tangent", data, ["strand.tangent.X", "strand.tangent.Y", "strand.tangent.Z"]),
    ):
        np.testing.assert_array_equal(sample[name], np.stack([image[channel] for channel in channels]))
    assert (sample["pair"], sample["samples"]) == (item.pair, item.samples)


def test_crops_are_cut_alike_out_of_everything(balls):
    whole = PairDataset(balls, layers=["normal"])
    cropped = PairDataset(balls, layers=["normal"], crop=16, seed=3)
    places = set()
    for index in range(len(whole)):
        full, crop = whole[index], cropped[index]
        row, column, *_ = cropped._window(index)
        places.add((row, column))
        for name in ("noisy", "reference", "normal"):
            np.testing.assert_array_equal(crop[name], full[name][:, row : row + 16, column : column + 16])
    assert len(places) > 10


def test_seed_and_epoch_alone_decide_crops_and_order(balls):
    first, again, other = (PairDataset(balls, crop=16, crops=3, seed=seed) for seed in (1, 1, 2))
    assert all(same(first[index], again[index]) for index in range(len(first)))
    assert first.order() == again.order() != other.order()
    assert sorted(first.order()) == list(range(len(first))) == list(range(3 * len(first.items)))
    crops = {first._window(index) for index in (0, len(first.items), 2 * len(first.items))}
    before = first.order()
    first.set_epoch(1)
    assert first.order() != before
    assert first._window(0) not in crops


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_two_worker_processes_give_the_same(balls, context):
    dataset = PairDataset(balls, crop=24, seed=5)

    def batches(workers):
        loader = DataLoader(
            dataset,
            batch_size=4,
            sampler=dataset.order(),
            num_workers=workers,
            multiprocessing_context=context if workers else None,
        )
        return list(loader)

    alone, together = batches(0), batches(2)
    assert len(alone) == len(together) == 4
    for one, two in zip(alone, together, strict=True):
        assert one["pair"] == two["pair"]
        assert one["noisy"].shape == (4, 3, 24, 24)
        assert one["noisy"].dtype == torch.float32
        for name in ("noisy", "reference", "albedo", "normal", "strand.tangent", "samples"):
            assert torch.equal(one[name], two[name])


def test_an_object_store_gives_the_same(balls):
    store = fsspec.filesystem("memory")
    store.put(str(balls), "/farm/balls", recursive=True)
    local, remote = PairDataset(balls, crop=16), PairDataset("memory://farm/balls", crop=16)
    assert all(same(local[index], remote[index]) for index in range(len(local)))
    store.rm("/farm/balls/dataset.json")
    with pytest.raises(DatasetError, match="memory://farm/balls is not a dataset: it has no dataset.json"):
        PairDataset("memory://farm/balls")
    with pytest.raises(StoreAccessError, match="nowhere://balls.*Protocol not known"):
        PairDataset("nowhere://balls")


def test_sample_counts_are_chosen(balls):
    assert {item.samples for item in PairDataset(balls, samples=[4]).items} == {4}
    with pytest.raises(DatasetError, match=r"no image of 64 samples per pixel in split 'train', only \[1, 4\]"):
        PairDataset(balls, samples=[4, 64])


def test_bad_arguments(balls):
    with pytest.raises(BadInput, match="no split 'training'; there are train, valid, test"):
        PairDataset(balls, split="training")
    with pytest.raises(BadInput, match="crop of 33 pixels does not fit into images of 48×32"):
        PairDataset(balls, crop=33)


def test_an_empty_split(balls):
    with pytest.raises(DatasetError, match="its split 'test' is empty; its pairs are in train, valid"):
        PairDataset(balls, split="test")


def test_a_layer_that_the_dataset_lacks(balls):
    with pytest.raises(DatasetError, match="has no layer 'roughness', only beauty, alpha, albedo"):
        PairDataset(balls, layers=["albedo", "roughness"])


@pytest.mark.parametrize(("layer", "name"), [("albedo.G", None), ("strand.tangent.Y", "data.exr")])
def test_a_layer_that_a_file_lacks(copied, layer, name):
    dataset = PairDataset(copied)
    path = copied / dataset.items[0].pair / (name or dataset.items[0].noisy)
    pixels = read_image(path)
    write_image(path, {channel: values for channel, values in pixels.items() if channel != layer}, {})
    with pytest.raises(DatasetError, match=f"{path}: has no channel '{layer}'"):
        dataset[0]


def test_nan_in_an_image(copied):
    dataset = PairDataset(copied)
    path = copied / dataset.items[0].pair / dataset.items[0].noisy
    pixels = read_image(path)
    pixels["G"][3, 4] = np.nan
    write_image(path, pixels, {})
    with pytest.raises(DatasetError, match=f"{path}: channel G holds NaN values"):
        dataset[0]


def test_an_image_of_another_size(copied):
    dataset = PairDataset(copied)
    path = copied / dataset.items[0].pair / "reference.exr"
    write_image(path, {name: values[:-2] for name, values in read_image(path).items()}, {})
    with pytest.raises(DatasetError, match=f"{path}: has 48×30 pixels, its dataset's images have 48×32"):
        dataset[0]


def test_mixed_resolutions(copied):
    import pyarrow as pa
    import pyarrow.parquet as pq

    index = copied / "index.parquet"
    read = pq.read_table(index)
    rows = read.to_pylist()
    rows[1]["width"] = 64
    pq.write_table(pa.Table.from_pylist(rows, schema=read.schema), index)
    with pytest.raises(DatasetError, match=r"mixed resolutions \(48×32 and 64×32\)"):
        PairDataset(copied)


@pytest.mark.parametrize("version", ["digidouble-dataset/0", "digidouble-dataset/999"])
def test_a_dataset_of_another_version(copied, version):
    file = copied / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": version}))
    with pytest.raises(DatasetError, match=version):
        PairDataset(copied)


def test_no_dataset(tmp_path):
    with pytest.raises(DatasetError, match=r"is not a dataset: it has no dataset\.json"):
        PairDataset(tmp_path)
