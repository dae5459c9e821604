"""What Blender prints by itself stays away from the terminal, and the rest does not."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from farm.quiet import silence

pytestmark = pytest.mark.skipif(find_spec("bpy") is None, reason="Blender's Python module is not installed")


def printed(statement):
    """What a process prints that has a colour configuration of its own, as studios set one."""
    config = Path(find_spec("bpy").origin).parent / "5.2/datafiles/colormanagement/config.ocio"
    assert config.is_file()
    done = subprocess.run(
        [sys.executable, "-c", statement],
        env={**os.environ, "OCIO": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_blender_loads_without_a_word():
    assert "OCIO" in printed("import bpy")
    assert printed("from farm.quiet import load_blender; load_blender(); print('heard')") == "heard\n"


def test_errors_are_kept_and_python_is_heard_again(capfd):
    with silence() as said:
        os.write(1, b"fine\nError: broken\n")
        os.write(2, b"error: too\n")
    os.write(1, b"after\n")
    assert said == ["Error: broken", "error: too"]
    assert capfd.readouterr() == ("after\n", "")


def test_standard_error_can_stay_open(capfd):
    with silence(stderr=False):
        os.write(1, b"hidden\n")
        os.write(2, b"shown\n")
    assert capfd.readouterr() == ("", "shown\n")
