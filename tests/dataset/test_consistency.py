"""Passes that contradict each other are named; those that agree are not."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from farm.dataset import CameraRecord, check_dataset
from farm.dataset.consistency import LIGHT_SPLITS, inspect_motion, inspect_passes

SIZE = (40, 60)
FOCAL = 80.0
Pixels = dict[str, np.ndarray]


def camera(azimuth: float, distance: float = 4.0) -> CameraRecord:
    """A camera that looks at the origin, level, from `azimuth` degrees around it."""
    turn = math.radians(azimuth)
    right, up, back = (math.cos(turn), math.sin(turn), 0), (0, 0, 1), (math.sin(turn), -math.cos(turn), 0)
    place = [distance * axis for axis in back]
    rows = tuple((right[i], up[i], back[i], place[i]) for i in range(3))
    return CameraRecord(
        matrix_world=(*rows, (0, 0, 0, 1)), fl_x=FOCAL, fl_y=FOCAL, cx=30, cy=20,
        focal_length=48, sensor_width=36, sensor_height=24,
    )  # fmt: skip


def shoot(lens: CameraRecord, radius: float = 1.0) -> Pixels:
    """Depth and position of a ball in front of nothing, ray by ray."""
    rows, columns = np.indices(SIZE)
    rays = np.stack([(columns + 0.5 - 30) / FOCAL, (20 - rows - 0.5) / FOCAL, np.full(SIZE, -1.0)], -1)
    matrix = np.array(lens.matrix_world)
    world, start = rays @ matrix[:3, :3].T, matrix[:3, 3]
    a, b, c = (world**2).sum(-1), world @ start, start @ start - radius**2
    inner = b**2 - a * c
    hit = inner > 0
    away = np.where(hit, (-b - np.sqrt(np.maximum(inner, 0))) / a, 1e10)
    places = np.where(hit[..., None], start + world * away[..., None], 0)
    normals = places / radius
    own = normals @ matrix[:3, :3]
    pixels = {"depth.Z": away, "A": hit, "R": hit * 0.5, "G": hit * 0.4, "B": hit * 0.3}
    for place, axis in enumerate("XYZ"):
        pixels[f"position.{axis}"] = places[..., place]
        pixels[f"normal.world.{axis}"] = normals[..., place]
        pixels[f"normal.camera.{axis}"] = own[..., place]
    for kind in ("Object", "Material"):
        pixels |= {f"Crypto{kind}00.{channel}": hit for channel in "RG"}
        pixels |= {f"Crypto{kind}00.{channel}": np.zeros(SIZE) for channel in "BA"}
    for number, name in enumerate(LIGHT_SPLITS):
        for colour in "RGB":
            share = 0.5 if number == 0 else 0.5 / (len(LIGHT_SPLITS) - 1)
            pixels[f"{name}.{colour}"] = pixels[colour] * share
    return {name: np.asarray(values, np.float32) for name, values in pixels.items()}


def motion(lens: CameraRecord, before: CameraRecord, pixels: Pixels) -> Pixels:
    """Where the ball's points were, from their positions alone."""
    matrix = np.array(before.matrix_world)
    places = np.stack([pixels[f"position.{axis}"] for axis in "XYZ"], -1).astype(np.float64)
    local = (places - matrix[:3, 3]) @ matrix[:3, :3]
    rows, columns = np.indices(SIZE)
    across = local[..., 0] / -local[..., 2] * FOCAL + 30 - columns - 0.5
    down = 20 - local[..., 1] / -local[..., 2] * FOCAL - rows - 0.5
    hit = pixels["A"] > 0
    return {
        "motion.prev.X": np.where(hit, across, 0).astype(np.float32),
        "motion.prev.Y": np.where(hit, down, 0).astype(np.float32),
    }


def test_passes_that_agree_are_not_named() -> None:
    lens = camera(30)
    pixels = shoot(lens)
    assert inspect_passes({"reference.exr": pixels}, lens) == []
    data = {name: pixels[name] for name in pixels if name.startswith(("position", "Crypto", "normal"))}
    rest = {name: pixels[name] for name in pixels if name not in data}
    assert inspect_passes({"reference.exr": rest, "data.exr": data, "noisy_0001spp_r00.exr": rest}, lens) == []


