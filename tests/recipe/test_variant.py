"""Ids and streams."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from farm.recipe import AXES, Variant, content_hash, stream


def variant(index: int = 0, **axes: dict) -> Variant:
    return Variant.model_validate({"index": index, **{axis: axes.get(axis, {}) for axis in AXES}})


def test_an_id_is_that_of_the_content() -> None:
    assert variant(1).id == variant(2).id
    assert variant(hair={"melanin": 0.1}).id != variant().id
    assert variant(hair={"melanin": 1}).id == variant(hair={"melanin": 1.0}).id


def test_identity_and_groom_are_parts_of_it() -> None:
    base, bald, tanned = variant(), variant(hair={"seed": 5}), variant(skin={"tone": 6})
    assert (bald.identity, bald.groom == base.groom) == (base.identity, False)
    assert (tanned.groom, tanned.identity == base.identity) == (base.groom, False)
    assert variant(light={"rotation": 5}).identity == base.identity


@pytest.mark.parametrize(
    "axes",
    [{"hair": {"melanin": 1.5}}, {"hair": {"melanine": 1}}, {"body": {"african": 0, "asian": 0, "caucasian": 0}},
     {"skin": {"tone": float("nan")}}],
)  # fmt: skip
def test_an_impossible_variant_is_refused(axes: dict) -> None:
    with pytest.raises(ValidationError):
        variant(**axes)


def test_content_hashes_ignore_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"a": 1, "b": [1, 2]}) != content_hash({"a": 1, "b": [2, 1]})
    with pytest.raises(ValueError, match="JSON"):
        content_hash(float("nan"))


def test_streams_go_by_name() -> None:
    draws = {names: stream(1, *names).random(4) for names in [("a",), ("a", 1), ("a", 2), ("b",)]}
    assert all(np.array_equal(numbers, stream(1, *names).random(4)) for names, numbers in draws.items())
    assert len({float(numbers[0]) for numbers in draws.values()} | {stream(2, "a").random()}) == 5
    assert stream(7, 0, "hair.melanin").random() == 0.9394292172270962
