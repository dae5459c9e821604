from itertools import pairwise

from farm.cluster.plan import plan_tasks
from farm.dataset import EngineBuild
from farm.recipe import Recipe, content_hash, load_recipe, templates


def change(recipe, **values):
    return Recipe.model_validate(recipe.model_dump(exclude_unset=True) | values)


SMOKE = load_recipe(templates.path("recipes", "smoke"))
CLIP = change(SMOKE, capture=SMOKE.capture.model_dump(exclude_unset=True) | {"frames": 3})


def test_a_task_for_each_view_in_an_order_that_keeps_scenes_warm(build):
    tasks = plan_tasks(CLIP, build)
    assert [(task.variant.index, task.view.frame) for task in tasks] == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    assert len({task.key for task in tasks}) == 6


def test_equal_recipes_have_equal_tasks(build):
    assert plan_tasks(SMOKE, build) == plan_tasks(change(SMOKE), build)


def test_recipes_of_the_built_in_double_keep_the_keys_that_they_had_before_there_were_others():
    build = EngineBuild(blender="5.2.3", build_hash="x", device="cpu", digidouble="d")
    assert content_hash([task.key for task in plan_tasks(SMOKE, build)]) == "c9c48d8559b6b046"


def test_the_packed_file_decides_the_key_and_its_place_does_not(build):
    def keys(digit, file):
        own = change(SMOKE, axes={}, double={"file": file, "sha256": digit * 64})
        return [task.key for task in plan_tasks(own, build)]

    assert keys("1", "hero.blend") == keys("1", "/elsewhere/hero.blend") != keys("2", "hero.blend")


def test_what_decides_pixels_decides_the_key(build):
    keys = {task.key for task in plan_tasks(SMOKE, build)}
    capture = SMOKE.capture.model_dump(exclude_unset=True)
    for other in (
        change(SMOKE, seed=2),
        change(SMOKE, capture=capture | {"reference": 64}),
        change(SMOKE, capture=capture | {"resolution": (64, 48)}),
    ):
        assert not keys & {task.key for task in plan_tasks(other, build)}
    assert not keys & {task.key for task in plan_tasks(SMOKE, build.model_copy(update={"build_hash": "another"}))}


def test_a_larger_count_keeps_the_first_tasks(build):
    assert plan_tasks(change(SMOKE, count=5), build)[:2] == plan_tasks(SMOKE, build)


def test_the_same_doubles_come_together_and_among_them_the_same_grooms(build):
    axes = {
        "body": {"identity": {"choose": [3, 8]}, "age": 30, "gender": 0},
        "hair": {"style": {"choose": ["short", "bob"]}, "seed": 1},
        "light": {"preset": {"choose": ["studio", "sunset"]}},
        "camera": {"azimuth": {"uniform": [-30, 30]}},
    }
    recipe = Recipe.model_validate(
        {"digidouble": "recipe/1", "name": "wedge", "count": 24, "seed": 5, "axes": axes, "capture": {"frames": 2}}
    )
    tasks = plan_tasks(recipe, build)
    assert sorted(task.variant.index for task in tasks[::2]) == list(range(24))
    doubles = [task.double for task in tasks]
    grooms = [(task.variant.body.identity, task.variant.hair.style) for task in tasks]
    for kinds, count in ((doubles, 2), (grooms, 4)):
        assert len(set(kinds)) == count
        assert sum(one != other for one, other in pairwise(kinds)) == count - 1
    assert tasks == plan_tasks(recipe, build)
