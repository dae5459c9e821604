"""What a run will take, from what pairs took."""

import json

import pytest

from farm.cluster.estimate import calibrate, capture_work, estimate, tell
from farm.cluster.plan import plan_tasks
from farm.dataset import Record
from farm.recipe import Recipe, load_recipe, templates

SMOKE = load_recipe(templates.path("recipes", "smoke"))


def recipe(count=4, frames=5, **capture):
    data = SMOKE.model_dump(exclude_unset=True) | {"count": count}
    data["capture"] = {"resolution": [32, 32], "samples": [1, 4], "reference": 64, "frames": frames} | capture
    return Recipe.model_validate(data)


def record(task, engine, *, apply, samples=64):
    """A pair that took a second a million pixel samples, and half a second beside."""
    light = 32 * 32 * (5 + samples) * 1e-6
    file = {"sha256": "0" * 64, "bytes": 1000, "seeds": (1,), "samples": 1}
    one = {"fl_x": 1, "fl_y": 1, "cx": 1, "cy": 1, "focal_length": 1, "sensor_width": 1, "sensor_height": 1}
    return Record.model_validate(
        {
            "task": task.key,
            "recipe": "0",
            "variant_id": task.variant.id,
            "variant": task.variant,
            "view": task.view,
            "files": dict.fromkeys(("noisy_0001spp_r00.exr", "noisy_0004spp_r00.exr", "reference.exr"), file),
            "residual": {"relmse": 0, "best_noisy_relmse": 1, "ratio": 0, "threshold": 1, "samples": samples,
                         "converged": True},
            "camera": {"matrix_world": [[0] * 4] * 4, **one},
            "settings": {},
            "engine": engine,
            "timings": {"apply": apply, "data": 0.3, "write": 0.2, "noisy": light * 0.1, "reference": light * 0.9},
        }
    )  # fmt: skip


@pytest.fixture
def measured(build, engine):
    made = recipe()
    tasks = plan_tasks(made, build)
    return made, tasks, calibrate([record(tasks[0], engine, apply=7), record(tasks[1], engine, apply=1)], made.capture)


def test_a_pair_is_taken_apart(measured):
    _, _, found = measured
    assert found.build == 7
    assert found.fixed == pytest.approx(1.5)
    assert found.sample == pytest.approx(1e-6)
    assert found.pairs == 2


def test_what_was_measured_lies_within_the_estimate(measured):
    made, tasks, found = measured
    told = estimate(tasks, made, found)
    assert (told.pairs, told.doubles) == (20, 4)
    true = 4 * 7 + 20 * (1.5 + 32 * 32 * 69 * 1e-6)
    low, high = told.seconds
    assert low < true < high
    assert told.hours(4)[1] == pytest.approx(high / 4 / 3600)
    assert told.cost(2.0)[1] == pytest.approx(high / 1800)


def test_more_samples_pixels_and_images_take_more(measured):
    made, tasks, found = measured
    less = estimate(tasks, made, found)
    larger = recipe(resolution=[64, 64])
    more = estimate(tasks, larger, found)
    assert more.bytes[1] == pytest.approx(4 * less.bytes[1])
    assert more.seconds[1] > less.seconds[1]
    deeper = recipe(reference=1024)
    assert capture_work(deeper.capture).most > 10 * capture_work(made.capture).most
    assert capture_work(deeper.capture).least == 32 * 32 * (5 + 128), "it may end after two chunks"


def test_one_pair_tells_less_surely(measured, build, engine):
    made, tasks, two = measured
    one = calibrate([record(tasks[0], engine, apply=7)], made.capture)
    assert one.spread > two.spread
    lines = tell(estimate(tasks, made, one), one, workers=2, price=0.5)
    assert "1 pair, ± 50 %" in lines[-1]
    assert any(line.startswith("cost") for line in lines)


def test_plan_shows_what_a_dataset_tells(tmp_path, build, engine):
    from click.testing import CliRunner

    from farm.cli import cli
    from farm.dataset import create_dataset

    made = recipe()
    file = tmp_path / "recipe.yaml"
    file.write_text(made.to_yaml())
    plan = ["plan", str(file), "--out", str(tmp_path / "d"), "--workers", "4"]
    assert "not known yet" in CliRunner().invoke(cli, plan).output
    dataset = create_dataset(tmp_path / "d", made, engine=build)
    first = record(plan_tasks(made, build)[0], engine, apply=7)
    first = first.model_copy(update={"recipe": dataset.info.recipe.digest})
    folder = first.folder(dataset.root)
    folder.path.mkdir(parents=True)
    for name in first.files:
        (folder.path / name).write_bytes(b"\0" * 1000)
    folder.record.write_text(json.dumps(first.model_dump(mode="json")))
    shown = CliRunner().invoke(cli, plan).output
    assert "with 4 workers on CPU" in shown
    data = json.loads(CliRunner().invoke(cli, [*plan, "--json"]).output)["estimate"]
    assert data["seconds"][0] < data["seconds"][1]
    assert data["measured_pairs"] == 1
