from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy", reason="zones are read from textures by Blender")

from farm.double import pigment
from farm.double.pigment import absorbed, scatter, skin_tone, tint
from farm.double.zones import zone_masks, zone_sum
from farm.errors import TemplateError
from farm.recipe import templates

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_monk_tones_darken_from_1_to_10():
    tones = np.array([skin_tone(tone) for tone in range(1, 11)]) @ LUMINANCE
    assert (tones[1:] < 0.92 * tones[:-1]).all(), "although swatch 3 is published a little lighter than swatch 2"
    assert 0.3 < tones[0] < 0.55, "as measured of the lightest skin, not of paper"
    assert 0.02 < tones[-1] < 0.06


def test_tones_keep_the_order_of_the_swatches_hues():
    """Swatches 4 to 6 are the yellowest for their redness, 7 and 8 the reddest."""
    lab = pigment._tones()
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1]))
    assert hue[3:6].min() > hue[6:8].max()
    assert hue.min() > 45, "no skin is more red than yellow"


def test_blood_makes_lips_redder_and_less_yellow_than_the_skin_around():
    lips, rest = zone_masks()["lips"] > 0.9, np.abs(zone_sum("blood")) < 0.01
    for tone in (1, 4, 7):
        around, mouth = (np.median(tint(tone)[place], axis=0) for place in (rest, lips))
        assert mouth[0] / mouth[1] > 1.15 * around[0] / around[1]
        assert mouth[2] / mouth[1] > 0.95 * around[2] / around[1]


def test_a_tone_between_two_swatches_lies_between_them():
    low, middle, high = (np.array(skin_tone(tone)) for tone in (7, 7.5, 8))
    assert (low > middle).all()
    assert (middle > high).all()


def test_blood_reddens_and_melanin_browns():
    red, green, blue = absorbed(2, blood=1)
    assert red > 0.9
    assert max(green, blue) < 0.7
    red, green, blue = absorbed(2, melanin=1)
    assert red > green > blue


def test_palms_of_dark_skin_are_much_lighter_than_the_rest_and_of_light_skin_hardly():
    palm, rest = zone_sum("melanin") < -0.9, np.abs(zone_sum("melanin")) < 0.01
    shares = [np.median(tint(tone)[palm] @ LUMINANCE) / np.median(tint(tone)[rest] @ LUMINANCE) for tone in (2, 10)]
    assert 0.85 < shares[0] < 1.15
    assert 2.0 < shares[1] < 5.0


def test_the_inside_of_the_mouth_is_alike_in_all_tones():
    inside = zone_masks()["inside-mouth"] > 0.99
    assert inside.sum() > 50
    assert np.abs(tint(1)[inside] - tint(10)[inside]).max() < 0.01


def test_light_goes_less_deep_and_less_red_under_dark_skin():
    below = [scatter(tone) for tone in range(1, 11)]
    assert (np.diff([each.scale for each in below]) < 0).all()
    assert (np.diff([each.weight for each in below]) < 0).all()
    assert (np.diff([each.radius[1] for each in below]) > 0).all()


def test_a_short_monk_scale_is_named(monkeypatch):
    monkeypatch.setattr(templates, "load", lambda kind, name: {"swatches": ["#000000"]})
    with pytest.raises(TemplateError, match="expected 10 swatches, found 1"):
        pigment._swatches.__wrapped__()
