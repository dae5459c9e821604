"""A worker's process on a full disk: what fails for that is the disk's fault, never the scene's."""

import errno
import subprocess
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

from farm.cluster.host import Host
from farm.errors import StorageError

BOARD = SimpleNamespace(advanced=SimpleNamespace(remote=lambda worker: None))


class Failing:
    """A renderer whose tasks fail as `fails` does."""

    seconds = {}  # noqa: RUF012

    def __init__(self, fails):
        self.fails = fails

    def engine(self):
        return "an engine"

    def render(self, task, root):
        self.fails()


@pytest.fixture
def disk(tmp_path):
    """A disk of a quarter of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may mount no disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=False)


def host(fails, scratch):
    made = Host("w1", lambda folder, advanced: Failing(fails), BOARD, scratch)
    made.open()
    return made


def render(made):
    made.render(SimpleNamespace(key="task"), "nowhere")


def test_a_full_disk_under_the_renderer_is_named(tmp_path):
    def fails():
        raise OSError(errno.ENOSPC, "No space left on device", "/data/image.exr")

    with pytest.raises(StorageError, match="no space left on .*, in /data/image.exr"):
        render(host(fails, tmp_path))


def test_other_errors_of_the_system_are_the_scenes(tmp_path):
    def fails():
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        render(host(fails, tmp_path))


def test_a_full_disk_under_the_log_hides_no_reason(disk):
    """What the renderer says of the disk reaches the driver though the log, on that disk, has no room for it."""

    def fails():
        with pytest.raises(OSError, match="No space left"), (disk / "ballast").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        print("words that have no room", flush=False)  # noqa: T201
        raise StorageError("no space left for renders")

    with pytest.raises(StorageError, match="no space left for renders"):
        render(host(fails, disk))
