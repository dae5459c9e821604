"""Tar shards for webdataset and its kin: a sample a pair, its fields the pair's own files, bytes as they are.

    TO/<split>-<number>.tar     <variant>_f<frame>.<file of the pair>, side by side
    TO/<split>.json             the split's shards with their samples and lengths (wids' shard index)

Pairs come in the order of a hash of their variant, so that a shard is a random sample of the split; the frames of a
clip stay together. Which pair goes into which shard is settled before the first is written, so any number of
processes make the same shards.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from farm.dataset.export.item import Item, Plan, json_item
from farm.dataset.export.source import Row, Source, pair_name, read_verified
from farm.dataset.files import replacing, size_of
from farm.dataset.layout import RECORD_NAME
from farm.dataset.place import Place
from farm.recipe import content_hash

__all__ = ["SHARD_BYTES", "plan"]

SHARD_BYTES: Final = 1_000_000_000
"""A shard is closed before the pair that would make it longer than this."""


class _Member(NamedTuple):
    """A file of a shard: its name in it, where it lies, the digest and length of its bytes."""

    name: str
    path: Place
    sha256: str
    bytes: int


def plan(source: Source, *, shard_bytes: int = SHARD_BYTES) -> Plan:
    """The shards of each split, and the split's list of them."""
    items: list[Item] = []
    notes = []
    for split in source.splits:
        shards = list(_shards(source, split, shard_bytes))
        names = [f"{split}-{number:06d}.tar" for number in range(len(shards))]
        for name, pairs in zip(names, shards, strict=True):
            members = [member for pair in pairs for member in pair]
            items.append(Item((name,), partial(_write, members, name)))
        items.append(json_item(f"{split}.json", _shard_index(source, split, names, shards)))
        notes.append(f"{split}: {sum(map(len, shards))} samples in {len(shards)} shard{'s' * (len(shards) > 1)}")
    return Plan(tuple(items), tuple(notes))


def _shards(source: Source, split: str, shard_bytes: int) -> Iterator[list[list[_Member]]]:
    """The pairs of each shard, each as its members."""
    shard: list[list[_Member]] = []
    length = 0
    for row in sorted(source.of(split), key=lambda row: (content_hash(row["variant"]), row["frame"])):
        pair = _members(source, row)
        added = sum(_length_in_tar(member) for member in pair)
        if shard and length + added > shard_bytes:
            yield shard
            shard, length = [], 0
        shard.append(pair)
        length += added
    yield shard


def _members(source: Source, row: Row) -> list[_Member]:
    folder, name = source.root / row["pair"], pair_name(row)
    record = folder / RECORD_NAME
    members = [_Member(f"{name}.{RECORD_NAME}", record, row["record_sha256"], size_of(record) or 0)]
    for file in row["files"]:
        members.append(_Member(f"{name}.{file['name']}", folder / file["name"], file["sha256"], file["bytes"]))
    return members


def _length_in_tar(member: _Member) -> int:
    return tarfile.BLOCKSIZE + -(-member.bytes // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _shard_index(source: Source, split: str, names: Sequence[str], shards: Sequence[list[list[_Member]]]) -> object:
    listed = []
    for name, pairs in zip(names, shards, strict=True):
        length = sum(_length_in_tar(member) for pair in pairs for member in pair) + 2 * tarfile.BLOCKSIZE
        whole = -(-length // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
        listed.append({"url": name, "nsamples": len(pairs), "filesize": whole})
    return {"wids_version": 1, "name": f"{source.recipe.name}-{split}", "shardlist": listed}


def _write(members: Sequence[_Member], output: str, folder: Path) -> None:
    with (
        replacing(folder / output) as partial_file,
        tarfile.open(partial_file, "w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for member in members:
            data = read_verified(member.path, member.sha256)
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
