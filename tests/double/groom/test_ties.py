"""Tied hairstyles: gathered through a band, plaited, in rows, in locks."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from farm.double.groom.collider import Shell
from farm.double.groom.comb import comb_guides
from farm.double.groom.gather import LAID, POINTS, TURNING
from farm.double.groom.rows import _turn
from farm.double.groom.spread import scatter_roots, spread_strands
from farm.double.groom.style import load_hairstyle, parse_hairstyle
from farm.errors import TemplateError
from farm.recipe import templates
from farm.recipe.parameters import Body
from farm.recipe.variant import stream

from .conftest import make_head
from .measure import closed_tree, heights

STYLES = ("ponytail", "bun", "braid", "pigtail_braids", "cornrows", "locs", "box_braids")
PEOPLE = {
    "common": Body(),
    "slight": Body(identity=1, gender=0.1, african=0.1, asian=0.2),
    "heavy": Body(identity=4, gender=0.8, weight=0.9, african=1.0, asian=0.0, caucasian=0.1),
}
STRANDS = 3000
BAND = LAID + TURNING


@pytest.fixture(scope="module")
def people():
    return {name: make_head(body) for name, body in PEOPLE.items()}


@pytest.fixture(scope="module")
def worn(people):
    """Guides and strands of a style on a person, each made once."""
    made = {}

    def wear(style, person="common"):
        if (style, person) not in made:
            guides = comb_guides(*people[person], load_hairstyle(style), seed=3)
            made[style, person] = guides, spread_strands(guides, STRANDS, 5)
        return made[style, person]

    return wear


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("style", STYLES)
def test_hair_grows_from_the_scalp_and_stays_outside_the_skin(worn, people, style, person):
    pytest.importorskip("bpy")
    strands = worn(style, person)[1]
    skin = closed_tree(people[person][1][0])
    assert strands.points.shape[0] == STRANDS
    assert np.allclose(strands.points[:, 0], strands.roots.posed, atol=1e-6)
    assert np.abs(heights(skin, strands.points[::20, 0])).max() < 0.001
    flat = strands.points.reshape(-1, 3)
    depth = heights(skin, flat[stream(2, "points").choice(len(flat), 1500, replace=False)])
    assert (depth < -0.002).mean() < 0.005


def test_hair_pushed_into_the_skin_would_be_seen(worn, people):
    pytest.importorskip("bpy")
    strands = worn("bun")[1]
    pushed = strands.points[::40, 2:LAID] - 0.006 * strands.roots.normals[::40, None]
    assert (heights(closed_tree(people["common"][1][0]), pushed.reshape(-1, 3)) < -0.002).mean() > 0.1


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("style", ["ponytail", "bun", "pigtail_braids", "braid"])
def test_all_hair_passes_through_the_band(worn, style, person):
    guides, strands = worn(style, person)
    tie = load_hairstyle(style).tie
    radius = tie.band if tie.kind != "braid" else 2.7 * tie.strand
    middles = np.array([knot.middle for knot in guides.tied.knots])
    for points, locks in (
        (guides.points, guides.tied.locks(guides.roots)),
        (strands.points, strands.locks),
    ):
        assert np.linalg.norm(points[:, BAND] - middles[locks // 3], axis=1).max() < 1.05 * radius


def test_neighbours_on_the_scalp_stay_neighbours_in_the_tail(worn):
    strands = worn("ponytail")[1]
    span, near = cKDTree(strands.roots.local).query(strands.roots.local, k=2)
    upper = strands.roots.local[:, 2] > 0
    apart = np.linalg.norm(strands.points[:, BAND] - strands.points[near[:, 1], BAND], axis=1)
    chance = np.linalg.norm(strands.points[:, BAND] - np.roll(strands.points[:, BAND], 1, axis=0), axis=1)
    assert np.median(apart[upper]) < 0.25 * np.median(chance)
    assert span[:, 1].max() < 0.02


def test_a_tail_fills_its_band(worn):
    guides, strands = worn("ponytail")
    knot = guides.tied.knots[0]
    spot = (strands.points[:, BAND] - knot.middle) @ np.stack([knot.tubes[0].across[0], knot.tubes[0].out[0]]).T
    spot /= knot.tubes[0].across[0] @ knot.tubes[0].across[0]
    grid = np.stack(np.meshgrid(np.linspace(-0.8, 0.8, 17), np.linspace(-0.8, 0.8, 17)), axis=-1).reshape(-1, 2)
    inside = grid[np.linalg.norm(grid, axis=1) < 0.8]
    assert cKDTree(spot).query(inside)[0].max() < 0.2


def order_of_strands(guides, strands, knot=0):
    """The order from left to right (P, 3) of a plait's strands, and their places (P, 3) sideways and outward."""
    line = guides.tied.knots[knot]
    middles = np.stack([strands.points[strands.locks == 3 * knot + strand, BAND:].mean(axis=0) for strand in range(3)])
    spine = np.mean([tube.points for tube in line.tubes], axis=0)
    nearest = cKDTree(spine).query(middles.mean(axis=0))[1]
    tangent = np.gradient(spine, axis=0)[nearest]
    across = np.cross(tangent, [0.0, 1.0, 0.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    out = np.cross(across, tangent)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    offset = middles - middles.mean(axis=0)
    side = np.einsum("kpc,pc->pk", offset, across)
    return np.argsort(side, axis=1), side, np.einsum("kpc,pc->pk", offset, out)


def crossings(order):
    """Where strands change places, and which two places these are: 0 the left two, 1 the right two."""
    where = np.flatnonzero((order[1:] != order[:-1]).any(axis=1))
    return where, [int((order[place + 1] != order[place])[2]) for place in where]


def test_the_strands_of_a_plait_cross_in_turn(worn):
    guides, strands = worn("braid")
    plaited = slice(2, int(POINTS["braid"] * 0.85))
    order, _, out = (each[plaited] for each in order_of_strands(guides, strands))
    where, places = crossings(order)
    assert len(where) >= 12
    assert all(one != other for one, other in itertools.pairwise(places))
    over = []
    for place, right in zip(where, places, strict=True):
        middle, outer = order[place, 1], order[place, 2 if right else 0]
        over.append(out[place, outer] + out[place + 1, outer] > out[place, middle] + out[place + 1, middle])
    assert len(set(over)) == 1


def test_a_longer_plait_crosses_more_often(people):
    counts = []
    for length in (0.7, 1.4):
        guides = comb_guides(*people["common"], load_hairstyle("braid"), length=length, seed=3)
        order, _, _ = order_of_strands(guides, spread_strands(guides, 600, 1))
        counts.append(len(crossings(order[2 : int(POINTS["braid"] * 0.8)])[0]))
    assert 1.5 < counts[1] / counts[0] < 2.5


@pytest.mark.parametrize("person", PEOPLE)
def test_rows_leave_bare_partings_and_cover_the_rest(people, person):
    style = load_hairstyle("cornrows")
    guides = comb_guides(*people[person], style, seed=3)
    tied = guides.tied
    roots = spread_strands(guides, 20_000, 1).roots
    places = scatter_roots(guides.scalp, 8000, stream(4, "places"))
    angle, reach = _turn(places.local, tied.size)
    apart = np.abs(np.sin(angle[:, None] - tied.borders[1:-1])).min(axis=1) * reach
    span = cKDTree(roots.local).query(places.local)[0]
    assert 8 <= len(tied.rows) <= style.tie.count
    assert span[apart < 0.0001].min() > 0.4 * style.tie.parting
    assert 0.8 * style.tie.parting < 2 * np.median(span[apart < 0.0001]) < 1.6 * style.tie.parting
    dense = guides.scalp.density[cKDTree(guides.scalp.local).query(places.local)[1]] > 0.9
    assert 2 * span[dense].max() < 0.008


def test_hair_stays_in_its_row(worn):
    guides, strands = worn("cornrows")
    rows = guides.tied.rows
    lines = np.concatenate([row.line.points[row.line.arc <= row.laid] for row in rows])
    owner = np.concatenate([np.full((row.line.arc <= row.laid).sum(), index) for index, row in enumerate(rows)])
    laid = strands.points[:, 10:40:6]
    span, nearest = cKDTree(lines).query(laid.reshape(-1, 3))
    close = (span < 0.006) & (laid.reshape(-1, 3)[:, 2] > people_nape(guides))
    own = owner[nearest] == np.repeat(strands.locks, laid.shape[1])
    assert own[close].mean() > 0.98


def people_nape(guides):
    """A height under which rows draw together: that of the scalp's lowest fifth."""
    return np.quantile(guides.scalp.posed[:, 2], 0.3)


@pytest.mark.parametrize("style", ["locs", "box_braids"])
def test_locks_do_not_mix(worn, style):
    guides, strands = worn(style)
    tie = load_hairstyle(style).tie
    assert 100 < len(guides.tied.all) < 300
    roots = scatter_roots(guides.scalp, 20_000, stream(4, "places"))
    hair = np.bincount(guides.tied.locks(roots)[guides.tied.keep(roots)], minlength=len(guides.tied.all))
    assert hair.min() > 0
    for lock in range(0, len(guides.tied.all), 7):
        mine = strands.points[strands.locks == lock, 12:]
        if not len(mine):
            continue
        line = np.mean([tube.points for tube in guides.tied.all[lock].tubes], axis=0)
        assert cKDTree(line).query(mine.reshape(-1, 3))[0].max() < 2.0 * tie.radius


@pytest.mark.parametrize("style", STYLES)
def test_equal_seeds_give_equal_hair_and_others_other_hair(people, worn, style):
    guides, strands = worn(style)
    again = comb_guides(*people["common"], load_hairstyle(style), seed=3)
    assert again.points.tobytes() == guides.points.tobytes()
    assert spread_strands(again, STRANDS, 5).points.tobytes() == strands.points.tobytes()
    assert spread_strands(again, STRANDS, 6).points.tobytes() != strands.points.tobytes()


@pytest.mark.parametrize("style", ["ponytail", "braid", "cornrows", "locs"])
def test_longer_hair_hangs_lower(people, style):
    lowest = []
    for length in (0.6, 1.2):
        guides = comb_guides(*people["common"], load_hairstyle(style), length=length, seed=3)
        lowest.append(np.quantile(guides.points[..., 2], 0.02))
    assert lowest[0] - lowest[1] > 0.04


def test_a_tail_hangs_down_from_a_bowed_head(people):
    bowed, angle = people["common"][0], np.radians(60)
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    posed = (bowed.rest - bowed.eyes.mean(axis=0)) @ rotation.T + (0, 0, 1.5)
    faces = bowed.faces[(bowed.rest[:, 2] > bowed.chin[2])[bowed.faces].all(axis=1)]
    guides = comb_guides(replace(bowed, posed=posed), [Shell(posed, faces)], load_hairstyle("ponytail"), seed=1)
    ends = guides.points[:, -1] - guides.points[:, -6]
    assert np.median(-ends[:, 2] / np.linalg.norm(ends, axis=1)) > 0.9


def test_an_unknown_tie_names_the_known_ones():
    data = dict(templates.load("hairstyles", "bun"))
    data["tie"] = {**data["tie"], "kind": "knot"}
    with pytest.raises(TemplateError, match="tail"):
        parse_hairstyle(data, place="bun.yaml")
