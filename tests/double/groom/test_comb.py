from dataclasses import replace

import numpy as np
import pytest

from farm.double.groom import comb
from farm.double.groom.collider import Shell
from farm.double.groom.comb import comb_guides
from farm.double.groom.field import region_shares
from farm.double.groom.style import REGIONS, load_hairstyle
from farm.double.groom.surface import head_frame


@pytest.fixture(scope="module")
def straight(head):
    return comb_guides(*head, load_hairstyle("shoulder_straight"), seed=3)


def test_equal_seeds_give_equal_guides_and_others_other_ones(head, straight):
    style = load_hairstyle("shoulder_straight")
    assert comb_guides(*head, style, seed=3).points.tobytes() == straight.points.tobytes()
    assert comb_guides(*head, style, seed=4).points.tobytes() != straight.points.tobytes()


def test_the_seed_moves_strands_and_keeps_the_style(head, straight):
    other = comb_guides(*head, load_hairstyle("shoulder_straight"), seed=4)
    for measure in (np.mean, np.std):
        difference = measure(other.points, axis=(0, 1)) - measure(straight.points, axis=(0, 1))
        assert np.abs(difference).max() < 0.004


def test_strands_do_not_stretch(straight):
    segments = np.linalg.norm(np.diff(straight.points, axis=1), axis=2)
    assert np.allclose(segments, segments[:, :1], rtol=1e-9)


def test_length_multiplies_the_style(head):
    grooms = [comb_guides(*head, load_hairstyle("long_straight"), length=size, seed=3) for size in (1.0, 1.25)]
    lengths = [np.linalg.norm(np.diff(guides.points, axis=1), axis=2).sum(axis=1) for guides in grooms]
    assert np.allclose(lengths[1], 1.25 * lengths[0])


def test_hair_falls_along_the_worlds_gravity_when_the_head_is_bowed(head):
    bowed, angle = head[0], np.radians(70)
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    posed = (bowed.rest - bowed.eyes.mean(axis=0)) @ rotation.T + (0, 0, 1.5)
    above = bowed.rest[:, 2] > bowed.chin[2]
    faces = bowed.faces[above[bowed.faces].all(axis=1)]
    bowed = replace(bowed, posed=posed)
    guides = comb_guides(bowed, [Shell(posed, faces)], load_hairstyle("shoulder_straight"), seed=1)
    long = np.linalg.norm(np.diff(guides.points, axis=1), axis=2).sum(axis=1) > 0.17
    ends = (guides.points[:, -1] - guides.points[:, -4])[long]
    down = -ends[:, 2] / np.linalg.norm(ends, axis=1)
    assert np.median(down) > np.cos(np.radians(10))
    assert (down > np.cos(np.radians(40))).mean() > 0.8


def test_hair_parts_in_the_middle(straight):
    front = region_shares(straight.roots.local)[:, list(REGIONS).index("front")] > 0.5
    assert (np.sign(straight.points[front, -1, 0]) == straight.roots.side[front]).all()


@pytest.mark.parametrize("style", ["short", "shoulder_straight", "afro"])
def test_guides_stay_out_of_the_face(head, style):
    guides = comb_guides(*head, load_hairstyle(style), seed=2)
    frame = head_frame(head[0])
    local = frame.to_local(guides.points.reshape(-1, 3))
    eyes = head[0].eyes.mean(axis=0) - frame.centre
    in_front = (local[:, 1] < eyes[1]) & (np.abs(local[:, 0]) < 0.045)
    assert not (in_front & (local[:, 2] < eyes[2] + 0.015) & (local[:, 2] > eyes[2] - 0.11)).any()


def test_drawn_taut_what_lies_still_is_passed_over_without_a_change(head, monkeypatch):
    def at_every_point(self, paths):
        paths = paths.copy()
        held = self.frame.to_local(paths[:, 1:-1])[..., 2] > self.chin
        for _ in range(paths.shape[1]):
            inner = paths[:, 1:-1]
            here = inner[held]
            way = ((paths[:, :-2] + paths[:, 2:]) / 2)[held] - here
            height, normal = self.collider.sample(here)
            out = np.maximum(np.einsum("nc,nc->n", way, normal), 0.0)
            inner[held] += self.style.fall.taut * (out * (height < comb.TAUT_REACH))[:, None] * normal
        return paths

    style = load_hairstyle("shoulder_straight").model_copy(update={"guides": 200, "cuts": ()})
    assert style.fall.taut
    found = comb_guides(*head, style, seed=3)
    monkeypatch.setattr(comb._Comb, "draw_taut", at_every_point)
    assert comb_guides(*head, style, seed=3).points.tobytes() == found.points.tobytes()
    monkeypatch.setattr(comb._Comb, "draw_taut", lambda self, paths: paths)
    assert comb_guides(*head, style, seed=3).points.tobytes() != found.points.tobytes()
