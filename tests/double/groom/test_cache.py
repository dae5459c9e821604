"""Solved guides are kept by content, and what is kept changes nothing."""

from dataclasses import fields, replace

import numpy as np
import pytest

from farm.double.groom import cache
from farm.double.groom.cache import forget_guides, guides_key, solved_guides, solved_motion
from farm.double.groom.comb import comb_guides
from farm.double.groom.dynamics import solve_guides
from farm.double.groom.style import load_hairstyle
from farm.places import cache_folder
from tests.pieces import whole

from .test_dynamics import JOLT, SWAY, hanging_hair, wear

SOLVE = {"length": 1.0, "frizz": 0.3, "seed": 5}


@pytest.fixture
def style():
    return load_hairstyle("short").model_copy(update={"guides": 60})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path / "kept"))
    forget_guides()
    yield tmp_path / "kept"
    forget_guides()


def same(one, other):
    assert np.array_equal(one.points, other.points)
    for part in ("roots", "scalp"):
        for field in fields(getattr(one, part)):
            assert np.array_equal(getattr(getattr(one, part), field.name), getattr(getattr(other, part), field.name))


def combs(monkeypatch):
    calls = []

    def count(*args, **kwargs):
        calls.append(1)
        return comb_guides(*args, **kwargs)

    monkeypatch.setattr(cache, "comb_guides", count)
    return calls


def test_guides_are_alike_bit_for_bit_from_memory_disk_and_solver(head, style, monkeypatch, folder):
    calls = combs(monkeypatch)
    first = solved_guides(*head, style, **SOLVE)
    assert solved_guides(*head, style, **SOLVE) is first
    forget_guides()
    again = solved_guides(*head, style, **SOLVE)
    assert again is not first
    assert len(calls) == 1
    same(first, again)
    monkeypatch.setenv("DIGIDOUBLE_CACHE", "")
    forget_guides()
    same(first, solved_guides(*head, style, **SOLVE))
    assert len(calls) == 2


def test_keys_differ_where_guides_do(head, style):
    key = guides_key(*head, style, **SOLVE)
    assert key == guides_key(*head, style, **SOLVE)
    moved = replace(head[0], posed=head[0].posed + 1e-9)
    others = [
        guides_key(*head, style, **{**SOLVE, "seed": 6}),
        guides_key(*head, style, **{**SOLVE, "length": 1.1}),
        guides_key(*head, style, **{**SOLVE, "frizz": 0.4}),
        guides_key(*head, style.model_copy(update={"points": 10}), **SOLVE),
        guides_key(moved, head[1], style, **SOLVE),
        guides_key(head[0], [], style, **SOLVE),
    ]
    assert len({key, *others}) == 7


@pytest.mark.parametrize("damage", [b"", b"not guides", None])
def test_a_damaged_file_is_solved_again(head, style, folder, damage):
    first = solved_guides(*head, style, **SOLVE)
    (file,) = folder.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-200] if damage is None else damage)
    forget_guides()
    same(first, solved_guides(*head, style, **SOLVE))


def test_a_folder_that_cannot_be_written_is_ignored(head, style, folder):
    folder.write_text("a file where the folder should be")
    assert len(solved_guides(*head, style, **SOLVE).points) == 60


def test_the_folder_stays_small(head, style, folder, monkeypatch):
    solved_guides(*head, style, **SOLVE)
    (file,) = folder.glob("*.npz")
    monkeypatch.setattr(cache, "MOST_BYTES", int(2.5 * file.stat().st_size))
    for seed in range(5):
        solved_guides(*head, style, **{**SOLVE, "seed": seed})
    assert len(list(folder.iterdir())) == 2


def test_the_folder_is_the_users_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("DIGIDOUBLE_CACHE")
    assert cache_folder().name == "digidouble"
    monkeypatch.setenv("DIGIDOUBLE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_motion_is_alike_bit_for_bit_from_disk_and_solver_and_knows_what_it_depends_on(monkeypatch):
    calls = []

    def count(*args, **kwargs):
        calls.append(1)
        return solve_guides(*args, **kwargs)

    monkeypatch.setattr(cache, "solve_guides", count)
    rest, worn, settings = hanging_hair(6, 6), wear(JOLT[:4]), {"fps": 24.0, "lead": 1}
    first = whole(solved_motion(rest, worn, SWAY, **settings))
    np.testing.assert_array_equal(whole(solved_motion(rest, worn, SWAY, **settings)), first)
    assert len(calls) == 1
    np.testing.assert_array_equal(first, whole(solve_guides(rest, worn, SWAY, **settings)))
    whole(solved_motion(rest, worn, SWAY.model_copy(update={"damping": 9.0}), **settings))
    whole(solved_motion(rest, worn, SWAY, **(settings | {"held": 3})))
    whole(solved_motion(rest, wear(JOLT[1:5]), SWAY, **settings))
    whole(solved_motion(1.01 * rest, worn, SWAY, **settings))
    assert len(calls) == 5
