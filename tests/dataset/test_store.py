"""A store behind a real S3 protocol server: whole objects or none, patience, proof, and plain words."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from farm.dataset import (
    Dataset,
    EngineBuild,
    Record,
    build_index,
    check_dataset,
    clean_uncommitted,
    commit_record,
    create_dataset,
    open_dataset,
    read_image,
    write_report,
)
from farm.dataset.export import export_dataset
from farm.dataset.files import replacing
from farm.dataset.place import StorePath, open_place
from farm.dataset.report import state_license
from farm.dataset.store import PATIENCE, Store
from farm.errors import BadInput, DatasetError, RenderError, StorageError, StoreAccessError
from farm.recipe import Recipe
from tests.s3 import Fault, FaultyS3

DATA = bytes(range(256)) * 300


@pytest.fixture
def store(s3: FaultyS3, request: pytest.FixtureRequest) -> Store:
    """A store of this test's own."""
    return Store(s3.url(hashlib.sha256(request.node.name.encode()).hexdigest()[:12]))


def prefix(store: Store) -> str:
    return store.url.rpartition("/")[2] + "/"


def test_what_is_put_is_there_whole(store: Store, s3: FaultyS3) -> None:
    store.put("pairs/a/f0001/reference.exr", DATA)
    store.put("pairs/b/f0001/reference.exr", b"")
    store.put("dataset.json", b"first")
    store.put("dataset.json", b"second")
    assert s3.objects(prefix(store)) == {
        prefix(store) + "dataset.json": b"second",
        prefix(store) + "pairs/a/f0001/reference.exr": DATA,
        prefix(store) + "pairs/b/f0001/reference.exr": b"",
    }
    assert store.read("pairs/a/f0001/reference.exr") == DATA
    assert store.read("pairs/a/f0001/reference.exr", 1000, 1010) == DATA[1000:1010]
    assert store.read_all(["dataset.json", "nothing"]) == {"dataset.json": b"second"}
    assert store.size("dataset.json") == 6
    assert store.size("pairs/a") is None
    assert store.size("nothing") is None
    assert store.children() == {"dataset.json": 6, "pairs": None}
    assert store.children("pairs/a/f0001") == {"reference.exr": len(DATA)}
    assert store.children("nothing") == {}
    assert store.sizes("pairs", "b") == {"pairs/b/f0001/reference.exr": 0}
    store.delete("dataset.json")
    store.delete("dataset.json")
    assert store.size("dataset.json") is None


def test_a_place_in_a_store_is_spoken_of_like_a_path(store: Store) -> None:
    root = open_place(f"{store.url}/hair/")
    assert isinstance(root, StorePath)
    file = root / "pairs" / "a/f0001" / "record.json"
    assert (str(file), file.name) == (f"{store.url}/hair/pairs/a/f0001/record.json", "record.json")
    assert file.parent.parent.parent.parent == root
    assert not root.is_dir()
    file.store.put(file.key, b"{}")
    assert file.is_file()
    assert not file.is_dir()
    assert root.is_dir()
    assert [str(place) for place in root.iterdir()] == [f"{store.url}/hair/pairs"]
    assert open_place("out/hair") == open_place(open_place("out/hair"))


@pytest.mark.parametrize("kind", ["busy", "error", "cut", "lost", "corrupt"])
def test_a_put_outlasts_what_goes_wrong(store: Store, s3: FaultyS3, kind: str) -> None:
    s3.faults[:] = [Fault(kind, part="image.exr", times=2)]
    store.put("image.exr", DATA)
    assert s3.faults[0].hits == 2
    assert s3.objects(prefix(store)) == {prefix(store) + "image.exr": DATA}


@pytest.mark.parametrize("kind", ["busy", "error", "cut", "corrupt"])
def test_a_read_outlasts_what_goes_wrong(store: Store, s3: FaultyS3, kind: str) -> None:
    store.put("image.exr", DATA)
    s3.faults[:] = [Fault(kind, method="GET", part="image.exr", times=2)]
    assert store.read("image.exr") == DATA
    assert s3.faults[0].hits == 2


def test_a_store_that_says_nothing_is_asked_again(store: Store, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    s3.faults[:] = [Fault("stall", part="image.exr", seconds=60)]
    store.put("image.exr", DATA)
    assert s3.faults[0].hits == 1
    assert store.read("image.exr") == DATA


def test_a_store_without_checksums_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"memory://plain/{tmp_path.name}")
    store.put("image.exr", DATA)
    assert store.read("image.exr") == DATA
    memory = fsspec.get_filesystem_class("memory")
    keep = memory.pipe_file

    def bends(self, path, value, **options):
        return keep(self, path, bytes([value[0] ^ 1]) + value[1:], **options)

    monkeypatch.setattr(memory, "pipe_file", bends)
    with pytest.raises(StorageError, match="image.exr: the store holds other bytes than were sent"):
        store.put("image.exr", DATA)


