"""Exports of a dataset of clips, read back by readers that are not ours: tarfile, webdataset, OpenEXR, own grammars."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import webdataset
from click.testing import CliRunner

from farm.cli import LAYOUTS, cli
from farm.dataset import Dataset, build_index, read_image, read_index, write_image
from farm.dataset.export import KINDS, export_dataset
from farm.dataset.export import webdataset as shards
from farm.dataset.export.source import open_source
from farm.dataset.files import sha256_of
from farm.dataset.info import read_info, seal
from farm.errors import BadInput, DatasetError, StorageError
from farm.recipe import Recipe

Copied = Callable[[], Dataset]

GRAMMAR = re.compile(r".+_([0-9]+(spp)?|ref|reference|gt|target)\.(hdr|ldr|sh1[xyz]|alb|nrm)\.exr")
"""File names as Open Image Denoise's training guide documents them."""

SETTLED = ("oidn", "webdataset", "gbuffer")
"""What can be made of the balls: no cameras share a scene there, and no samples are stored."""


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its place."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pixels(path: Path) -> np.ndarray:
    """The first three channels of an EXR by the library alone, as the toolkit reads them."""
    with OpenEXR.File(str(path)) as image:
        (name,) = image.channels()
        return np.asarray(image.channels()[name].pixels)


def groups(folder: Path) -> dict[str, list[str]]:
    """Image names of each group, sorted as strings, the last of which the toolkit takes for the target."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in folder.rglob("*.exr"):
        assert GRAMMAR.fullmatch(path.name), path
        image = path.relative_to(folder).as_posix().rsplit(".", 2)[0]
        found[image.rsplit("_", 1)[0]].add(image)
    return {group: sorted(images) for group, images in found.items()}


@pytest.fixture(scope="module")
def exported(finished: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each layout that the balls can be put into; not to be changed."""
    there = {}
    for kind in SETTLED:
        there[kind] = tmp_path_factory.mktemp("exports") / kind
        export_dataset(finished.root, there[kind], kind)
    return there


def test_the_command_line_offers_every_layout() -> None:
    assert tuple(KINDS) == LAYOUTS


# Open Image Denoise


def test_oidn_groups_are_pairs_with_the_reference_last(finished: Dataset, exported: dict[str, Path]) -> None:
    rows = read_index(finished.root)
    for split in ("train", "valid"):
        found = groups(exported["oidn"] / split)
        assert set(found) == {f"{row['variant']}_f{row['frame']:04d}" for row in rows if row["split"] == split}
        for group, images in found.items():
            assert images == [f"{group}_{number}" for number in ("000100", "000101", "000400", "000401", "ref")]


def test_oidn_files_hold_one_feature_as_rgb(finished: Dataset, exported: dict[str, Path]) -> None:
    for row in read_index(finished.root):
        for name, suffix in (("noisy_0004spp_r01.exr", "000401"), ("reference.exr", "ref")):
            image = read_image(finished.root / row["pair"] / name)
            stem = f"{exported['oidn']}/{row['split']}/{row['variant']}_f{row['frame']:04d}_{suffix}"
            for feature, prefix, axes in (("hdr", "", "RGB"), ("alb", "albedo.", "RGB"), ("nrm", "normal.", "XYZ")):
                wanted = np.stack([image[prefix + axis] for axis in axes], axis=-1)
                file = Path(f"{stem}.{feature}.exr")
                assert set(read_image(file)) == {"R", "G", "B"}
                assert np.array_equal(pixels(file), np.clip(wanted, 0, 1) if feature == "alb" else wanted)


def test_oidn_numbers_sort_as_the_samples_do(copied: Copied, recipe: Recipe, tmp_path: Path) -> None:
    source = open_source(copied().root)
    rows = [{**row, "files": [{**file, "spp": file["spp"] * 4096, "replica": 0} for file in row["files"][:2]]
             + row["files"][-1:]} for row in source.rows]  # fmt: skip
    plan = KINDS["oidn"](replace(source, rows=tuple(rows)))
    names = sorted({output.rsplit("_", 1)[1] for item in plan.items for output in item.outputs})
    assert names[0] == "4096spp.alb.exr"
    assert names[-1] == "ref.nrm.exr"


