"""Packages are equal bytes for equal content; a cluster's nodes can run what is in them."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from farm.cluster.jobs.packages import LARGEST, Package, asset, pack_assets, pack_code, store_package
from farm.cluster.jobs.submission import prepare, submit
from farm.errors import BadInput
from farm.recipe import load_recipe, parse_recipe

ROOT = Path(__file__).parents[3]
SMOKE = ROOT / "templates" / "recipes" / "smoke.yaml"


@pytest.fixture
def recipe():
    return load_recipe(SMOKE)


def folder(path, name):
    made = path / name
    made.mkdir()
    return made


def test_equal_content_makes_equal_bytes(recipe, tmp_path):
    one, two = (pack_code(recipe, folder(tmp_path, name)) for name in ("one", "two"))
    assert one.name == two.name
    assert one.file.read_bytes() == two.file.read_bytes()
    assert one.bytes < 2_000_000


def test_comments_make_no_other_package(recipe, tmp_path):
    commented = parse_recipe(SMOKE.read_text() + "\n# a remark\n")
    other = parse_recipe(SMOKE.read_text().replace("count: 2", "count: 3"))
    names = [pack_code(each, folder(tmp_path, str(n))).name for n, each in enumerate((recipe, commented, other))]
    assert names[0] == names[1] != names[2]


def test_the_code_runs_from_its_package(recipe, tmp_path):
    package = pack_code(recipe, tmp_path)
    with zipfile.ZipFile(package.file) as archive:
        archive.extractall(tmp_path / "job")
    code = "import farm, json; from farm.recipe import templates, load_recipe; from farm.dataset import report_page;"
    code += "print(json.dumps([farm.__file__, str(templates.folder()), load_recipe('recipe.yaml').digest]))"
    code += "; report_page.asset_text('report.css')"
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "job", env=environment, capture_output=True, text=True, check=True
    )
    job = (tmp_path / "job").resolve()
    assert done.stdout.strip() == f'["{job}/farm/__init__.py", "{job}/templates", "{recipe.digest}"]'


def test_the_users_own_templates_come_along_with_their_payloads(recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_TEMPLATES", str(tmp_path / "own"))
    shelf = folder(folder(tmp_path, "own"), "stunts")
    for name in ("walk.yaml", "walk.npz", "jump.yaml"):  # one that ships is called jump
        (shelf / name).write_text("mine")
    with zipfile.ZipFile(pack_code(recipe, tmp_path).file) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if "/stunts/" in name}
    assert packed["templates/stunts/walk.yaml"] == packed["templates/stunts/walk.npz"] == b"mine"
    assert packed["templates/stunts/jump.yaml"] != b"mine"


def test_missing_assets_are_named_at_once(tmp_path):
    (tmp_path / "there.txt").write_text("x")
    with pytest.raises(BadInput, match=r"a\.abc.*b\.abc"):
        pack_assets([tmp_path / "a.abc", tmp_path / "there.txt", tmp_path / "b.abc"], tmp_path)


def test_two_assets_of_one_name_are_refused(tmp_path):
    for name in ("one", "two"):
        (folder(tmp_path, name) / "x.txt").write_text(name)
    with pytest.raises(BadInput, match=r"two assets are called x\.txt"):
        pack_assets([tmp_path / "one" / "x.txt", tmp_path / "two" / "x.txt"], tmp_path)


def test_an_asset_is_found_on_the_path(tmp_path, monkeypatch):
    (tmp_path / "walk.bvh").write_text("HIERARCHY")
    (package,) = pack_assets([tmp_path / "walk.bvh"], folder(tmp_path, "zips"))
    with zipfile.ZipFile(package.file) as archive:
        archive.extractall(tmp_path / "node")
    with pytest.raises(BadInput, match=r"'walk\.bvh' did not come"):
        asset("walk.bvh")
    monkeypatch.syspath_prepend(tmp_path / "node")
    assert asset("walk.bvh").read_text() == "HIERARCHY"


def test_a_large_package_goes_to_the_store_once(tmp_path):
    file = tmp_path / "x.zip"
    file.write_bytes(b"zip")
    package = Package("x", file, "_ray_pkg_1.zip", 3)
    store = tmp_path / "store"
    uri = store_package(package, str(store))
    assert uri == f"file://{store}/_ray_pkg_1.zip"
    stored = store / "_ray_pkg_1.zip"
    before = stored.stat().st_mtime_ns
    assert store_package(package, f"file://{store}") == uri
    assert stored.stat().st_mtime_ns == before
    assert [path.name for path in store.iterdir()] == ["_ray_pkg_1.zip"]


@pytest.mark.parametrize("store", ["relative/folder", "ftp://host/x", "gcs://bucket"])
def test_a_store_that_nodes_cannot_read_is_refused(tmp_path, store):
    with pytest.raises(BadInput, match="assets go to s3://"):
        store_package(Package("x", tmp_path / "x", "x.zip", 3), store)


def test_too_large_without_a_store_is_refused_before_anything_is_sent(recipe, tmp_path):
    submission = prepare(recipe, "/mnt/data/x", tmp_path)
    large = Package("hero.blend", tmp_path / "hero", "_ray_pkg_2.zip", LARGEST)
    too_large = type(submission)(recipe, submission.root, (*submission.packages, large))
    with pytest.raises(BadInput, match=r"hero\.blend is 100 MiB packed.*--assets-store"):
        submit(None, too_large)


def test_the_id_follows_from_everything_that_decides_the_run(recipe, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    plain = prepare(recipe, "/mnt/x", tmp_path)
    assert plain.id == prepare(recipe, "/mnt/x", tmp_path).id
    assert plain.id.startswith("smoke-")
    others = [
        prepare(recipe, "/mnt/y", tmp_path),
        prepare(recipe, "/mnt/x", tmp_path, options=["--device", "cpu"]),
        prepare(recipe, "/mnt/x", tmp_path, assets=[tmp_path / "a.txt"]),
        prepare(recipe, "/mnt/x", tmp_path, environment={"A": "1"}),
        prepare(parse_recipe(SMOKE.read_text().replace("seed: 1", "seed: 2")), "/mnt/x", tmp_path),
    ]
    assert len({plain.id, *(each.id for each in others)}) == 6


def test_a_root_that_would_be_lost_is_refused(recipe, tmp_path):
    with pytest.raises(BadInput, match="full path"):
        prepare(recipe, "out/demo", tmp_path)
    assert prepare(recipe, "s3://bucket/x", tmp_path).root == "s3://bucket/x"


@pytest.mark.parametrize("name", ["RAY_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD"])
def test_secrets_do_not_go_into_a_jobs_environment(recipe, tmp_path, name):
    with pytest.raises(BadInput, match=f"{name} looks like a secret"):
        prepare(recipe, "/mnt/x", tmp_path, environment={name: "hush"})


def test_the_entrypoint_is_quoted(recipe, tmp_path):
    submission = prepare(recipe, "/mnt/it's here; rm x", tmp_path)
    assert "--out '/mnt/it'\"'\"'s here; rm x' --address auto" in submission.entrypoint


def test_a_large_package_goes_to_an_object_store_once(s3, tmp_path):
    file = tmp_path / "x.zip"
    file.write_bytes(b"zip" * 1000)
    package = Package("x", file, "_ray_pkg_3.zip", 3000)
    store = s3.url("assets")
    assert store_package(package, f"{store}/") == f"{store}/_ray_pkg_3.zip"
    assert s3.objects("assets/") == {"assets/_ray_pkg_3.zip": b"zip" * 1000}
    puts = s3.requests["PUT"]
    assert store_package(package, store) == f"{store}/_ray_pkg_3.zip"
    assert s3.requests["PUT"] == puts