def test_what_never_arrives_whole_is_refused_and_named(store: Store, s3: FaultyS3) -> None:
    s3.faults[:] = [Fault("corrupt", part="image.exr", times=9)]
    with pytest.raises(
        StorageError, match=rf"{store.url}/image.exr: the store holds other bytes than were sent, 4 times"
    ):
        store.put("image.exr", DATA)


def test_a_damaged_object_is_named(store: Store, s3: FaultyS3) -> None:
    s3.faults[:] = [Fault("corrupt", method="GET", part="image.exr", times=99)]
    store.put("image.exr", DATA)
    with pytest.raises(DatasetError, match=rf"{store.url}/image.exr: its bytes are not those that the store took"):
        store.read("image.exr")


def test_patience_has_an_end(store: Store, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "0")
    s3.faults[:] = [Fault("busy", part="image.exr", times=99)]
    words = rf"{store.url}/image.exr: the store failed for .* reduce your request rate.*{PATIENCE}=SECONDS"
    with pytest.raises(StorageError, match=words) as caught:
        store.put("image.exr", DATA)
    assert s3.faults[0].hits >= 3
    assert not isinstance(caught.value, StoreAccessError)
    assert s3.objects(prefix(store)) == {}
    monkeypatch.setenv(PATIENCE, "soon")
    with pytest.raises(StorageError, match="PATIENCE is 'soon'; give seconds"):
        store.read("image.exr")


@pytest.mark.parametrize(
    ("kind", "words"), [("full", "the store is full"), ("denied", "refuses access.*AWS_ACCESS_KEY")]
)
def test_what_waiting_does_not_mend_ends_at_once(store: Store, s3: FaultyS3, kind: str, words: str) -> None:
    s3.faults[:] = [Fault(kind, part="image.exr", times=99)]
    with pytest.raises(StorageError, match=words) as caught:
        store.put("image.exr", DATA)
    assert s3.faults[0].hits == 1
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == (2 if kind == "denied" else 1)
    assert s3.objects(prefix(store)) == {}


def test_a_missing_bucket_and_an_unknown_store_are_named(s3: FaultyS3, recipe: Recipe, build: EngineBuild) -> None:
    for call in (open_dataset, check_dataset, functools.partial(create_dataset, recipe=recipe, engine=build)):
        with pytest.raises(StoreAccessError, match="there is no bucket 'elsewhere'; make it first") as caught:
            call("s3://elsewhere/hair")
        assert caught.value.exit_code == 2
        with pytest.raises(StoreAccessError, match="nope://x/hair.*Protocol not known: nope"):
            call("nope://x/hair")
    with pytest.raises(StoreAccessError, match="there is no bucket 'elsewhere'"):
        Store("s3://elsewhere/hair").put("image.exr", DATA)


