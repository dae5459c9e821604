import numpy as np

from farm.double.groom.agree import keep_to_guides
from farm.double.groom.comb import Guides
from farm.double.groom.surface import Roots, Scalp


def hanging(tips):
    """Guides 10 mm apart that fall to `tips` (G, 3) from the roots."""
    roots = np.stack([np.arange(len(tips)) * 0.01, np.zeros(len(tips)), np.zeros(len(tips))], axis=1)
    points = roots[:, None] + np.linspace(0, 1, 9)[None, :, None] * np.array(tips)[:, None]
    none = np.zeros((len(tips), 3))
    scalp = Scalp(none, none, none, none[None], none[:, 0], none[:, 0], np.zeros((0, 3), dtype=np.int64))
    return Guides(points=points, roots=Roots(points[:, 0], none, none, none[:, :2], np.ones(len(tips))), scalp=scalp)


def between(guides):
    """A strand midway between the first two guides."""
    return guides.points[:2].mean(axis=0)[None]


def test_a_strand_between_two_ways_takes_one():
    guides = hanging([(0, 0.1, -0.3), (0, -0.1, -0.3)])
    strand = keep_to_guides(between(guides), np.ones(1), guides)
    way = strand[0] - strand[0, 0]
    assert np.allclose(strand[0, 0], between(guides)[0, 0])
    assert np.linalg.norm(way - (guides.points - guides.points[:, :1]), axis=2).max(axis=1).min() < 1e-9


def test_strands_among_guides_that_agree_are_left():
    guides = hanging([(0, 0.01, -0.3), (0, -0.01, -0.3)])
    assert np.array_equal(keep_to_guides(between(guides), np.ones(1), guides), between(guides))
