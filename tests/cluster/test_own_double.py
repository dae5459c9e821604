"""An artist's own double on the farm: a Rigify and a Mixamo one varied, rendered, checked, gone on with elsewhere."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("bpy", reason="renders need bpy")
pytest.importorskip("ray", reason="the farm needs ray")

from farm.errors import DatasetError
from tests.double.own.characters import mixamo_hero, rigify_hero

RECIPE = """digidouble: recipe/1
name: own
seed: 3
count: 2
double: {double}
axes:
  hair:
    style: {{choose: [bob, short, afro]}}
    melanin: {{uniform: [0.6, 0.9]}}
    strands: 800
  pose: {{name: {{choose: [standing, reaching, crouching]}}}}
  camera: {{framing: full, azimuth: {{uniform: [-30, 30]}}}}
capture: {{resolution: [40, 40], samples: [1], reference: 16}}
"""


def write(folder, double):
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(double=double), encoding="utf-8")
    return path


def records(dataset):
    return [json.loads(path.read_text()) for path in sorted(dataset.glob("pairs/*/*/record.json"))]


@pytest.fixture(scope="module")
def rigify(farm, tmp_path_factory):
    """The folder of a Rigify character, and its dataset."""
    folder = tmp_path_factory.mktemp("rigify")
    rigify_hero(folder / "hero.blend", facing=2.0)
    code, out, err = farm.run("render", write(folder, "hero.blend"), "--out", folder / "dataset", "--workers", "1")
    assert code == 0, (out, err)
    return folder, folder / "dataset"


def test_two_variants_of_a_rigify_character_are_rendered_and_pass_the_check(farm, rigify):
    _, dataset = rigify
    one, other = (record["variant"] for record in records(dataset))
    assert one["hair"]["style"] != other["hair"]["style"]
    assert one["pose"]["name"] != other["pose"]["name"]
    assert one["double"] == other["double"]
    (asset,) = (dataset / "assets").iterdir()
    assert asset.name == f"{one['double']['sha256']}.blend"
    code, out, err = farm.run("check", dataset)
    assert (code, err) == (0, ""), (out, err)
    assert "2 of 2 pairs" in out


def test_the_dataset_alone_is_gone_on_with_elsewhere_to_the_same_bytes(farm, rigify, hashes, tmp_path, monkeypatch):
    _, dataset = rigify
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path / "cache"))
    moved = shutil.copytree(dataset, tmp_path / "moved")
    lost = min(moved.glob("pairs/*/*/record.json"))
    shutil.rmtree(lost.parent)
    code, out, err = farm.run("render", moved / "recipe.yaml", "--out", moved)
    assert code == 0, (out, err)
    assert "1 of 2 pairs are there already" in out
    assert hashes(moved) == hashes(dataset)


def test_a_changed_file_is_another_double(farm, rigify, tmp_path):
    folder, dataset = rigify
    for name in ("hero.blend", "cloth.blend"):
        shutil.copy(folder / name, tmp_path / name)
    from PIL import Image

    Image.new("RGB", (8, 8), (10, 200, 10)).save(tmp_path / "skin.png")
    code, out, err = farm.run("plan", write(tmp_path, "hero.blend"), "--json")
    assert code == 0, err
    ids = {variant["id"] for variant in json.loads(out)["variants"]}
    assert not ids & {record["variant_id"] for record in records(dataset)}
    code, out, err = farm.run("render", tmp_path / "recipe.yaml", "--out", dataset)
    assert (code, out) == (2, "")
    assert "holds the dataset of recipe" in err


def test_a_check_sees_an_asset_that_is_gone_damaged_or_a_stranger(farm, rigify, tmp_path):
    from farm.dataset import check_dataset

    _, dataset = rigify
    broken = shutil.copytree(dataset, tmp_path / "broken")
    (asset,) = (broken / "assets").iterdir()
    (broken / "assets" / f"{'1' * 64}.blend").write_bytes(b"who?")
    (broken / "assets" / "notes.txt").write_bytes(b"who?")
    asset.write_bytes(asset.read_bytes() + b"!")
    told = {(defect.file, defect.problem) for defect in check_dataset(broken).defects}
    assert told == {
        (f"assets/{asset.name}", "its bytes are not the written ones (SHA-256 differs)"),
        (f"assets/{'1' * 64}.blend", "is no double of the recipe"),
        ("assets/notes.txt", "has no place in a dataset"),
    }
    code, out, err = farm.run("render", broken / "recipe.yaml", "--out", broken)
    assert (code, out) == (2, "")
    assert "its SHA-256 is" in err
    asset.unlink()
    assert f"assets/{asset.name}: is missing" in " ".join(map(str, check_dataset(broken).defects))


def test_a_worker_refuses_another_file_than_the_variant_names(rigify, tmp_path):
    from farm.dataset.assets import bring_asset

    _, dataset = rigify
    (asset,) = (dataset / "assets").iterdir()
    shutil.copytree(dataset / "assets", tmp_path / "assets")
    (tmp_path / "assets" / asset.name).write_bytes(b"another")
    with pytest.raises(DatasetError, match=r"is damaged: its SHA-256 is another than its name says"):
        bring_asset(tmp_path, asset.stem, tmp_path / "scratch")
    assert bring_asset(dataset, asset.stem, tmp_path / "scratch").read_bytes() == asset.read_bytes()


def test_a_store_holds_it_as_a_folder_does(rigify, s3):
    from farm.dataset.assets import asset_place, bring_asset, holds_asset, put_asset
    from farm.dataset.place import open_place

    folder, dataset = rigify
    (asset,) = (dataset / "assets").iterdir()
    root = open_place(s3.url("own"))
    assert not holds_asset(root, asset.stem)
    put_asset(root, asset.stem, asset)
    assert holds_asset(root, asset.stem)
    put_asset(root, asset.stem, None)
    assert bring_asset(root, asset.stem, folder / "fetched").read_bytes() == asset.read_bytes()
    assert str(asset_place(root, asset.stem)).endswith(f"/assets/{asset.name}")


def test_a_copy_has_it_too(rigify, tmp_path):
    from farm.dataset.fetch import fetch_dataset

    _, dataset = rigify
    fetch_dataset(dataset, tmp_path / "copy")
    (asset,) = (dataset / "assets").iterdir()
    assert (tmp_path / "copy" / "assets" / asset.name).read_bytes() == asset.read_bytes()


def test_a_job_takes_it_along_and_equal_files_are_equal_packages(rigify, tmp_path):
    from zipfile import ZipFile

    from farm.cluster.jobs.submission import prepare
    from farm.recipe import load_recipe

    folder, dataset = rigify
    recipe = load_recipe(folder / "recipe.yaml")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = prepare(recipe, "/data/own", tmp_path / "one")
    two = prepare(load_recipe(dataset / "recipe.yaml"), "/data/own", tmp_path / "two")
    assert one.id == two.id
    assert [package.name for package in one.packages] == [package.name for package in two.packages]
    (asset,) = (dataset / "assets").iterdir()
    with ZipFile(one.packages[1].file) as archive:
        assert f"digidouble_assets/{asset.name}" in archive.namelist()
    with ZipFile(one.packages[0].file) as archive:
        assert archive.read("recipe.yaml") == (dataset / "recipe.yaml").read_bytes()


def test_a_mixamo_character_is_varied_rendered_and_checked(farm, tmp_path):
    mixamo_hero(tmp_path / "mixamo.blend")
    recipe = write(tmp_path, "{file: mixamo.blend, armature: Armature}")
    code, out, err = farm.run("render", recipe, "--out", tmp_path / "dataset", "--workers", "1")
    assert code == 0, (out, err)
    code, out, _ = farm.run("check", tmp_path / "dataset")
    assert (code, out.count("no defects")) == (0, 1)
    one, other = (record["variant"] for record in records(tmp_path / "dataset"))
    assert (one["hair"]["style"], one["pose"]["name"]) != (other["hair"]["style"], other["pose"]["name"])


def test_what_is_wrong_is_one_line_and_nothing_is_written(farm, tmp_path):
    (tmp_path / "broken.blend").write_text("a letter to the artist")
    for file, told in (("none.blend", "is not there"), ("broken.blend", "is no .blend file")):
        code, out, err = farm.run("render", write(tmp_path, file), "--out", tmp_path / "dataset")
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert told in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.blend", "recipe.yaml"]
