"""`digidouble double …`: exit codes, one line for bad input, nothing changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="an artist's file is opened by Blender")

from .conftest import remove_bones

ROOT = Path(__file__).parents[3]


def digidouble(*words):
    done = subprocess.run(
        [sys.executable, "-m", "farm.cli", "double", *(str(word) for word in words)],
        capture_output=True, text=True, cwd=ROOT, timeout=300, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_inspect_as_json_and_nothing_else_on_the_terminal(double_file):
    path = double_file("default")
    before = path.read_bytes()
    code, out, err = digidouble("inspect", path, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["table"] == "default"
    assert path.read_bytes() == before


def test_what_is_missing_is_exit_code_1_and_a_table_is_written(double_file, tmp_path):
    path = double_file("one_arm", remove_bones("clavicle.L"))
    code, out, err = digidouble("inspect", path, "--table", tmp_path / "mine.yaml")
    assert (code, err) == (1, "")
    assert "leftUpperArm" in out
    text = (tmp_path / "mine.yaml").read_text()
    assert "\n  # leftUpperArm:\n" in text
    assert "\n  head: head\n" in text


def test_groom_saves_a_copy(double_file, tmp_path):
    path = double_file("default")
    before = path.read_bytes()
    out = tmp_path / "worn.blend"
    code, said, err = digidouble("groom", path, "--style", "short", "--strands", 600, "--out", out)
    assert (code, err) == (0, "")
    assert "600 strands" in said
    assert out.stat().st_size > 0
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["inspect", "nowhere.blend"], "does not exist"),
        (["inspect", "README.md"], "no .blend"),
        (["groom", "README.md", "--style", "afor", "--out", "x.blend"], "did you mean 'afro'"),
        (["groom", "README.md", "--style", "afro", "--length", "9", "--out", "x.blend"], "--length 9"),
        (["groom", "README.md", "--style", "afro", "--type", "9Z", "--out", "x.blend"], "9Z"),
        (["scalp", "README.md", "--out", "README.md"], "never changed"),
    ],
    ids=lambda words: words if isinstance(words, str) else words[0],
)
def test_bad_input_is_one_line_and_exit_code_2(words, told):
    code, out, err = digidouble(*words)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert told in err