def test_wrong_and_absent_keys_are_told_with_the_remedy(
    s3: FaultyS3, store: Store, recipe: Recipe, build: EngineBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"{store.url}.*the store refuses access.*AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    s3.ask_for_keys(after=0)
    try:
        with pytest.raises(StoreAccessError, match=words):
            create_dataset(store.url, recipe, engine=build)
    finally:
        s3.ask_for_keys(after=10**9)
    assert s3.objects(prefix(store)) == {}
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(StoreAccessError, match=words):
        open_dataset(store.url)


Render = Callable[..., Record]


def fill(root: str, recipe: Recipe, build: EngineBuild, render: Render) -> Dataset:
    """A finished dataset, as a run leaves it."""
    dataset = create_dataset(root, recipe, engine=build)
    for variant in recipe.draw():
        for frame in recipe.capture.frames.numbers:
            render(dataset, recipe, variant, frame)
    build_index(dataset)
    write_report(dataset)
    return dataset


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_dataset_in_a_faulty_store_is_the_local_one_byte_by_byte(
    s3: FaultyS3, store: Store, finished: Dataset, recipe: Recipe, build: EngineBuild, render: Render, tmp_path: Path
) -> None:
    s3.faults[:] = [
        Fault("busy", skip=3, times=5),
        Fault("lost", skip=9, times=2),
        Fault("cut", part="reference", skip=1, times=2),
        Fault("corrupt", part="noisy", skip=2, times=2),
        Fault("error", method="HEAD", skip=20, times=3),
        Fault("cut", method="GET", skip=4, times=3),
    ]
    dataset = fill(store.url, recipe, build, render)
    hits = [fault.hits for fault in s3.faults]
    assert all(hits), hits
    there = {key.removeprefix(prefix(store)): data for key, data in s3.objects(prefix(store)).items()}
    assert there == files(finished.root)
    s3.faults[:] = [Fault("busy", method="GET", skip=5, times=4), Fault("corrupt", method="GET", part=".exr", times=2)]
    report = check_dataset(store.url)
    assert report.ok, report.defects
    assert (report.pairs, report.images) == (6, 30)
    assert dataset.committed().keys() == finished.committed().keys()
    assert clean_uncommitted(dataset) == []
    for kind in ("gbuffer", "webdataset"):
        for root, to in ((store.url, "stored"), (finished.root, "local")):
            export_dataset(root, tmp_path / kind / to, kind)
        assert files(tmp_path / kind / "stored") == files(tmp_path / kind / "local")
    with pytest.raises(BadInput, match="s3://studio/export: an export is written into a local folder"):
        export_dataset(finished.root, "s3://studio/export", "oidn")
    assert str(state_license(dataset, "CC-BY-4.0")) == f"{store.url}/README.md"
    assert open_dataset(store.url).info.license == "CC-BY-4.0"


def test_check_finds_what_is_wrong_in_a_store(
    s3: FaultyS3, store: Store, recipe: Recipe, build: EngineBuild, render: Render
) -> None:
    dataset = fill(store.url, recipe, build, render)
    short = [str(place).removeprefix(f"{store.url}/").rpartition("/")[0] for place in dataset.committed().values()]
    keys = [prefix(store) + key for key in short]
    client = s3.client()
    client.delete_object(Bucket=s3.bucket, Key=f"{keys[0]}/reference.exr")
    data = s3.objects(f"{keys[1]}/reference.exr")[f"{keys[1]}/reference.exr"]
    client.put_object(Bucket=s3.bucket, Key=f"{keys[1]}/reference.exr", Body=data[:-100] + bytes(100))
    client.put_object(Bucket=s3.bucket, Key=f"{keys[2]}/thesis.tex", Body=b"mine")
    client.delete_object(Bucket=s3.bucket, Key=f"{keys[3]}/record.json")
    defects = {defect.file: defect.problem for defect in check_dataset(store.url).defects}
    assert defects[f"{short[0]}/reference.exr"] == "is missing"
    assert "not the recorded ones" in defects[f"{short[1]}/reference.exr"]
    assert defects[f"{short[2]}/thesis.tex"] == "is not in the pair's record"
    assert "never committed" in defects[f"{short[3]}/record.json"]
    assert len(dataset.committed()) == 4
    removed = {str(path) for path in clean_uncommitted(dataset)}
    assert len(removed) == 5 + 5
    assert all(path.startswith((f"{store.url}/{short[0]}/", f"{store.url}/{short[3]}/")) for path in removed)


def test_a_pair_that_a_full_store_stops_is_not_committed(
    s3: FaultyS3, store: Store, recipe: Recipe, build: EngineBuild, render: Render
) -> None:
    dataset = create_dataset(store.url, recipe, engine=build)
    variant = recipe.draw()[0]
    render(dataset, recipe, variant, 1)
    for name in ("reference", "record"):
        s3.faults[:] = [Fault("full", part=f"f0002/{name}", times=99)]
        with pytest.raises(StorageError, match=f"f0002/{name}.*: the store is full"):
            render(dataset, recipe, variant, 2)
        assert len(dataset.committed()) == 1
    s3.faults.clear()
    assert len(clean_uncommitted(dataset)) == 5
    record = render(dataset, recipe, variant, 2)
    assert len(dataset.committed()) == 2
    pair = dataset.pair(variant.id, 2)
    store.delete(f"{pair.key}/record.json")
    store.delete(f"{pair.key}/reference.exr")
    with pytest.raises(RenderError, match=f"{pair.key}/reference.exr is missing: the pair is not committed"):
        commit_record(dataset, record)
    assert store.size(f"{pair.key}/record.json") is None


def test_a_write_that_fails_leaves_what_was_there(store: Store) -> None:
    place = StorePath(store, "image.exr")
    store.put("image.exr", b"before")
    with pytest.raises(RuntimeError, match="stopped"), replacing(place) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("stopped")
    assert store.read("image.exr") == b"before"
    with pytest.raises(DatasetError, match=f"{place}: not a readable EXR"):
        read_image(place)


def test_what_is_there_is_not_made_again(store: Store) -> None:
    assert store.create("writer-0001.lease", b"first")
    assert not store.create("writer-0001.lease", b"second")
    assert store.read("writer-0001.lease") == b"first"
