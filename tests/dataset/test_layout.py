"""Names: what is written is read back, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.dataset.layout import (
    LEASE_NAME,
    NOISY_NAME,
    PAIR_PATH,
    Name,
    PairFolder,
    noisy_name,
    pair_key,
    parse_noisy,
    parse_pair_path,
)

IDS = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(spp=st.integers(0, 10**6), replica=st.integers(0, 10**4))
def test_noisy_names_go_round(spp: int, replica: int) -> None:
    assert parse_noisy(noisy_name(spp, replica)) == (spp, replica)


@given(variant=IDS, frame=st.integers(0, 10**6))
def test_pair_paths_go_round(variant: str, frame: int) -> None:
    assert parse_pair_path(pair_key(variant, frame)) == (variant, frame)


@given(st.text(max_size=40) | st.from_regex(r"noisy_[0-9]{2,6}spp_r[0-9]{1,3}\.exr", fullmatch=True))
def test_only_names_that_are_written_are_read(text: str) -> None:
    values = NOISY_NAME.parse(text)
    assert values is None or NOISY_NAME.format(**values) == text


def test_names_as_documented() -> None:
    assert noisy_name(4, 0) == "noisy_0004spp_r00.exr"
    assert noisy_name(16_384, 7) == "noisy_16384spp_r07.exr"
    assert LEASE_NAME.format(number=1) == "writer-0001.lease"
    assert pair_key("0123456789abcdef", 12) == "pairs/0123456789abcdef/f0012"


@pytest.mark.parametrize(
    "name",
    [
        "noisy_004spp_r00.exr",
        "noisy_00004spp_r00.exr",
        "noisy_0004spp_r0.exr",
        "noisy_0004spp_r00.exr.partial",
        "noisy_٠٠٠٤spp_r00.exr",
        "reference.exr",
        "noisy_0004spp_r00.exr\n",
    ],
)
def test_other_names_are_not_noisy_images(name: str) -> None:
    assert parse_noisy(name) is None


@pytest.mark.parametrize("path", ["pairs/0123/f0001", "pairs/0123456789abcdeF/f0001", "pairs/0123456789abcdef/f1", ""])
def test_other_paths_are_not_pairs(path: str) -> None:
    assert parse_pair_path(path) is None


@pytest.mark.parametrize("values", [{"variant": "xyz", "frame": 1}, {"variant": "0" * 16, "frame": -1}])
def test_values_that_would_not_be_read_back_are_refused(values: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="does not fit the grammar"):
        PAIR_PATH.format(**values)


def test_a_name_is_one_grammar() -> None:
    name = Name("f{frame:04d}.x")
    assert name.format(frame=12) == "f0012.x"
    assert name.parse("f0012.x") == {"frame": 12}
    assert name.parse("f0012yx") is None


def test_a_pair_knows_its_files() -> None:
    pair = PairFolder(Path("root"), "0123456789abcdef", 3)
    assert pair.noisy(4, 1) == Path("root/pairs/0123456789abcdef/f0003/noisy_0004spp_r01.exr")
    assert {pair.reference.name, pair.record.name} == {"reference.exr", "record.json"}
