"""A store behind a real S3 protocol server: whole objects or none, patience, proof, and plain words."""

from __future__ import annotations

import hashlib

import pytest

from farm.dataset import (
    EngineBuild,
)
from farm.dataset.place import StorePath, open_place
from farm.dataset.store import PATIENCE, Store
from farm.errors import DatasetError, StorageError, StoreAccessError
from tests.s3 import Fault, FaultyS3

DATA = bytes(range(256)) * 300


@pytest.fixture
def store(s3: FaultyS3, request: pytest.FixtureRequest) -> Store:
    """A store of this test's own."""
    return Store(s3.url(hashlib.sha256(request.node.name.encode()).hexdigest()[:12]))


@pytest.fixture(scope="session")
def build() -> EngineBuild:
    return EngineBuild(blender="5.2.3", build_hash="0123456789ab", device="cpu", digidouble="0" * 16)


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
    monkeypatch.setenv(PATIENCE, "1")
    s3.faults[:] = [Fault("busy", part="image.exr", times=99)]
    with pytest.raises(StorageError, match=rf"{store.url}/image.exr: the store failed for .* reduce your request rate"):
        store.put("image.exr", DATA)
    assert s3.faults[0].hits > 2
    assert not isinstance(pytest.raises(StorageError, store.put, "image.exr", DATA).value, StoreAccessError)
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
