"""Exports of one really rendered double that four cameras see, read back by parsers of the formats' own grammars."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from farm.dataset import DEPTH_BACKGROUND, Dataset, check_dataset, read_image, read_index
from farm.dataset.export import export_dataset
from farm.dataset.export.captures import straight_srgb
from farm.dataset.export.colmap import quaternion
from farm.dataset.export.nerf import held_out


@pytest.fixture(scope="module")
def exports(rendered: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The one capture's folder of each layout."""
    found = {}
    for kind in ("nerf", "colmap"):
        folder = tmp_path_factory.mktemp("captures") / kind
        assert export_dataset(rendered.root, folder, kind).notes == ("1 captures of 4 views in all",)
        (found[kind],) = (path for path in folder.iterdir() if path.is_dir())
    return found


def stem(row: dict[str, Any]) -> str:
    return f"{row['variant']}_f{row['frame']:04d}"


def by_stem(dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {stem(row): row for row in read_index(dataset.root)}


def test_the_rendered_dataset_is_sound(rendered: Dataset) -> None:
    assert check_dataset(rendered.root).defects == ()


def test_real_pairs_go_into_every_layout_of_pairs(rendered: Dataset, tmp_path: Path) -> None:
    for kind in ("oidn", "webdataset", "gbuffer"):
        export_dataset(rendered.root, tmp_path / kind, kind)
    names = {path.name for path in (tmp_path / "oidn/train").iterdir()}
    assert len(names) == 4 * 3 * 3
    assert {name.rsplit("_", 1)[1] for name in names} == {
        f"{number}.{feature}.exr" for number in ("0001spp", "0004spp", "ref") for feature in ("hdr", "alb", "nrm")
    }
    with tarfile.open(tmp_path / "webdataset/train-000000.tar") as tar:
        assert len(tar.getmembers()) == 4 * 4
    for name, row in by_stem(rendered).items():
        turned = read_image(tmp_path / f"gbuffer/train/{name}-normal.exr")
        world = read_image(rendered.root / row["pair"] / "reference.exr")
        camera = np.array(row["view.matrix_world"]).reshape(4, 4)[:3, :3]
        back = np.stack([turned[colour] for colour in "RGB"], -1) @ camera.T
        assert np.allclose(back, np.stack([world[f"normal.{axis}"] for axis in "XYZ"], -1), atol=1e-5)
        hit = (world["depth.Z"] < DEPTH_BACKGROUND / 2) & (world["A"] > 0.99)
        assert turned["B"][hit].mean() > 0.2, "what is seen faces the camera"


def test_transforms_list_every_view_with_its_picture(rendered: Dataset, exports: dict[str, Path]) -> None:
    rows = by_stem(rendered)
    for suffix, ending in (("", ".png"), ("_hdr", ".exr")):
        data = json.loads((exports["nerf"] / f"transforms{suffix}.json").read_text())
        assert (data["w"], data["h"]) == (48, 40)
        assert data["camera_angle_x"] == pytest.approx(2 * np.arctan(24 / data["fl_x"]))
        assert {Path(frame["file_path"]).stem for frame in data["frames"]} == set(rows)
        for frame in data["frames"]:
            file = exports["nerf"] / frame["file_path"]
            assert file.suffix == ending
            row = rows[file.stem]
            assert np.ravel(frame["transform_matrix"]).tolist() == row["view.matrix_world"]
            assert (data["fl_x"], data["cy"]) == (row["view.fl_x"], row["view.cy"])
    for row in rows.values():
        file = exports["nerf"] / "hdr" / f"{stem(row)}.exr"
        assert file.samefile(rendered.root / row["pair"] / "reference.exr")


def test_views_are_held_out_once_each(rendered: Dataset, exports: dict[str, Path]) -> None:
    parts = {part: json.loads((exports["nerf"] / f"transforms_{part}.json").read_text()) for part in
             ("train", "val", "test")}  # fmt: skip
    listed = [frame["file_path"] for part in parts.values() for frame in part["frames"]]
    assert len(listed) == len(set(listed)) == 4
    assert [len(part["frames"]) for part in parts.values()] == [2, 1, 1]
    for part in parts.values():
        assert all((exports["nerf"] / f"{frame['file_path']}.png").is_file() for frame in part["frames"])
    assert all({"train", "val", "test"} == set(held_out(count)) for count in range(3, 40))
    assert held_out(16).count("train") == 12


def test_pictures_are_the_references(rendered: Dataset, exports: dict[str, Path]) -> None:
    for name, row in by_stem(rendered).items():
        image = read_image(rendered.root / row["pair"] / "reference.exr")
        picture = np.asarray(Image.open(exports["nerf"] / f"images/{name}.png"))
        assert picture.shape == (40, 48, 4)
        covered = image["A"] > 0.99
        shown = picture[..., 1][covered] / 255
        linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
        assert np.allclose(linear, np.clip(image["G"][covered], 0, 1), atol=0.012)
        assert np.allclose(picture[..., 3] / 255, image["A"], atol=0.5 / 255 + 1e-6)


def colmap_lines(file: Path) -> Iterator[list[str]]:
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            yield line.split()


def rotation(w: float, x: float, y: float, z: float) -> np.ndarray:
    """The matrix of a unit quaternion, as COLMAP's documentation has it."""
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_colmap_projects_each_point_onto_what_the_depth_says(rendered: Dataset, exports: dict[str, Path]) -> None:
    """Points of all views, through COLMAP's own projection: none lies in front of what a camera sees."""
    model = exports["colmap"] / "sparse/0"
    cameras = {line[0]: line[1:] for line in colmap_lines(model / "cameras.txt")}
    points = np.array([line[1:4] for line in colmap_lines(model / "points3D.txt")], float)
    assert len(points) > 1000
    rows = by_stem(rendered)
    lines = list(colmap_lines(model / "images.txt"))
    assert lines[1::2] == [[]] * 4
    for number, *pose, lens, name in lines[::2]:
        kind, width, height, *intrinsics = cameras[lens]
        assert (kind, width, height, int(number) > 0) == ("PINHOLE", "48", "40", True)
        fx, fy, cx, cy = map(float, intrinsics)
        assert (exports["colmap"] / "images" / name).is_file()
        local = points @ rotation(*map(float, pose[:4])).T + np.array(pose[4:], float)
        local = local[local[:, 2] > 0]
        across, down = local[:, 0] / local[:, 2] * fx + cx, local[:, 1] / local[:, 2] * fy + cy
        inside = (across >= 0) & (across < 48) & (down >= 0) & (down < 40)
        column, line, away = across[inside].astype(int), down[inside].astype(int), local[inside, 2]
        seen = read_image(rendered.root / rows[Path(name).stem]["pair"] / "reference.exr")["depth.Z"][line, column]
        on_surface = np.isclose(away, seen, rtol=0.02)
        assert on_surface.sum() > 900, "a view's own points, and those that it shares with others"
        assert (away < seen * 0.9).mean() < 0.1, "what is in front of what a camera sees is at edges alone"


def test_every_rotation_has_its_quaternion() -> None:
    for order in permutations(range(3)):
        for signs in np.ndindex(2, 2, 2):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = 1 - 2 * np.array(signs)
            if np.linalg.det(matrix) > 0:
                assert np.allclose(rotation(*quaternion(matrix)), matrix, atol=1e-12)


def test_light_without_coverage_is_no_division_by_zero() -> None:
    picture = straight_srgb(np.zeros((2, 2, 3), np.float32), np.zeros((2, 2), np.float32))
    assert not picture.any()
