"""Hair types: in order from straight to coily, and worn by a style as far as it does not hold them back."""

import numpy as np
import pytest

from farm.double.groom.style import Hairstyle, Texture, load_hairstyle
from farm.double.groom.texture import HairType, load_hairtype, textured
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Hair

TYPES = ("1A", "1B", "1C", "2A", "2B", "2C", "3A", "3B", "3C", "4A", "4B", "4C")


def worn(style: Hairstyle, kind: str, **texture: object) -> Hairstyle:
    return textured(style.model_copy(update={"texture": Texture(**texture)}), Hair(type=kind))


@pytest.fixture(scope="module")
def loose() -> Hairstyle:
    return load_hairstyle("shoulder_straight")


def test_there_is_a_template_for_each_of_walkers_types():
    assert templates.names("hairtypes") == sorted(TYPES)


def test_types_are_ordered_from_straight_to_coily():
    types = [load_hairtype(name) for name in TYPES]
    shrinkage = [each.shrinkage for each in types]
    assert shrinkage == sorted(shrinkage)
    assert shrinkage[0] == 0
    assert shrinkage[-1] > 0.5
    curled = [each.curl for each in types if each.curl and each.curl.radius > 0]
    assert len(curled) == 7
    radii = [curl.radius for curl in curled[1:]]
    assert radii == sorted(radii, reverse=True)
    turns = [curl.turns for curl in curled[1:]]
    assert turns == sorted(turns)
    assert 0.001 <= radii[-1] <= 0.004 < radii[0] < 0.0125


@pytest.mark.parametrize("kind", ["3A", "3B", "3C", "4A", "4B", "4C"])
def test_a_curls_arc_takes_up_most_of_what_hair_shrinks_by(kind):
    curl = load_hairtype(kind).curl
    arc = np.hypot(1, 2 * np.pi * curl.radius * curl.turns)
    shrinkage = load_hairtype(kind).shrinkage
    assert shrinkage - 0.2 < 1 - 1 / arc < shrinkage + 0.05


def test_loose_hair_takes_the_type_wholly(loose):
    coily = worn(loose, "4A", like="1B", hold=0.0)
    assert coily.curl == load_hairtype("4A").curl
    assert coily.longest == pytest.approx(0.5 * loose.longest, rel=0.05)
    assert worn(loose, "1B", like="1B", hold=0.0).curl is None


def test_held_hair_keeps_the_style(loose):
    held = worn(loose, "4C", like="1B", hold=1.0)
    assert held.curl is None
    assert held.longest == pytest.approx(loose.longest)
    assert held.wave == loose.wave
    assert held.fall == loose.fall


def test_straight_hair_that_is_set_towards_coils_takes_them():
    afro = load_hairstyle("afro")
    for kind in ("1A", "4C"):
        style = worn(afro, kind, like="4A", hold=0.85)
        assert style.curl is not None
        assert 0.6 < style.longest / afro.longest < 1.4


def test_a_bob_of_coily_hair_stands_no_longer_than_it_hangs(loose):
    lengths = [worn(loose, kind, like="1B", hold=0.0).longest for kind in TYPES]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 0.45 * lengths[0]


def test_coily_hair_stands_and_straight_hair_hangs(loose):
    gravity = [worn(loose, kind, like="1B", hold=0.0).fall.gravity for kind in ("1A", "3B", "4C")]
    assert gravity[0] == loose.fall.gravity > gravity[1] > gravity[2]


@pytest.mark.parametrize("style", sorted(templates.names("hairstyles")))
@pytest.mark.parametrize("kind", ["1A", "2C", "3B", "4C"])
def test_every_style_can_be_worn_by_every_type(style, kind):
    result = textured(load_hairstyle(style), Hair(style=style, type=kind))
    assert Hairstyle.model_validate(result.model_dump()) == result


def test_a_type_that_shrinks_to_nothing_is_refused():
    data = {**templates.load("hairtypes", "4C"), "shrinkage": 1.0}
    with pytest.raises(TemplateError, match="shrinkage"):
        templates.validate(HairType, data, source="here")
