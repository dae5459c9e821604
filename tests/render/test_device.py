"""Which device renders. No machine of ours has a card: what Blender finds is set up where a test needs one."""

import json
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="renders need bpy")

from farm.errors import BadInput
from farm.render import device


@pytest.fixture(scope="module")
def scene(small_scene):
    return small_scene.build()


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path))
    return tmp_path


def there(monkeypatch, **kinds):
    """Let this machine have cards, and give the seconds of each kind; returns the list of what was measured."""
    measured = []

    def measure(asked):
        measured.append(sorted(asked))
        return {kind: (60.0, kinds[kind]) for kind in asked}

    monkeypatch.setattr(device, "found_kinds", lambda: {kind: ["Card 9000"] for kind in kinds})
    monkeypatch.setattr(device, "measure_kinds", measure)
    return measured


def test_a_missing_gpu_is_an_error_and_not_the_cpu(scene):
    if device.found_kinds():
        pytest.skip("this machine has a GPU")
    with pytest.raises(BadInput, match="'cuda' was asked for .* --device cpu"):
        device.choose_device(scene, "cuda")
    assert scene.cycles.device == "CPU"


def test_a_device_that_the_build_does_not_know(scene):
    with pytest.raises(BadInput, match="'abacus' is not known"):
        device.choose_device(scene, "abacus")


def test_a_gpu_of_any_kind_must_be_there(kept, monkeypatch):
    there(monkeypatch)
    with pytest.raises(BadInput, match="a GPU was asked for and Blender finds none among optix, .*--device cpu"):
        device.resolve_kind("gpu")


def test_the_only_kind_is_taken(kept, monkeypatch):
    measured = there(monkeypatch, hip=1.0)
    assert device.resolve_kind("gpu") == "hip"
    assert measured == [["hip"]], "so that its kernels are compiled before the first pair"


def test_kinds_are_measured_once_a_machine_where_a_card_has_two_kinds(kept, monkeypatch):
    measured = there(monkeypatch, optix=0.9, cuda=0.4)
    assert [device.resolve_kind("gpu") for _ in range(3)] == ["cuda"] * 3
    assert measured == [["cuda", "optix"]]
    (known,) = json.loads((kept / "devices.json").read_text()).values()
    assert known == {"optix": 0.9, "cuda": 0.4}


def test_what_was_measured_for_another_card_or_is_broken_is_measured_again(kept, monkeypatch):
    (kept / "devices.json").write_text(json.dumps({"b00b Card 1": {"optix": 1, "cuda": 2}}))
    measured = there(monkeypatch, optix=0.3, cuda=0.4)
    assert device.resolve_kind("gpu") == "optix"
    (kept / "devices.json").write_text("{")
    assert device.resolve_kind("gpu") == "optix"
    assert len(measured) == 2


def test_kinds_are_measured_where_nothing_can_be_kept(monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", "")
    there(monkeypatch, optix=0.3, cuda=0.4)
    assert device.resolve_kind("gpu") == "optix"


def test_a_kind_that_is_named_is_not_second_guessed(kept, monkeypatch):
    measured = there(monkeypatch, optix=0.3, cuda=0.4)
    monkeypatch.setattr(device, "_entries", lambda kind: [SimpleNamespace(name="Card 9000")])
    assert device.resolve_kind("cuda") == "cuda"
    assert measured == [["cuda"]]
    assert device.resolve_kind("gpu") == "optix"
    assert measured == [["cuda"], ["optix"]]


def test_a_kind_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setattr(device, "_entries", lambda kind: [])
    with pytest.raises(BadInput, match="device 'cuda' was asked for and there is none .*--device cpu"):
        device.resolve_kind("cuda")


def test_compiled_kernels_are_kept_beside_the_other_caches(kept, monkeypatch):
    monkeypatch.delenv("CUDA_CACHE_PATH", raising=False)
    monkeypatch.setenv("OPTIX_CACHE_PATH", "/elsewhere")
    monkeypatch.delenv("CUDA_CACHE_MAXSIZE", raising=False)
    device.keep_kernels()
    assert device.os.environ["CUDA_CACHE_PATH"] == str(kept / "kernels" / "cuda")
    assert (kept / "kernels" / "cuda").is_dir()
    assert device.os.environ["OPTIX_CACHE_PATH"] == "/elsewhere"
    monkeypatch.delenv("CUDA_CACHE_PATH")
    monkeypatch.delenv("CUDA_CACHE_MAXSIZE")


def test_measuring_renders_twice_on_the_device(small_scene):
    first, second = device.measure_kinds(["cpu"], small_scene.build)["cpu"]
    assert first > 0
    assert second > 0
    assert bpy.context.scene.cycles.seed == 1


def test_the_probe_shows_hair():
    scene = device.probe_scene()
    hair = bpy.data.objects["hair"].data
    assert len(hair.curves) == 5000
    assert scene.camera is not None
