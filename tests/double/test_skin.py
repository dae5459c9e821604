from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="materials need Blender's Python module")

from farm.double import skin
from farm.double.eyes import _colours
from farm.double.shading import linear_colour
from farm.errors import TemplateError
from farm.recipe import templates

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_monk_tones_darken_from_1_to_10():
    tones = np.array([skin.skin_tone(tone) for tone in range(1, 11)]) @ LUMINANCE
    falling = tones[:-1] > tones[1:]
    assert falling[[0, 2, 3, 4, 5, 6, 7, 8]].all()
    assert tones[2] / tones[1] == pytest.approx(1.02, abs=0.02), "swatch 3 is published a little lighter than swatch 2"


def test_a_tone_between_two_swatches_lies_between_them():
    low, middle, high = (np.array(skin.skin_tone(tone)) for tone in (7, 7.5, 8))
    assert (low > middle).all()
    assert (middle > high).all()


def test_zones_are_where_they_should_be():
    points = skin.base_mesh().vertices[:13380]
    lips = points[skin.zone_masks()["lips"] > 0.5]
    nails = points[skin.zone_masks()["nails"] > 0.5]
    assert np.abs(lips[:, 0]).max() < 0.03
    assert 0.64 < lips[:, 2].min() < lips[:, 2].max() < 0.68
    assert np.abs(nails[:, 0]).min() > 0.3


@pytest.mark.parametrize("code", ["#12345", "#gggggg", "red"])
def test_a_wrong_colour_is_named(code):
    with pytest.raises(TemplateError, match=f"here: '{code}' is not a colour; write it as '#a07e56'"):
        linear_colour(code, place="here")


def test_an_unknown_eye_colour_is_answered_with_the_nearest():
    with pytest.raises(TemplateError, match="did you mean 'brown'"):
        _colours("browm")


def test_a_missing_colour_of_an_eye_is_named(monkeypatch):
    monkeypatch.setattr(templates, "load", lambda kind, name: {"inner": "#000000", "outer": "#000000"})
    with pytest.raises(TemplateError, match=r"brown\.yaml: 'rim' is missing"):
        _colours("brown")


@pytest.mark.parametrize("name", templates.names("eyes"))
def test_shipped_eyes_are_complete(name):
    colours, fibres = _colours(name)
    assert list(colours) == ["inner", "outer", "rim"]
    assert 0 < fibres <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fibres": 7}, r"eyes/brown\.yaml: fibres: must be at most 1, found 7"),
        ({"fibers": 1}, r"eyes/brown\.yaml: unknown key 'fibers'; did you mean 'fibres'\?"),
        ({"rim": 0x102030}, r"eyes/brown\.yaml: rim: expected text, found 1056816; put it in quotes"),
        ({"rim": "brwn"}, r"eyes/brown\.yaml: rim: 'brwn' is not a colour"),
    ],
)
def test_a_wrong_eye_is_one_clear_message(monkeypatch, change, message):
    whole = templates.load("eyes", "brown")
    monkeypatch.setattr(templates, "load", lambda kind, name: whole | change)
    with pytest.raises(TemplateError, match=message):
        _colours("brown")


def test_a_short_monk_scale_is_named(monkeypatch):
    monkeypatch.setattr(templates, "load", lambda kind, name: {"swatches": ["#000000"]})
    with pytest.raises(TemplateError, match="expected 10 swatches, found 1"):
        skin._swatches.__wrapped__()
