import tarfile

import fsspec
import numpy as np
import pytest
import webdataset
from torch.utils.data import DataLoader

from farm.dataset import read_index
from farm.errors import BadInput, DatasetError
from farm.learn import PairDataset, ShardDataset
from farm.learn.sample import FEATURES


@pytest.fixture(scope="module")
def shards(balls, tmp_path_factory):
    """The balls in three shards, written by webdataset's own writer."""
    folder = tmp_path_factory.mktemp("shards")
    rows = [row for row in read_index(balls) if row["split"] == "train"]
    for number, start in enumerate(range(0, len(rows), 2)):
        with webdataset.TarWriter(str(folder / f"train-{number:06d}.tar")) as writer:
            for row in rows[start : start + 2]:
                files = {file.name: file.read_bytes() for file in sorted((balls / row["pair"]).iterdir())}
                writer.write({"__key__": row["pair"], **files})
    return folder


def described(balls):
    from farm.dataset import open_dataset

    return open_dataset(balls).info.layers


def identity(sample):
    return sample["pair"], sample["samples"], float(sample["noisy"].sum())


def test_a_stream_gives_what_the_folder_gives(balls, shards):
    folder = {identity(each): each for each in map(PairDataset(balls).__getitem__, range(16))}
    streamed = list(ShardDataset(str(shards / "*.tar"), layers=FEATURES, described=described(balls)))
    assert len(streamed) == 16
    for sample in streamed:
        other = folder.pop(identity(sample))
        assert all(np.array_equal(sample[name], other[name]) for name in other)
    assert not folder


def test_two_worker_processes_share_the_shards(balls, shards):
    dataset = ShardDataset(str(shards / "*.tar"), layers=FEATURES, described=described(balls), crop=16)

    def run():
        loader = DataLoader(dataset, batch_size=None, num_workers=2)
        return [(sample["pair"], sample["samples"], sample["noisy"].tolist()) for sample in loader]

    first, again = run(), run()
    assert first == again
    assert len({(pair, samples, str(noisy)) for pair, samples, noisy in first}) == len(first) == 16
    dataset.set_epoch(1)
    assert [each[:2] for each in run()] != [each[:2] for each in first]


def test_shards_in_an_object_store(balls, shards):
    fsspec.filesystem("memory").put(str(shards), "/shards", recursive=True)
    remote = ShardDataset("memory://shards/*.tar", layers=FEATURES, described=described(balls), crop=16)
    local = ShardDataset(str(shards / "*.tar"), layers=FEATURES, described=described(balls), crop=16)
    assert [identity(each) for each in remote] == [identity(each) for each in local]


def test_shards_that_are_missing_or_broken(balls, shards, tmp_path):
    with pytest.raises(DatasetError, match="no shards at"):
        ShardDataset(str(tmp_path / "*.tar"))
    with pytest.raises(DatasetError, match=r"nowhere\.tar is missing"):
        list(ShardDataset(str(tmp_path / "nowhere.tar"), layers=FEATURES, described=described(balls)))
    whole = (shards / "train-000000.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"cut\.tar"):
        list(ShardDataset(str(tmp_path / "cut.tar"), layers=FEATURES, described=described(balls)))
    with pytest.raises(BadInput, match="crop of 0 pixels"):
        ShardDataset(str(shards / "*.tar"), layers=FEATURES, described=described(balls), crop=0)
    with pytest.raises(DatasetError, match="crop of 400 pixels does not fit into 48×32"):
        list(ShardDataset(str(shards / "*.tar"), layers=FEATURES, described=described(balls), crop=400))


def test_a_pair_without_its_reference(shards, balls, tmp_path):
    with tarfile.open(shards / "train-000000.tar") as tar, tarfile.open(tmp_path / "part.tar", "w") as part:
        for member in tar:
            if not member.name.endswith("reference.exr"):
                part.addfile(member, tar.extractfile(member))
    with pytest.raises(DatasetError, match=r"part\.tar: pairs/.* has no reference\.exr"):
        list(ShardDataset(str(tmp_path / "part.tar"), layers=FEATURES, described=described(balls)))
