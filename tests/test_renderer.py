"""Where the renderer is required, its absence fails the session instead of skipping most of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIRED = "DIGIDOUBLE_REQUIRE_RENDERER"
RENDERER = ("bpy", "ray", "anny", "scipy")


def run_pytest(*, absent=(), present=(), required):
    """Exit code and output of a session that collects one file; imports of what is absent are blocked."""
    code = f"""
import importlib.machinery, importlib.util, sys, types
for name in {present!r}:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
sys.modules.update(dict.fromkeys({absent!r}))
import pytest
sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_imports.py"]))
"""
    environment = {name: value for name, value in os.environ.items() if name != REQUIRED}
    environment |= {REQUIRED: "1"} if required else {}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", RENDERER)
def test_a_part_of_the_renderer_that_is_required_and_absent_fails_the_session(name):
    code, said = run_pytest(absent=(name,), present=tuple({*RENDERER} - {name}), required=True)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert [line for line in said.splitlines() if line] == [
        f"ERROR: this Python has no {name}, so that tests would be skipped: run `make setup`,"
        f" or unset {REQUIRED} to test what needs no renderer"
    ]


def test_a_whole_renderer_is_enough():
    code, said = run_pytest(present=RENDERER, required=True)
    assert code == pytest.ExitCode.OK, said


def test_what_is_absent_is_skipped_where_it_is_not_required():
    code, said = run_pytest(absent=RENDERER, required=False)
    assert code == pytest.ExitCode.OK, said


def test_make_test_requires_it():
    assert f"\t{REQUIRED}=1 .venv/bin/python -m pytest -n $(TESTERS)" in (ROOT / "Makefile").read_text(encoding="utf-8")