def test_oidn_says_what_the_toolkit_must_count(finished: Dataset, tmp_path: Path) -> None:
    notes = export_dataset(finished.root, tmp_path / "to", "oidn").notes
    assert notes == (
        "the toolkit must count: train 16 images, valid 8 images",
        "give train.py `--ts` of at most 32: images are no larger",
    )


# WebDataset


def test_webdataset_reads_every_pair_as_it_is(finished: Dataset, exported: dict[str, Path]) -> None:
    rows = {f"{row['variant']}_f{row['frame']:04d}": row for row in read_index(finished.root)}
    seen = set()
    for split in ("train", "valid"):
        for sample in webdataset.WebDataset(str(exported["webdataset"] / f"{split}-000000.tar"), shardshuffle=False):
            row = rows[sample["__key__"]]
            seen.add(sample["__key__"])
            assert row["split"] == split
            fields = {name: data for name, data in sample.items() if not name.startswith("__")}
            assert set(fields) == {"record.json", *(file["name"] for file in row["files"])}
            for name, data in fields.items():
                assert data == (finished.root / row["pair"] / name).read_bytes()
    assert seen == set(rows)


def test_shards_are_cut_at_their_length_and_listed(finished: Dataset, tmp_path: Path) -> None:
    whole = shards.plan(open_source(finished.root), shard_bytes=70_000)
    for item in whole.items:
        item.make(tmp_path)
    listed = json.loads((tmp_path / "train.json").read_text())["shardlist"]
    assert len(listed) > 1
    assert sum(shard["nsamples"] for shard in listed) == 4
    for shard in listed:
        file = tmp_path / shard["url"]
        assert file.stat().st_size == shard["filesize"]
        with tarfile.open(file) as tar:
            keys = {member.name.partition(".")[0] for member in tar}
            assert {(member.mtime, member.uid, member.gid, member.uname) for member in tar} == {(0, 0, 0, "")}
        assert len(keys) == shard["nsamples"]
        assert len(keys) == 1 or file.stat().st_size <= 70_000 + tarfile.RECORDSIZE


def test_a_clips_frames_stay_together(finished: Dataset, exported: dict[str, Path]) -> None:
    with tarfile.open(exported["webdataset"] / "train-000000.tar") as tar:
        keys = list(dict.fromkeys(member.name.partition(".")[0] for member in tar))
    variants = [key.partition("_")[0] for key in keys]
    assert [key.partition("_")[2] for key in keys] == ["f0001", "f0002"] * 2
    assert variants[0] == variants[1] != variants[2] == variants[3]


