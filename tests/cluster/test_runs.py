"""Runs of the real farm: Ray, bpy workers, EXR, and what becomes of them when something goes wrong."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest


def test_a_run_makes_a_dataset_that_passes_its_check(farm, undisturbed, hashes):
    assert len(hashes(undisturbed)) == 2 * 3
    assert sorted(path.name for path in undisturbed.iterdir()) == [
        "README.md",
        "contact_sheet.png",
        "dataset.json",
        "index.parquet",
        "pairs",
        "recipe.yaml",
        "report.html",
        "status.html",
        "status.json",
    ]
    code, out, err = farm.run("check", undisturbed)
    assert (code, err) == (0, ""), (out, err)
    assert "no defects" in out


def test_running_again_renders_nothing(farm, undisturbed, hashes):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*.exr")}
    code, out, _ = farm.run("render", farm.smoke, "--out", undisturbed)
    assert code == 0
    assert "2 of 2 pairs" in out
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*.exr")} == before


def descendants(process):
    """Process ids of everything under a process: Ray's own processes and the workers, with their command lines."""
    table = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in table.splitlines()[1:]]
    family = {process}
    for _ in range(8):
        family |= {int(pid) for pid, parent, _ in rows if int(parent) in family}
    return {int(pid): words for pid, _, words in rows if int(pid) in family - {process}}


def alive(pids):
    """Those of some processes that still run."""
    table = subprocess.run(["ps", "-eo", "pid,stat"], capture_output=True, text=True, check=True).stdout
    running = {int(pid) for pid, state in (line.split() for line in table.splitlines()[1:]) if state[0] != "Z"}
    return set(pids) & running


def test_a_killed_run_resumes_to_the_same_bytes(farm, undisturbed, hashes, tmp_path):
    dataset = tmp_path / "dataset"
    process = farm.start("render", farm.smoke, "--out", dataset, "--workers", "1")
    farm.wait_for_pairs(dataset, 1, process)
    family = {pid for pid, words in descendants(process.pid).items() if words.startswith("ray::Host")}
    assert family
    farm.kill(process)
    done = hashes(dataset)
    assert len(done) == 3
    first = {path: path.stat().st_mtime_ns for path in dataset.rglob("*.exr") if str(path.relative_to(dataset)) in done}
    deadline = time.monotonic() + 60
    while alive(family):
        assert time.monotonic() < deadline, f"workers outlive their driver: {alive(family)}"
        time.sleep(0.2)
    code, out, err = farm.run("render", farm.smoke, "--out", dataset)
    assert code == 0, (out, err)
    assert "1 of 2 pairs are there already" in out
    assert hashes(dataset) == hashes(undisturbed)
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert farm.run("check", dataset)[0] == 0


def test_an_interrupt_stops_cleanly_and_loses_nothing(farm, undisturbed, hashes, tmp_path):
    dataset = tmp_path / "dataset"
    process = farm.start("render", farm.smoke, "--out", dataset, "--workers", "1")
    farm.wait_for_pairs(dataset, 1, process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run the same command again" in out
    assert "Traceback" not in out + err
    assert not [path for path in dataset.rglob("*") if path.name.endswith(".partial")]
    assert len(hashes(dataset)) == len(list(dataset.rglob("*.exr"))) == 3
    assert json.loads((dataset / "dataset.json").read_text())
    code, *_ = farm.run("render", farm.smoke, "--out", dataset)
    assert code == 0
    assert hashes(dataset) == hashes(undisturbed)


@pytest.mark.skipif(sys.platform != "linux", reason="finds workers with Linux's ps")
def test_a_worker_that_dies_is_replaced_and_its_pair_rendered(farm, undisturbed, hashes, tmp_path):
    dataset = tmp_path / "dataset"
    process = farm.start("render", farm.smoke, "--out", dataset, "--workers", "1")
    farm.wait_for_pairs(dataset, 1, process)
    (worker,) = [pid for pid, words in descendants(process.pid).items() if words.startswith("ray::Host")]
    os.kill(worker, signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, (out, err)
    assert hashes(dataset) == hashes(undisturbed)


def test_another_seed_gives_other_pixels(farm, undisturbed, hashes, tmp_path):
    recipe = tmp_path / "other.yaml"
    text = farm.smoke.read_text()
    seed = next(line for line in text.splitlines() if line.startswith("seed:"))
    recipe.write_text(text.replace(seed, "seed: 987654"))
    code, out, err = farm.run("render", recipe, "--out", tmp_path / "dataset")
    assert code == 0, (out, err)
    assert not set(hashes(tmp_path / "dataset").values()) & set(hashes(undisturbed).values())


@pytest.fixture
def broken(undisturbed, tmp_path):
    return shutil.copytree(undisturbed, tmp_path / "copy")


def test_two_runs_do_not_write_into_one_dataset(farm, broken):
    delete_a_file(broken)
    folder = os.open(broken, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        code, _, err = farm.run("render", farm.smoke, "--out", broken)
    finally:
        os.close(folder)
    assert code == 2
    assert "another run is writing" in err


def flip_a_byte(dataset):
    image = sorted(dataset.rglob("noisy*.exr"))[0]
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(data)
    return image


def delete_a_file(dataset):
    image = sorted(dataset.rglob("reference.exr"))[1]
    image.unlink()
    return image


def truncate_the_index(dataset):
    index = dataset / "index.parquet"
    index.write_bytes(index.read_bytes()[:-100])
    return index


@pytest.mark.parametrize("damage", [flip_a_byte, delete_a_file, truncate_the_index])
def test_check_names_the_damaged_file(farm, broken, damage):
    file = damage(broken)
    code, out, err = farm.run("check", broken)
    assert code == 1
    assert str(file.relative_to(broken)) in out
    assert "Traceback" not in out + err


def test_two_workers_and_cores_that_are_lent_give_the_same_bytes(farm, undisturbed, hashes, tmp_path):
    """One worker has all cores; two share them, and the one that ends last takes them all."""
    dataset = tmp_path / "dataset"
    code, out, err = farm.run("render", farm.smoke, "--out", dataset, "--workers", "2")
    assert code == 0, (out, err)
    assert hashes(dataset) == hashes(undisturbed)