@pytest.mark.parametrize(
    ("channel", "change", "says"),
    [
        ("glossy.indirect.G", lambda x: x * 1.2, "the light splits do not add up to the beauty: G is"),
        ("position.X", lambda x: -x, "position of .*% of the pixels is not where depth puts it"),
        ("normal.camera.Z", lambda x: -x, "normal.camera is not normal.world in the camera's axes"),
        ("CryptoObject00.G", np.zeros_like, "Cryptomatte by object disagrees with alpha"),
        ("CryptoMaterial00.A", np.ones_like, "Cryptomatte by material disagrees with alpha"),
    ],
)
def test_a_pass_that_contradicts_is_named(channel: str, change: object, says: str) -> None:
    lens = camera(30)
    pixels = shoot(lens)
    pixels[channel] = change(pixels[channel])  # type: ignore[operator]
    (found,) = inspect_passes({"reference.exr": pixels}, lens)
    assert found.startswith("reference.exr: ")
    assert re.search(says, found), found


def test_motion_of_a_turning_camera_agrees_and_a_wrong_sign_is_named() -> None:
    lens, before = camera(50), camera(30)
    pixels, earlier = shoot(lens), shoot(before)
    right = {**pixels, **motion(lens, before, pixels)}
    assert np.abs(right["motion.prev.X"]).max() > 2
    assert list(inspect_motion(right, lens, earlier, before)) == []
    for axis, wrong in (
        ("X", -right["motion.prev.X"]),
        ("X", right["motion.prev.X"] + 3),
        ("Y", right["motion.prev.X"]),
    ):
        (found,) = inspect_motion({**right, f"motion.prev.{axis}": wrong}, lens, earlier, before)
        assert "motion.prev of" in found


def test_what_moves_by_itself_is_not_judged_by_the_camera() -> None:
    lens = camera(30)
    pixels = {**shoot(lens, 1.2), "motion.prev.X": np.full(SIZE, 9, np.float32), "motion.prev.Y": np.zeros(SIZE)}
    assert list(inspect_motion(pixels, lens, shoot(lens, 1.0), lens)) == []


def test_motion_in_the_world_judges_what_moves_by_itself() -> None:
    """A ball that has moved by a step is seen where it was; no other sign, axis or unit of either motion will do."""
    lens, before, step = camera(50), camera(30), np.array((0.2, -0.1, 0.15))
    pixels = shoot(lens)
    hit = pixels["A"] > 0
    flow = {
        f"motion.world.{axis}": np.where(hit, size, 0).astype(np.float32)
        for axis, size in zip("XYZ", step, strict=True)
    }
    there = {
        **pixels,
        **{f"position.{axis}": pixels[f"position.{axis}"] + flow[f"motion.world.{axis}"] for axis in "XYZ"},
    }
    right = {**pixels, **flow, **motion(lens, before, there)}
    blank = {"depth.Z": np.full(SIZE, 1e10, np.float32)}
    assert list(inspect_motion(right, lens, blank, before)) == []
    for name, wrong in (
        ("motion.prev.X", -right["motion.prev.X"]),
        ("motion.prev.Y", -right["motion.prev.Y"]),
        ("motion.world.Z", -right["motion.world.Z"]),
        ("motion.world.X", 100 * right["motion.world.X"]),
    ):
        (found,) = inspect_motion({**right, name: wrong}, lens, blank, before)
        assert "where motion.world and both cameras put it" in found, name


def test_a_dataset_whose_motion_is_wrong_fails_its_check(copied, recipe, render) -> None:  # type: ignore[no-untyped-def]
    """Every pixel of the balls' floor stands still; motion that says otherwise is found over two pairs."""
    import json

    from farm.dataset import build_index, read_image, write_image, write_report

    dataset = copied()
    file = sorted(dataset.root.glob("pairs/*/f0002/reference.exr"))[0]
    channels = dict(read_image(file))
    channels["motion.prev.X"] = channels["motion.prev.X"] + np.float32(3)
    stamp = write_image(file, channels, {})
    record = json.loads((file.parent / "record.json").read_text())
    record["files"]["reference.exr"] |= {"sha256": stamp.sha256, "bytes": stamp.bytes}
    (file.parent / "record.json").write_text(json.dumps(record))
    build_index(dataset)
    write_report(dataset)
    found = [str(defect) for defect in check_dataset(dataset.root, workers=1).defects]
    assert len(found) == 1
    assert "f0002/reference.exr: motion.prev of" in found[0]
