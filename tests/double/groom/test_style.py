import copy

import pytest

from farm.double.groom.style import REGIONS, load_hairstyle, parse_hairstyle
from farm.errors import TemplateError
from farm.recipe import templates


@pytest.fixture
def data():
    return copy.deepcopy(templates.load("hairstyles", "short"))


@pytest.mark.parametrize("name", templates.names("hairstyles"))
def test_every_shipped_style_is_complete(name):
    style = load_hairstyle(name)
    if style.bald or style.tie:
        return
    for quantity in ("length", "lift", "volume"):
        assert len(style.table(quantity)) == len(REGIONS)
    assert {len(figures) for figures in style.comb_table().values()} == {len(REGIONS)}


def test_a_region_takes_what_it_leaves_out_from_all(data):
    data["regions"] = {"all": data["regions"]["all"], "top": {"length": 0.4}}
    style = parse_hairstyle(data, place="here")
    assert style.table("length")[list(REGIONS).index("top")] == 0.4
    assert style.table("lift") == [data["regions"]["all"]["lift"]] * len(REGIONS)


def test_an_unknown_region_names_the_nearest(data):
    data["regions"]["nap"] = {"length": 0.1}
    with pytest.raises(TemplateError, match=r"here: regions: unknown region 'nap'.*'nape'"):
        parse_hairstyle(data, place="here")


def test_a_missing_figure_names_its_place(data):
    del data["regions"]["all"]["lift"], data["regions"]["nape"]["lift"]
    with pytest.raises(TemplateError, match=r"here: regions\.nape\.lift is missing"):
        parse_hairstyle(data, place="here")


def test_an_impossible_figure_is_named(data):
    data["regions"]["top"]["length"] = -1
    with pytest.raises(TemplateError, match=r"here: regions\.top\.length: .*-1"):
        parse_hairstyle(data, place="here")


def test_an_unknown_key_is_refused(data):
    data["sparkle"] = 3
    with pytest.raises(TemplateError, match="sparkle"):
        parse_hairstyle(data, place="here")


def test_an_unknown_style_names_the_nearest():
    with pytest.raises(TemplateError, match="'short'"):
        load_hairstyle("shrot")
