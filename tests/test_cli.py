"""The command line: help that teaches, one message and the right exit code for bad input, nothing written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from farm.cli import cli

ROOT = Path(__file__).parents[1]
SMOKE = ROOT / "templates" / "recipes" / "smoke.yaml"
NEEDS_RENDERER = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import bpy, ray"], capture_output=True, check=False).returncode != 0,
    reason="rendering needs bpy and ray",
)


def digidouble(*words):
    done = subprocess.run(
        [sys.executable, "-m", "farm.cli", *(str(word) for word in words)],
        capture_output=True, text=True, cwd=ROOT, timeout=200, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def smoke_with(tmp_path, *changes):
    """The smoke recipe with some of its text replaced."""
    text = SMOKE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    return recipe


def test_commands_come_in_the_order_of_work():
    assert list(cli.commands) == [
        "doctor",
        "plan",
        "render",
        "pause",
        "resume",
        "check",
        "report",
        "index",
        "card",
        "export",
        "templates",
        "double",
        "motion",
        "pose",
        "submit",
        "status",
        "logs",
        "cancel",
        "fetch",
        "train",
        "evaluate",
        "denoise",
        "onnx",
    ]


@pytest.mark.parametrize("command", [[], *([name] for name in cli.commands)])
def test_help_teaches_with_an_example(command):
    code, out, _ = digidouble(*command, "--help")
    assert code == 0
    assert "  digidouble " in out


def commands(command, words="digidouble"):
    """Every command and group, by the words that call it."""
    found = {words: command}
    for name, each in getattr(command, "commands", {}).items():
        found |= commands(each, f"{words} {name}")
    return found


@pytest.mark.parametrize("words", commands(cli))
def test_examples_stand_on_lines_of_their_own(words):
    command = commands(cli)[words]
    context = click.Context(command, info_name=words, max_content_width=100)
    shown = command.get_help(context)
    assert "\\b" not in shown
    assert "\b" not in shown
    told = [line.strip() for line in shown.splitlines() if "digidouble " in line and "Usage:" not in line]
    assert told
    for line in told:
        assert line.startswith("digidouble "), line
    assert re.search(r"^  (Examples?|A first dataset):$", shown, re.MULTILINE)


MISTAKES = {
    "typo": ([("strands: 1500", "strnads: 1500")], ["recipe.yaml:17", "strnads", "did you mean", "strands"]),
    "count": ([("count: 2", "count: -2")], ["recipe.yaml:6", "-2", "count"]),
    "hairstyle": ([("style: short", "style: shrot")], ["recipe.yaml:15", "shrot", "did you mean", "short"]),
    "unit": ([("[-30 deg, 30 deg]", "[-30 kg, 30 kg]")], ["recipe.yaml:24", "kg", "deg"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_recipe_is_one_message(tmp_path, mistake):
    changes, words = MISTAKES[mistake]
    recipe = smoke_with(tmp_path, *changes)
    for command in (["plan", recipe], ["render", recipe, "--out", tmp_path / "out"]):
        code, out, err = digidouble(*command)
        assert (code, out) == (2, "")
        if mistake != "unit":
            assert len(err.splitlines()) == 1, err
        for word in words:
            assert word in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


@NEEDS_RENDERER
def test_a_place_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    for place in (blocked, blocked / "dataset", Path("/proc/digidouble")):
        code, out, err = digidouble("render", SMOKE, "--out", place)
        assert code == 2, (place, out, err)
        assert len(err.splitlines()) == 1, err
        assert str(place) in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@NEEDS_RENDERER
def test_a_folder_with_other_things_or_another_recipes_dataset(tmp_path):
    from farm.dataset import EngineBuild, create_dataset
    from farm.recipe import load_recipe

    other = tmp_path / "other"
    build = EngineBuild(blender="5.2.3 LTS", build_hash="e13b728c6880", device="cpu", digidouble="0" * 16)
    create_dataset(other, load_recipe(SMOKE), engine=build)
    holiday = tmp_path / "holiday"
    holiday.mkdir()
    (holiday / "photo.jpg").write_text("beach")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    recipe = smoke_with(holiday.parent, ("seed: 1", "seed: 2"))
    for place, words in ((other, ["holds the dataset of recipe 'smoke'", "another folder"]), (holiday, ["photo.jpg"])):
        code, _, err = digidouble("render", recipe, "--out", place)
        assert code == 2
        assert len(err.splitlines()) == 1, err
        for word in words:
            assert word in err
    recipe.unlink()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@NEEDS_RENDERER
def test_a_gpu_that_is_not_there(tmp_path):
    if Path("/proc/driver/nvidia/gpus").is_dir():
        pytest.skip("this machine has an NVIDIA GPU")
    code, _, err = digidouble("render", SMOKE, "--out", tmp_path / "out", "--device", "optix")
    assert code == 2, err
    assert "optix" in err
    assert "--device cpu" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [["check", "nowhere"], ["report", "nowhere"], ["plan", "nowhere.yaml"], ["templates", "hairstile"], ["polish"],
     ["render"], ["templates", "hairstyles", "afo"]],
    ids=" ".join,
)  # fmt: skip
def test_other_bad_input(command):
    code, out, err = digidouble(*command)
    assert (code, out) == (2, "")
    assert err.strip()


def test_plan_as_json(tmp_path):
    code, out, _ = digidouble("plan", SMOKE, "--json")
    assert code == 0
    plan = json.loads(out)
    assert [variant["number"] for variant in plan["variants"]] == [0, 1]


def test_plan_as_a_table():
    code, out, _ = digidouble("plan", SMOKE)
    assert code == 0
    assert "smoke" in out
    assert "2 pairs" in out


UNMET = "rules[0]: no variant can suit it: hair.style is never braid"


@pytest.fixture
def unmet(tmp_path):
    """A recipe with a rule that no variant can suit, another, and a file where a dataset cannot be."""
    rules = "rules:\n- {where: {hair.style: braid}, set: {hair.frizz: 0}}\n"
    rules += "- {where: {hair.style: short}, set: {hair.frizz: 0}}\n"
    (tmp_path / "blocked").write_text("in the way")
    return smoke_with(tmp_path, ("capture:", f"{rules}\ncapture:"))


@NEEDS_RENDERER
def test_a_rule_that_no_variant_can_suit_is_told_before_rendering(unmet):
    words = ("render", unmet, "--out", unmet.parent / "blocked")
    code, out, err = digidouble(*words)
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == f"note: {UNMET}"
    assert err.count("no variant") == 1
    _, out, err = digidouble(*words, "--progress", "jsonl")
    assert "no variant" not in err
    (line,) = out.splitlines()
    told = json.loads(line)
    assert (told["event"], told["message"]) == ("notice", UNMET)


def test_a_rule_that_no_variant_can_suit_is_told_before_submitting(unmet):
    code, out, err = digidouble(
        "submit", unmet, "--cluster", "http://localhost:1", "--out", unmet.parent / "out", "--dry-run"
    )
    assert (code, err) == (0, f"note: {UNMET}\n")
    assert "no variant" not in out


def test_templates_are_listed_and_printed():
    assert "afro" in digidouble("templates")[1]
    assert "shoulder_straight" in digidouble("templates", "hairstyles")[1]
    assert digidouble("templates", "recipes", "smoke")[1] == SMOKE.read_text()


@NEEDS_RENDERER
def test_doctor_finds_this_machine_fit():
    code, out, _ = digidouble("doctor")
    assert code == 0, out
    for name in ("Python", "Blender", "Ray", "Base mesh", "Templates", "Machine", "Disk"):
        assert f"ok   {name}" in out


def test_doctor_names_the_remedy(monkeypatch, tmp_path):
    import farm.doctor

    monkeypatch.setattr(farm.doctor, "available_memory", lambda: 2**30)
    monkeypatch.setattr(farm.doctor, "_blender", lambda: farm.doctor.Finding("Blender", "missing", "install it"))
    unwell = [finding for finding in farm.doctor.examine(tmp_path) if not finding.ok]
    assert [finding.name for finding in unwell] == ["Blender", "Machine"]
    assert "memory" in unwell[1].remedy


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sheet", "a.png"], "--sheet needs a kind of template"),
        (["hairstyles", "--sheet", "a.jpg"], "a sheet is a PNG"),
        (["hairstyles", "--sheet", "nowhere/a.png"], "the folder nowhere is missing"),
        (["lights", "--sheet", "a.png"], "lights have no sheet"),
        (["hairstyles", "shrot", "--sheet", "a.png"], "did you mean 'short'"),
    ],
)
def test_a_sheet_that_cannot_be_made_is_one_message(words, message):
    code, out, err = digidouble("templates", *words)
    assert (code, out) == (2, "")
    assert message in err