def test_changed_bytes_never_go_into_a_shard(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    image = next(dataset.root.glob("pairs/*/*/reference.exr"))
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    with pytest.raises(DatasetError, match=r"reference\.exr: its bytes are not those"):
        export_dataset(dataset.root, tmp_path / "to", "webdataset")
    written = {path.name for path in (tmp_path / "to").iterdir()}
    assert not json.loads((tmp_path / "to/export.json").read_text())["complete"]
    assert not [name for name in written if name.endswith(".partial")]


# G-buffers


def test_gbuffers_are_named_and_turned_as_rgbx_reads_them(finished: Dataset, exported: dict[str, Path]) -> None:
    for row in read_index(finished.root):
        reference = finished.root / row["pair"] / "reference.exr"
        stem = f"{exported['gbuffer']}/{row['split']}/{row['variant']}_f{row['frame']:04d}"
        image = read_image(reference)
        assert Path(f"{stem}-ref.exr").samefile(reference)
        normal = pixels(Path(f"{stem}-normal.exr"))
        # the balls' camera looks along +Y: what faces it (−Y) must face +Z in its own space, and Z up must be +Y
        assert np.allclose(normal[..., 0], image["normal.X"], atol=1e-6)
        assert np.allclose(normal[..., 1], image["normal.Z"], atol=1e-6)
        assert np.allclose(normal[..., 2], -image["normal.Y"], atol=1e-6)
        assert np.array_equal(pixels(Path(f"{stem}-depth.exr"))[..., 1], image["depth.Z"])
        assert np.array_equal(pixels(Path(f"{stem}-albedo.exr"))[..., 0], image["albedo.R"])


# What holds for all


@pytest.mark.parametrize("kind", SETTLED)
def test_equal_datasets_make_equal_exports(
    finished: Dataset, exported: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    export_dataset(finished.root, tmp_path / "again", kind, writers=2)
    assert tree(tmp_path / "again") == tree(exported[kind])
    assert json.loads((tmp_path / "again/export.json").read_text())["complete"]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("kind", SETTLED)
def test_a_stopped_export_goes_on(finished: Dataset, exported: dict[str, Path], tmp_path: Path, kind: str) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        export_dataset(finished.root, tmp_path, kind, progress=stop)
    (tmp_path / ".half.exr.host-1.partial").write_bytes(b"half")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.suffix in (".exr", ".tar")}
    told: list[tuple[int, int]] = []
    summary = export_dataset(finished.root, tmp_path, kind, progress=lambda done, total: told.append((done, total)))
    assert summary.present == 2
    assert told[0][0] == 3
    assert told[-1] == (told[-1][1],) * 2
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    assert tree(tmp_path) == tree(exported[kind])


def test_a_finished_export_is_left_alone(finished: Dataset, exported: dict[str, Path]) -> None:
    summary = export_dataset(finished.root, exported["gbuffer"], "gbuffer")
    assert (summary.written, summary.present) == (0, 12)


def test_foreign_folders_are_refused(finished: Dataset, exported: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"is not empty and holds no export \('mine.txt'\)"):
        export_dataset(finished.root, tmp_path, "oidn")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(BadInput, match="holds an export as gbuffer"):
        export_dataset(finished.root, exported["gbuffer"], "oidn")
    with pytest.raises(BadInput, match="is in the dataset itself"):
        export_dataset(finished.root, finished.root / "oidn", "oidn")
    with pytest.raises(StorageError, match=r"cannot write .*mine\.txt"):
        export_dataset(finished.root, tmp_path / "mine.txt", "oidn")


def test_another_state_of_the_dataset_is_another_export(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    export_dataset(dataset.root, tmp_path / "to", "gbuffer")
    next(iter(dataset.committed().values())).unlink()
    build_index(dataset)
    with pytest.raises(BadInput, match="an export of another dataset or state"):
        export_dataset(dataset.root, tmp_path / "to", "gbuffer")


# What an export is refused for


def recommit(dataset: Dataset, image: Path, channels: dict[str, np.ndarray]) -> None:
    """An image changed so that records and index agree with it."""
    stamp = write_image(image, channels, {})
    record = json.loads((image.parent / "record.json").read_text())
    record["files"][image.name] |= {"sha256": stamp.sha256, "bytes": stamp.bytes}
    (image.parent / "record.json").write_text(json.dumps(record))
    build_index(dataset)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda image: image["albedo.R"].__setitem__((3, 4), np.nan), r"reference\.exr: channel albedo\.R is NaN"),
        (lambda image: image["normal.Z"].__setitem__((0, 0), np.inf), r"channel normal\.Z is infinite"),
        (lambda image: image.pop("normal.X"), r"reference\.exr: has no channel normal\.X of the layer 'normal'"),
    ],
    ids=["nan", "infinite", "missing"],
)
@pytest.mark.parametrize("kind", ["oidn", "gbuffer"])
def test_spoilt_pixels_are_named(
    copied: Copied, tmp_path: Path, kind: str, spoil: Callable[[dict[str, np.ndarray]], Any], says: str
) -> None:
    dataset = copied()
    image = next(dataset.root.glob("pairs/*/*/reference.exr"))
    channels = {name: values.copy() for name, values in read_image(image).items()}
    spoil(channels)
    recommit(dataset, image, channels)
    with pytest.raises(DatasetError, match=says):
        export_dataset(dataset.root, tmp_path / "to", kind)


