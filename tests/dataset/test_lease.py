"""One run at a time writes into a dataset, wherever it lies."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.dataset import Dataset, check_dataset, clean_uncommitted
from farm.dataset.lease import exclusive
from farm.dataset.place import Place, StorePath, open_place
from farm.dataset.store import Store
from farm.errors import DatasetError, StorageError
from tests.s3 import FaultyS3

FAST = 0.6
SLOW = 600.0

HOLD = """
import sys
from farm.dataset.lease import exclusive
from farm.dataset.place import open_place

with exclusive(open_place(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["folder", "folder without locks", "s3", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place of each kind that datasets lie in."""
    if request.param == "s3":
        return open_place(request.getfixturevalue("s3").url(f"lease-{tmp_path.name}"))
    if request.param == "memory":
        pytest.importorskip("fsspec")
        return open_place(f"memory://lease/{tmp_path.name}")
    if request.param == "folder without locks":
        monkeypatch.setattr("fcntl.flock", _without_locks)
    return tmp_path


def _without_locks(folder: int, how: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def leases(root: Place) -> list[str]:
    return [place.name for place in root.iterdir() if place.name.endswith(".lease")]


def test_a_second_writer_is_refused_and_told_where(root: Place) -> None:
    with exclusive(root, lease=FAST) as check:
        with pytest.raises(DatasetError, match=f"another run.* is writing into {root}; wait for it"), exclusive(root):
            pytest.fail("two hold it")
        check()
    with exclusive(root, lease=FAST) as check:
        check()
    assert leases(root) == []


def test_a_holder_elsewhere_that_shows_life_keeps_it(root: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with exclusive(root, lease=FAST):
        monkeypatch.setattr("farm.dataset.lease._process", lambda: None)
        with pytest.raises(DatasetError, match=f"another run.* is writing into {root}; wait for it"), exclusive(root):
            pytest.fail("two hold it")


def test_a_silent_holder_is_relieved(root: Place) -> None:
    if isinstance(root, Path) and not leases(root):
        (root / "writer-0007.lease").write_text(json.dumps({"host": "elsewhere", "process": ["x", "y", "1", "2"]}))
    elif isinstance(root, StorePath):
        root.store.put(f"{root.key}writer-0007.lease", b"{}")
    with exclusive(root, lease=FAST) as check:
        check()
        assert leases(root) in (["writer-0008.lease"], ["writer-0007.lease"])


def test_who_was_relieved_learns_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", _without_locks)
    with exclusive(tmp_path, lease=0.2) as check:
        check()
        (tmp_path / "writer-0002.lease").write_text("{}")
        for _ in range(200):
            threading.Event().wait(0.05)
            try:
                check()
            except StorageError as error:
                assert "another run took" in str(error)
                break
        else:
            pytest.fail("it was never told")
    assert leases(tmp_path) == ["writer-0002.lease"]


def test_of_many_who_relieve_one_gets_it(s3: FaultyS3, tmp_path: Path) -> None:
    store = Store(s3.url(f"race-{tmp_path.name}"))
    store.put("writer-0001.lease", b"{}")
    won: list[int] = []
    lost: list[DatasetError] = []
    done = threading.Barrier(6)

    def rival(number: int) -> None:
        try:
            with exclusive(StorePath(store), lease=FAST):
                won.append(number)
                done.wait(60)
        except DatasetError as error:
            lost.append(error)
            done.wait(60)

    rivals = [threading.Thread(target=rival, args=(number,)) for number in range(6)]
    for each in rivals:
        each.start()
    for each in rivals:
        each.join()
    assert (len(won), len(lost)) == (1, 5)
    assert store.children() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by Linux's /proc")
def test_a_holder_that_was_killed_here_is_relieved_at_once(s3: FaultyS3, tmp_path: Path) -> None:
    root = open_place(s3.url(f"killed-{tmp_path.name}"))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(DatasetError, match="another run"), exclusive(root, lease=FAST):
        pytest.fail("two hold it")
    holder.kill()
    holder.communicate()
    with exclusive(root, lease=SLOW) as check:
        check()
        assert leases(root) == ["writer-0002.lease"]


def test_a_lease_has_its_place_in_a_dataset(copied: Callable[[], Dataset]) -> None:
    dataset = copied()
    assert isinstance(dataset.root, Path)
    lease = dataset.root / "writer-0003.lease"
    lease.write_text("{}")
    assert check_dataset(dataset.root).ok
    assert clean_uncommitted(dataset) == []
    assert lease.is_file()
    (dataset.root / "pairs" / lease.name).write_text("{}")
    assert [defect.file for defect in check_dataset(dataset.root).defects] == [f"pairs/{lease.name}"]
