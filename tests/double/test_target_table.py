"""Targets that were read before are kept as they were read."""

import gzip

import numpy as np
import pytest

from farm.double import target_table
from farm.double.target_table import read_targets

ROWS = np.array([[3, 0.1, -0.25, 1e-7], [17, 0.3333333, 2.0, -0.0]])
TEXT = "# a comment\n\n" + "\n".join(" ".join(f"{value:.17g}" for value in row) for row in ROWS) + "\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept" / "targets"


@pytest.fixture
def parses(monkeypatch):
    calls = []
    parse = target_table._parse

    def count(content):
        calls.append(1)
        return parse(content)

    monkeypatch.setattr(target_table, "_parse", count)
    return calls


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_a_target_is_parsed_once_and_alike(pack, folder, parses, tmp_path):
    file = tmp_path / "one.target"
    file.write_bytes(pack(TEXT.encode()))
    for _ in range(3):
        np.testing.assert_array_equal(read_targets(file), ROWS)
    assert len(parses) == 1
    assert len(list(folder.iterdir())) == 1


def test_other_content_under_the_same_name_is_parsed(folder, parses, tmp_path):
    file = tmp_path / "one.target"
    file.write_text(TEXT, encoding="utf-8")
    read_targets(file)
    file.write_text(TEXT.replace("17", "18"), encoding="utf-8")
    assert read_targets(file)[1, 0] == 18
    assert len(parses) == 2


@pytest.mark.parametrize("damage", [b"", b"not numbers", None])
def test_a_damaged_file_is_parsed_again(damage, folder, parses, tmp_path):
    file = tmp_path / "one.target"
    file.write_text(TEXT, encoding="utf-8")
    read_targets(file)
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:-8] if damage is None else damage)
    np.testing.assert_array_equal(read_targets(file), ROWS)
    assert len(parses) == 2


def test_nothing_is_kept_where_nothing_shall_be(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", "")
    file = tmp_path / "one.target"
    file.write_text(TEXT, encoding="utf-8")
    np.testing.assert_array_equal(read_targets(file), ROWS)
    assert not folder.exists()
