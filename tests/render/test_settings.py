import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.errors import RenderError
from farm.recipe import Capture
from farm.render import settings
from farm.render.settings import configure, engine_build, prepare_subset, read_back


@pytest.fixture(scope="module")
def scene(small_scene):
    return small_scene.build()


def test_nothing_biases_the_mean(scene):
    settings = read_back(scene)
    assert settings["cycles.use_denoising"] is False
    assert settings["cycles.use_adaptive_sampling"] is False
    assert settings["cycles.sample_clamp_indirect"] == 0
    assert settings["cycles.blur_glossy"] == 0
    assert settings["cycles.film_exposure"] == 1
    assert settings["colour.scene_linear"] == "Linear Rec.709"


@pytest.mark.parametrize(
    ("name", "value"),
    [("use_denoising", True), ("use_adaptive_sampling", True), ("sample_clamp_indirect", 10.0), ("blur_glossy", 1.0)],
)
def test_a_biasing_setting_is_refused(scene, name, value):
    before = getattr(scene.cycles, name)
    setattr(scene.cycles, name, value)
    try:
        with pytest.raises(RenderError, match=f"cycles.{name}"):
            read_back(scene)
    finally:
        setattr(scene.cycles, name, before)


def test_samples_past_the_sequence_are_refused(scene):
    with pytest.raises(RenderError, match="exceed"):
        prepare_subset(scene, seed=1, offset=1, length=scene.cycles.samples)


def test_the_build_is_named():
    build = engine_build("cpu")
    assert build.blender.startswith("5.2")
    assert len(build.build_hash) == 12
    assert build.device == "cpu"


def test_other_templates_or_another_base_mesh_are_another_build(monkeypatch):
    known = {engine_build("cpu").digidouble}
    monkeypatch.setattr(settings, "templates_digest", lambda: "0" * 64)
    known.add(engine_build("cpu").digidouble)
    monkeypatch.setattr(settings, "data_digest", lambda: "0" * 64)
    assert len(known | {engine_build("cpu").digidouble}) == 3


def test_a_bias_is_let_through_where_the_recipe_says_so_and_no_other(scene):
    biased = Capture(
        resolution=(48, 40), samples=(1,), reference=4, allow_bias={"clamp_indirect": 10, "blur_glossy": 1}
    )
    plain = Capture(resolution=(48, 40), samples=(1,), reference=4)
    configure(scene, biased)
    try:
        settings = read_back(scene, biased)
        assert (settings["cycles.sample_clamp_indirect"], settings["cycles.blur_glossy"]) == (10, 1)
        with pytest.raises(RenderError, match=r"sample_clamp_indirect is 10.0 .* capture.allow_bias"):
            read_back(scene, plain)
        scene.cycles.sample_clamp_direct = 5.0
        with pytest.raises(RenderError, match="sample_clamp_direct"):
            read_back(scene, biased)
    finally:
        configure(scene, plain)
    read_back(scene)
