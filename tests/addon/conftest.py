"""The add-on in the bpy module: a fresh file, and the add-on registered from the source."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy")

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="module")
def addon():
    import bpy

    import addon

    bpy.ops.wm.read_factory_settings()
    addon.register()
    yield addon
    addon.unregister()


@pytest.fixture
def state(addon):
    """What Digidouble keeps in a fresh scene with a document, and nothing built."""
    import bpy

    from addon import document, preview

    preview.forget()
    scene = bpy.data.scenes.new("test")
    scene.digidouble.document = document.fresh()
    yield scene.digidouble
    bpy.data.scenes.remove(scene)
