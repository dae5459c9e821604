"""A .blend is packed with all that it uses, once for equal content, and its original stays as it is."""

import shutil
import wave
from pathlib import Path

import bpy
import pytest
from PIL import Image

from farm.double.own.packing import pack_blend
from farm.errors import BadInput

ALL = {"SKIP_LINKED", "SKIP_PACKED", "EXPAND_TOKENS", "EXPAND_SEQUENCES"}


def empty():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.save_version = 0


def keep(block):
    block.use_fake_user = True
    return block


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A project: a main file, a library with a texture of its own beside another library, and files of every kind."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("tex", "lib", "elsewhere"):
        (root / folder).mkdir()
    for number, name in enumerate(("skin", "seq_0001", "seq_0002", "tile.1001", "tile.1002")):
        Image.new("RGB", (8, 8), (40 * number, 10, 10)).save(root / "tex" / f"{name}.png")
    Image.new("RGB", (8, 8), (1, 2, 3)).save(root / "lib" / "cloth.png")
    Image.new("RGB", (8, 8), (9, 9, 9)).save(root / "elsewhere" / "skin.png")
    with wave.open(str(root / "steps.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 800, "NONE", "not compressed"))
        sound.writeframes(b"\0\0" * 800)
    fonts = Path(bpy.utils.system_resource("DATAFILES"), "fonts")
    shutil.copy(next(path for path in sorted(fonts.iterdir()) if path.suffix == ".woff2"), root / "name.woff2")

    empty()
    base = bpy.data.collections.new("Base")
    base.objects.link(bpy.data.objects.new("base", None))
    keep(base)
    bpy.ops.wm.save_as_mainfile(filepath=str(root / "lib" / "base.blend"))

    empty()
    hat = bpy.data.collections.new("Hat")
    hat.objects.link(bpy.data.objects.new("hat", None))
    keep(hat)
    link(root / "lib" / "base.blend", "Base", into=hat)
    keep(bpy.data.images.load(str(root / "lib" / "cloth.png")))
    save(root / "lib" / "hat.blend")

    empty()
    link(root / "lib" / "hat.blend", "Hat", into=bpy.context.scene.collection)
    keep(bpy.data.images.load(str(root / "tex" / "skin.png")))
    sequence = keep(bpy.data.images.load(str(root / "tex" / "seq_0001.png")))
    sequence.source = "SEQUENCE"
    tiles = keep(bpy.data.images.load(str(root / "tex" / "tile.1001.png")))
    tiles.source = "TILED"
    tiles.filepath = str(root / "tex" / "tile.<UDIM>.png")
    tiles.tiles.new(1002)
    keep(bpy.data.sounds.load(str(root / "steps.wav")))
    keep(bpy.data.fonts.load(str(root / "name.woff2")))
    packed = keep(bpy.data.images.load(str(root / "tex" / "seq_0002.png")))
    packed.pack()
    text = bpy.data.texts.new("evil.py")
    text.use_module = True
    text.write(f"open({str(root / 'ran')!r}, 'w').close()")
    save(root / "hero.blend")
    other = keep(bpy.data.images.load(str(root / "elsewhere" / "skin.png")))
    other.filepath = str(root / "elsewhere" / "skin.png")
    bpy.ops.wm.save_mainfile()
    bakes = root / "blendcache_hero"
    bakes.mkdir()
    (bakes / "636C_000001_00.bphys").write_bytes(b"baked")
    return root


def link(path, name, *, into):
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = [name]
    into.children.link(wanted.collections[0])


def save(path):
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_mainfile()


@pytest.fixture
def project(original, tmp_path):
    return shutil.copytree(original, tmp_path / "project")


@pytest.fixture(scope="module")
def packed(original):
    before = {path: path.read_bytes() for path in original.rglob("*") if path.is_file()}
    folder = pack_blend(original / "hero.blend")
    assert {path: path.read_bytes() for path in original.rglob("*") if path.is_file()} == before
    return folder


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_everything_that_it_uses_comes_along(packed):
    pictures = ["cloth", "seq_0001", "seq_0002", "skin", "skin", "tile.1001", "tile.1002"]
    blends = ["base.blend", "hat.blend", "hero.blend"]
    others = ["636C_000001_00.bphys", "name.woff2", "steps.wav"]
    assert files(packed) == sorted([*(f"{name}.png" for name in pictures), *blends, *others])


def test_the_copy_stands_by_itself(packed, original, tmp_path):
    """Moved elsewhere, with the original gone, every path of every file in it leads into it."""
    moved = shutil.copytree(packed, tmp_path / "moved")
    away = original.rename(original.with_name("away"))
    try:
        for file in moved.rglob("*.blend"):
            bpy.ops.wm.open_mainfile(filepath=str(file), use_scripts=False, load_ui=False)
            found = []
            bpy.data.file_path_foreach(lambda block, path, meta, into=found: into.append(path), flags=ALL)
            assert len(found) == {"hero.blend": 10, "hat.blend": 2, "base.blend": 0}[file.name]
            for path in found:
                full = Path(bpy.path.abspath(path)).resolve()
                assert full.is_file(), path
                assert full.is_relative_to(moved.resolve()), path
            assert {"hero.blend": {"hat", "base"}, "hat.blend": {"hat", "base"}, "base.blend": {"base"}}[file.name] == {
                each.name for each in bpy.data.objects
            }
        bpy.ops.wm.open_mainfile(filepath=str(moved / "hero.blend"), use_scripts=False, load_ui=False)
        colours = {image.name: list(image.pixels[:3]) for image in bpy.data.images if image.name.startswith("skin")}
        assert colours["skin.png"] != colours["skin.png.001"]
    finally:
        away.rename(original)
        empty()


def test_equal_content_is_packed_once(packed, original):
    times = {path: path.stat().st_mtime_ns for path in packed.rglob("*") if path.is_file()}
    assert pack_blend(original / "hero.blend") == packed
    assert {path: path.stat().st_mtime_ns for path in packed.rglob("*") if path.is_file()} == times


def test_a_changed_texture_makes_another_package(project):
    before = pack_blend(project / "hero.blend")
    Image.new("RGB", (8, 8), (99, 0, 0)).save(project / "lib" / "cloth.png")
    after = pack_blend(project / "hero.blend")
    assert after != before
    assert next(after.rglob("cloth.png")).read_bytes() == (project / "lib" / "cloth.png").read_bytes()


def test_all_missing_files_are_named_at_once(project):
    for name in ("tex/tile.1002.png", "lib/cloth.png", "steps.wav"):
        (project / name).unlink()
    with pytest.raises(BadInput) as caught:
        pack_blend(project / "hero.blend")
    said = str(caught.value)
    assert all(name in said for name in ("cloth.png", "steps.wav"))
    assert "\n" not in said


def test_a_missing_library_is_named(project):
    (project / "lib" / "base.blend").unlink()
    with pytest.raises(BadInput, match=r"library .*base\.blend"):
        pack_blend(project / "hero.blend")


def test_nothing_in_the_file_runs(packed, original):
    assert not (original / "ran").exists()


def test_a_process_of_its_own_does_it(original, packed):
    from farm.cluster.jobs.blend import collect_blend

    assert collect_blend(original / "hero.blend") == packed
    with pytest.raises(BadInput, match=r"nothing\.blend does not exist"):
        collect_blend(original / "nothing.blend")
