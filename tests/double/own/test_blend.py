"""Files that are no .blend, that are damaged, and that would do something on being opened."""

import gzip

import pytest

bpy = pytest.importorskip("bpy", reason="an artist's file is opened by Blender")

from farm.double.own.blend import check_target, open_blend, read_version, save_copy
from farm.errors import BadInput


@pytest.fixture
def blend(tmp_path):
    """Save a small file; returns it."""

    def blend(name="file.blend", **options):
        path = tmp_path / name
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, **options)
        return path

    bpy.ops.wm.read_factory_settings(use_empty=True)
    for index in range(40):
        mesh = bpy.data.meshes.new(f"mesh {index}")
        mesh.from_pydata([(x, index, 0) for x in range(400)], [], [])
        bpy.context.scene.collection.objects.link(bpy.data.objects.new("thing", mesh))
    return blend


def refused(path, *words):
    with pytest.raises(BadInput) as raised:
        open_blend(path)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    for word in (str(path), *words):
        assert word in message, message


def test_what_is_no_file_at_all(tmp_path):
    refused(tmp_path / "hero.blend", "does not exist")
    refused(tmp_path, "folder")
    empty = tmp_path / "empty.blend"
    empty.touch()
    refused(empty, "0 bytes")


def test_a_text_file_called_blend(tmp_path):
    text = tmp_path / "notes.blend"
    text.write_text("Dear diary")
    refused(text, "no .blend", "Dear diary")


@pytest.mark.parametrize("header", [b"BLENDER17-01v0900", b"BLENDER-v903"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_a_newer_blender(tmp_path, header, packed):
    path = tmp_path / "future.blend"
    path.write_bytes(gzip.compress(header + bytes(1000)) if packed else header + bytes(1000))
    refused(path, "Blender 9.", "newer", "save it again")


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_file(blend, tmp_path, compress, share):
    whole = blend(compress=compress).read_bytes()
    path = tmp_path / "cut.blend"
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, "damaged", "copy or save it again")


@pytest.mark.parametrize("compress", [False, True])
def test_the_version_is_read_from_the_header(blend, compress):
    path = blend(compress=compress)
    assert read_version(path) == bpy.app.version[:2]
    assert open_blend(path).version == f"{bpy.app.version[0]}.{bpy.app.version[1]}"


def write_traps(folder):
    """Everything in a file that runs when it is opened the usual way; each would leave a file in `folder`."""
    text = bpy.data.texts.new("startup.py")
    text.write(f"open({str(folder / 'text')!r}, 'w').close()")
    text.use_module = True
    trap = bpy.data.texts.new("trap.py")
    trap.write(
        "import bpy\n"
        f"def trap(value):\n    open({str(folder / 'driver')!r}, 'w').close()\n    return value\n"
        "bpy.app.driver_namespace['trap'] = trap\n"
        f"bpy.app.handlers.load_post.append(lambda *_: open({str(folder / 'handler')!r}, 'w').close())\n"
    )
    trap.use_module = True
    curve = bpy.data.objects["thing"].driver_add("location", 0)
    curve.driver.expression = f"trap(len([open({str(folder / 'expression')!r}, 'w')]))"


def test_nothing_in_a_file_runs(blend, tmp_path):
    folder = tmp_path / "written"
    folder.mkdir()
    write_traps(folder)
    path = blend()
    for made in folder.iterdir():
        made.unlink()
    opened = open_blend(path)
    bpy.context.scene.frame_set(7)
    bpy.context.view_layer.update()
    assert list(folder.iterdir()) == []
    assert [words for words in ("startup.py", "trap.py", "thing.location") if words not in str(opened.scripts)] == []


def test_the_traps_would_spring(blend, tmp_path):
    folder = tmp_path / "written"
    folder.mkdir()
    write_traps(folder)
    path = blend()
    bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=True)
    assert {made.name for made in folder.iterdir()} >= {"text", "handler"}
    bpy.app.handlers.load_post.clear()
    bpy.app.driver_namespace.pop("trap", None)
    bpy.ops.wm.read_factory_settings(use_empty=True)


def test_links_and_missing_files_are_named(blend, tmp_path):
    library = blend("library.blend")
    image = bpy.data.images.new("skin", 4, 4)
    image.source, image.filepath = "FILE", "//textures/skin.png"
    with bpy.data.libraries.load(str(library), link=True) as (available, wanted):
        wanted.meshes = available.meshes[:1]
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("linked", wanted.meshes[0]))
    bpy.data.objects["thing"].data.materials.append(None)
    image.use_fake_user = True
    path = blend("hero.blend")
    assert open_blend(path).missing == ("image //textures/skin.png",)
    library.unlink()
    opened = open_blend(path)
    assert any("library.blend" in each for each in opened.libraries)
    assert any("library" in each and "library.blend" in each for each in opened.missing)


def test_a_copy_never_lands_on_the_original(blend, tmp_path):
    path = blend()
    before = path.read_bytes()
    open_blend(path)
    with pytest.raises(BadInput, match="never changed"):
        check_target(tmp_path / "." / "file.blend", original=path)
    with pytest.raises(BadInput, match="does not exist"):
        check_target(tmp_path / "nowhere" / "new.blend", original=path)
    with pytest.raises(BadInput, match="must end in"):
        check_target(tmp_path / "new.fbx", original=path)
    save_copy(tmp_path / "new.blend")
    assert path.read_bytes() == before
    assert read_version(tmp_path / "new.blend") == bpy.app.version[:2]
