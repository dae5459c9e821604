"""Splits never part what is alike, and meet their shares otherwise."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.recipe import Variant
from farm.recipe.parameters import Body, Camera, Hair, Light, Pose, Skin, Stunt
from farm.recipe.splits import connected, share_out

SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}


def variant(index: int, identity: int, groom: int, style: str = "short") -> Variant:
    """One whose id differs by its camera."""
    return Variant(
        index=index,
        body=Body(identity=identity),
        skin=Skin(),
        hair=Hair(seed=groom, style=style),
        pose=Pose(),
        stunt=Stunt(),
        light=Light(),
        camera=Camera(azimuth=index / 10),
    )


def casts(most: int) -> st.SearchStrategy[list[Variant]]:
    pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=most)
    return pairs.map(lambda drawn: [variant(index, *pair) for index, pair in enumerate(drawn)])


weights = st.one_of(st.just(0), st.floats(0.01, 10))
shares = st.fixed_dictionaries(dict.fromkeys(SHARES, weights)).filter(lambda drawn: any(drawn.values()))


@given(casts(25), shares)
def test_equal_identities_and_grooms_are_never_parted(variants: list[Variant], drawn: dict[str, float]) -> None:
    splits = share_out(variants, drawn)
    assert list(splits) == [variant.id for variant in variants]
    for one, other in combinations(variants, 2):
        if one.identity == other.identity or one.groom == other.groom or one.body.identity == other.body.identity:
            assert splits[one.id] == splits[other.id]
    assert all(drawn[name] > 0 for name in splits.values())
    wanted = [name for name, share in drawn.items() if share > 0]
    assert len(set(splits.values())) == min(len(wanted), len(connected(variants)))


@given(casts(15), shares, st.randoms())
def test_the_order_of_variants_does_not_matter(variants: list[Variant], drawn: dict[str, float], random) -> None:
    mixed = list(variants)
    random.shuffle(mixed)
    assert share_out(mixed, drawn) == share_out(variants, drawn)


@given(st.integers(3, 60), shares)
def test_shares_are_nearly_met_where_nobody_is_alike(number: int, drawn: dict[str, float]) -> None:
    variants = [variant(index, index, index) for index in range(number)]
    counted = Counter(share_out(variants, drawn).values())
    for name, share in drawn.items():
        quota = number * share / sum(drawn.values())
        least = 1 if share > 0 else 0
        assert counted[name] >= least
        assert quota - 2 < counted[name] < quota + 1 or counted[name] == least


def test_large_groups_are_balanced_by_small_ones() -> None:
    variants = [variant(index, min(index, 5), index) for index in range(12)]  # seven share the face 5
    counted = Counter(share_out(variants, {"train": 0.5, "test": 0.5}).values())
    assert counted == {"train": 7, "test": 5}


def test_links_go_through_others_and_not_through_what_differs() -> None:
    chain = [variant(0, 1, 1), variant(1, 1, 2), variant(2, 3, 2), variant(3, 4, 4)]
    assert [len(group) for group in connected(chain)] == [3, 1]
    styles = [variant(0, 1, 9, "short"), variant(1, 2, 9, "afro")]
    assert len(connected(styles)) == 2


def test_a_recipe_with_one_performer_fills_one_split(make_recipe) -> None:
    recipe = make_recipe({"body": {"identity": 3}, "light": {"rotation": {"uniform": [0, 90]}}})
    assert set(recipe.splits(recipe.draw()).values()) == {"train"}


@pytest.mark.parametrize("count", [3, 6, 100])
def test_a_recipe_of_strangers_fills_its_splits(make_recipe, count: int) -> None:
    recipe = make_recipe(count=count)
    counted = Counter(recipe.splits(recipe.draw()).values())
    assert set(counted) == {"train", "valid", "test"}
    assert counted["train"] >= counted["valid"]
