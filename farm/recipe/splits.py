"""Shares variants out to training, validation and testing, without parting what is alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from farm.recipe.parameters import OWN_FACE
from farm.recipe.variant import Variant, content_hash

__all__ = ["connected", "share_out"]


def _traits(variant: Variant) -> list[tuple[str, str]]:
    """What two variants of different splits must not share: the face and the strands.

    Equal identities have equal faces and equal grooms equal strands, so neither is parted; nor is a performer seen
    at two ages or a groom in two colours.
    """
    strands = content_hash([variant.hair.style, variant.hair.seed])
    body = variant.body
    face = body.identity if body.face == OWN_FACE else body.face
    return [("body", str(body.identity)), ("face", str(face)), ("strands", strands)]


def connected(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Groups of variants that are linked by a shared face or shared strands, directly or through others."""
    parent = list(range(len(variants)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, variant in enumerate(variants):
        for trait in _traits(variant):
            parent[root(place)] = root(first.setdefault(trait, place))
    groups: dict[int, list[Variant]] = defaultdict(list)
    for place, variant in enumerate(variants):
        groups[root(place)].append(variant)
    return list(groups.values())


def share_out(variants: Sequence[Variant], shares: Mapping[str, float]) -> dict[str, str]:
    """The split of each variant's id.

    Groups of `connected` variants, the largest first and equal ones in the order of a hash, go one by one to the
    split that is furthest below its quota. Then each split that has a share but got nothing receives the smallest
    group of a split that has several, as far as there are enough groups.

    Args:
        variants: With ids of their own.
        shares: Weight of each split; only proportions count. One without weight gets nothing.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    total = sum(wanted.values())
    quota = {name: share / total * len(variants) for name, share in wanted.items()}
    given: dict[str, list[list[Variant]]] = {name: [] for name in wanted}
    for group in sorted(connected(variants), key=_order):
        name = max(quota, key=lambda name: quota[name] - _size(given[name]))
        given[name].append(group)
    for groups in given.values():
        donors = [name for name in given if len(given[name]) > 1]
        if not groups and donors:
            donor = max(donors, key=lambda name: _size(given[name]) - quota[name])
            groups.append(given[donor].pop())
    chosen = {variant.id: name for name, groups in given.items() for group in groups for variant in group}
    return {variant.id: chosen[variant.id] for variant in variants}


def _order(group: list[Variant]) -> tuple[int, str]:
    return -len(group), content_hash(sorted(variant.id for variant in group))


def _size(groups: list[list[Variant]]) -> int:
    return sum(map(len, groups))
