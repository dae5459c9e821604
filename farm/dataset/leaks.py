"""Splits that leak: a face or a groom in two of them would let a model be tested on what it was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from farm.dataset.place import Place
from farm.errors import DatasetError
from farm.recipe.parameters import OWN_FACE

__all__ = ["Leak", "find_leaks", "refuse_leaks"]


class Leak(NamedTuple):
    """What two pairs of different splits share: `trait` is identity, face or groom; the pairs come with their split."""

    trait: str
    pair: str
    split: str
    other: str
    other_split: str

    def __str__(self) -> str:
        return f"the {self.trait} of {self.pair} ({self.split}) is also in {self.other} ({self.other_split})"


def find_leaks(rows: Iterable[Mapping[str, Any]]) -> Iterator[Leak]:
    """Every row of an index that shares its identity, face or strands with an earlier row of another split."""
    first: dict[tuple[str, Any], tuple[str, str]] = {}
    for row in rows:
        for trait, value in _traits(row):
            split, pair = first.setdefault((trait, value), (row["split"], row["pair"]))
            if split != row["split"]:
                yield Leak(trait, row["pair"], row["split"], pair, split)


def refuse_leaks(rows: Iterable[Mapping[str, Any]], place: Place | str) -> None:
    """Raises DatasetError for the first leak in an index's rows; `place` is the dataset's, for the message."""
    leak = next(find_leaks(rows), None)
    if leak is not None:
        raise DatasetError(f"{place}: splits leak: {leak}; render the recipe into a new folder to split it anew")


def _traits(row: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What `Recipe.splits` never parts, as the index spells it."""
    identity, face = row["body.identity"], row["body.face"]
    return [
        ("identity", identity),
        ("face", identity if face == OWN_FACE else face),
        ("groom", (row["hair.style"], row["hair.seed"])),
    ]
