"""The house's import order: pure packages stay pure, and nobody imports upwards. And the tests can tell."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FARM = Path(__file__).parents[1] / "farm"
HEAVY = ("bpy", "mathutils", "ray", "torch")
PURE = ("farm.recipe", "farm.dataset", "farm.motion", "farm.motion.recording",
        "farm.motion.mocap.importing", "farm.cli", "farm.errors", "farm.double.base_mesh",
        "farm.double.shape", "farm.double.scalp", "farm.double.rig_table", "farm.double.own.sealing",
        "farm.stage.framing", "farm.stage.template", "farm.render.seeds",
        "farm.learn", "farm.learn.window", "farm.learn.cli", "farm.learn.tiles", "farm.learn.onnx_model",
        "farm.learn.denoising", "farm.cluster.plan", "farm.cluster.machine",
        "farm.cluster.progress", "farm.cluster.jobs", "farm.cluster.jobs.cli", "farm.cluster.status_page",
        "farm.dataset.fetch")  # fmt: skip
NOT_CARRIED = ("OpenEXR", "pyarrow", "PIL", "fsspec", "click", "rich", "scipy")
"""What Blender's extension leaves out, besides what is heavy."""
MAY_IMPORT = {
    "recipe": set(),
    "double": {"recipe"},
    "motion": {"recipe", "double"},
    "dataset": {"recipe"},
    "stage": {"recipe", "double", "motion"},
    "render": {"recipe", "double", "motion", "stage", "dataset"},
    "cluster": {"recipe", "double", "motion", "stage", "render", "dataset"},
    "learn": {"recipe", "dataset"},
}


def heavy_modules_after(statement, heavy=HEAVY):
    code = f"import sys\n{statement}\nprint(*[name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_brings_nothing_heavy(module):
    assert heavy_modules_after(f"import {module}") == []


def test_the_jobs_client_needs_what_the_extension_carries_alone():
    assert heavy_modules_after("import farm.cluster.jobs", HEAVY + NOT_CARRIED) == []
    assert heavy_modules_after("import farm.cluster.jobs.cli", NOT_CARRIED) == ["click", "rich"]


def test_the_test_of_purity_can_fail():
    assert heavy_modules_after("import types; sys.modules['torch'] = types.ModuleType('torch')") == ["torch"]


def rooms_imported(source):
    """The rooms of farm that some source imports from."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {name.split(".")[1] for name in names if name.startswith("farm.")}
    return found & set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_nobody_imports_upwards(room):
    for file in sorted((FARM / room).rglob("*.py")):
        reached = rooms_imported(file.read_text(encoding="utf-8")) - {room}
        assert reached <= MAY_IMPORT[room], f"{file.relative_to(FARM)} imports {reached - MAY_IMPORT[room]}"


def test_the_addon_edits_previews_and_starts_nothing_heavier():
    for file in sorted((FARM.parent / "addon").glob("*.py")):
        if file.name != "build_extension.py":
            reached = rooms_imported(file.read_text(encoding="utf-8"))
            assert reached <= {"recipe", "double", "motion", "stage"}, f"{file.name} imports {reached}"


def test_the_test_of_order_can_fail():
    assert rooms_imported("from farm.render.pair import Pair\nimport farm.cluster.driver\nfrom farm import stage") == {
        "render",
        "cluster",
        "stage",
    }
