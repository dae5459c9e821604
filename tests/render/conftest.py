import importlib.util
import sys
from pathlib import Path

import pytest

SMALL_SCENE = Path(__file__).with_name("small_scene.py")


@pytest.fixture(scope="session")
def small_scene_file():
    return SMALL_SCENE


@pytest.fixture(scope="session")
def small_scene():
    pytest.importorskip("bpy", reason="renders need bpy")
    spec = importlib.util.spec_from_file_location("small_scene", SMALL_SCENE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_scene"] = module
    spec.loader.exec_module(module)
    return module