def test_a_missing_layer_is_named(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    info = read_info(dataset.root)
    seal(dataset.root, info.model_copy(update={"layers": tuple(x for x in info.layers if x.name != "albedo")}))
    for kind in ("oidn", "gbuffer"):
        with pytest.raises(
            DatasetError, match=rf"no layer 'albedo', which {kind} needs; its images hold beauty, alpha"
        ):
            export_dataset(dataset.root, tmp_path / kind, kind)


def test_a_dataset_without_samples_makes_no_noisebase(finished: Dataset, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match="noisebase needs the colour, .* of every single sample, .* this dataset holds averages",
    ):
        export_dataset(finished.root, tmp_path / "to", "noisebase")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("kind", ["nerf", "colmap"])
def test_a_dataset_without_captures_says_how_to_make_one(finished: Dataset, tmp_path: Path, kind: str) -> None:
    with pytest.raises(
        DatasetError, match=rf"no scene is seen by 3 cameras or more, which {kind} needs; write a recipe"
    ):
        export_dataset(finished.root, tmp_path / "to", kind)


def test_mixed_resolutions_are_refused(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    file = next(dataset.root.glob("pairs/*/*/record.json"))
    record = json.loads(file.read_text())
    record["view"]["resolution"] = [96, 64]
    file.write_text(json.dumps(record))
    build_index(dataset)
    with pytest.raises(DatasetError, match="images of several resolutions: .* is 96×64"):
        export_dataset(dataset.root, tmp_path / "to", "oidn")


def test_an_empty_split_is_refused(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    for row in read_index(dataset.root):
        if row["split"] == "valid":
            (dataset.root / row["pair"] / "record.json").unlink()
    build_index(dataset)
    with pytest.raises(DatasetError, match="the split 'valid' is empty, though the recipe gives it a share"):
        export_dataset(dataset.root, tmp_path / "to", "webdataset")


def test_a_dataset_of_another_version_is_refused(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    data = json.loads((dataset.root / "dataset.json").read_text())
    (dataset.root / "dataset.json").write_text(json.dumps({**data, "format": "digidouble-dataset/9"}))
    with pytest.raises(DatasetError, match="'digidouble-dataset/9' is newer"):
        export_dataset(dataset.root, tmp_path / "to", "oidn")


def test_an_index_of_another_state_and_a_lost_image_are_refused(copied: Copied, tmp_path: Path) -> None:
    dataset = copied()
    image = next(dataset.root.glob("pairs/*/*/reference.exr"))
    image.rename(tmp_path / "elsewhere.exr")
    with pytest.raises(DatasetError, match=r"reference\.exr is missing or of another length"):
        export_dataset(dataset.root, tmp_path / "to", "oidn")
    info = read_info(dataset.root)
    seal(dataset.root, info.model_copy(update={"files": {**info.files, "index.parquet": "0" * 64}}))
    with pytest.raises(DatasetError, match="is not the one that dataset.json lists"):
        export_dataset(dataset.root, tmp_path / "to", "oidn")
    assert sha256_of(dataset.root / "index.parquet")


def test_a_leak_is_not_exported(copied: Copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = copied()
    monkeypatch.setattr("farm.dataset.leaks._traits", lambda row: [("groom", row["hair.style"])])
    with pytest.raises(DatasetError, match="splits leak: the groom"):
        export_dataset(dataset.root, tmp_path / "to", "oidn")


def test_the_command_says_what_it_wrote(finished: Dataset, tmp_path: Path) -> None:
    run = CliRunner()
    words = ["export", str(finished.root), "--as", "oidn", "--to", str(tmp_path / "to")]
    first = run.invoke(cli, words, standalone_mode=False)
    assert first.return_value == 0
    assert (
        f"{tmp_path / 'to'}: 30 pieces written, 0 were there\nthe toolkit must count: train 16 images" in first.stdout
    )
    assert "0 pieces written, 30 were there" in run.invoke(cli, words, standalone_mode=False).stdout


def test_the_index_and_the_licence_have_commands(copied: Copied) -> None:
    root = str(copied().root)
    Path(root, "index.parquet").unlink()
    assert CliRunner().invoke(cli, ["index", root], standalone_mode=False).return_value == 0
    assert len(read_index(Path(root))) == 6
    assert CliRunner().invoke(cli, ["card", root, "--license", "CC0-1.0"], standalone_mode=False).return_value == 0
    assert read_info(Path(root)).license == "CC0-1.0"
