"""Every loose hairstyle on five heads: guides for all of them, strands for one head each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import yaml

from farm.double.groom.comb import comb_guides
from farm.double.groom.cut import head_scale
from farm.double.groom.style import load_hairstyle, parse_hairstyle
from farm.double.groom.surface import CLIPPED, SECTIONED, head_frame
from farm.recipe import templates
from farm.recipe.parameters import Body, Hair
from farm.recipe.variant import stream

from .conftest import make_head

LOOSE = [name for name in templates.names("hairstyles") if load_hairstyle(name).tie is None]
WORN = [name for name in LOOSE if not load_hairstyle(name).bald]
BODIES = {
    "young woman": Body(identity=11, gender=0, age=22, caucasian=1, african=0, asian=0.2, height=1.68, weight=0.35),
    "tall man": Body(identity=23, gender=1, age=35, african=1, asian=0, caucasian=0.1, height=1.97, muscle=0.9),
    "heavy man": Body(identity=77, gender=1, age=66, asian=1, african=0, caucasian=0.1, height=1.66, weight=0.95),
    "old woman": Body(identity=3, gender=0.1, age=78, asian=0.6, african=0.1, height=1.47, weight=0.2, muscle=0.2),
    "heavy woman": Body(identity=41, gender=0, age=50, caucasian=0.7, african=0.4, asian=0, height=1.76, weight=0.95),
}
FEW = 260
"""Guides that show a style's shape."""


@pytest.fixture(scope="module")
def heads():
    return {who: make_head(body) for who, body in BODIES.items()}


@pytest.fixture(scope="module")
def combed(heads):
    """Guides of every style on every head."""
    styles = {name: load_hairstyle(name).model_copy(update={"guides": FEW}) for name in WORN}
    return {
        (name, who): comb_guides(*head, style, frizz=0.2, seed=5)
        for name, style in styles.items()
        for who, head in heads.items()
    }


@pytest.fixture(scope="module")
def skins(heads):
    pytest.importorskip("bpy")
    from .measure import closed_tree

    return {who: closed_tree(shells[0]) for who, (_, shells) in heads.items()}


def test_roots_lie_within_a_millimetre_of_the_scalp_of_every_head(combed, skins):
    from .measure import heights

    for (name, who), guides in combed.items():
        assert np.abs(heights(skins[who], guides.points[::5, 0])).max() < 0.001, (name, who)


def test_guides_stay_out_of_the_skin_of_every_head(combed, skins):
    from .measure import heights

    for (name, who), guides in combed.items():
        points = guides.points.reshape(-1, 3)
        chosen = stream(1, "points").choice(len(points), 500, replace=False)
        assert (heights(skins[who], points[chosen]) < -0.002).mean() < 0.005, (name, who)


def over_the_face(points, head):
    """Which points (N, 3) lie before eyes, nose and mouth."""
    frame, scale = head_frame(head), head_scale(head)
    local = frame.to_local(points)
    eyes, chin = head.eyes.mean(axis=0) - frame.centre, head.chin - frame.centre
    before = (local[:, 1] < eyes[1]) & (np.abs(local[:, 0]) < 0.04 * scale)
    return before & (local[:, 2] < eyes[2] + 0.008 * scale) & (local[:, 2] > chin[2])


def test_no_hair_hangs_over_the_eyes_of_any_head(combed, heads):
    for (name, who), guides in combed.items():
        assert not over_the_face(guides.points.reshape(-1, 3), heads[who][0]).any(), (name, who)


def figures(guides, head):
    """Mean length, how far guides reach to the sides, back and top, where tips hang, their spread and straightness."""
    frame = head_frame(head)
    local = frame.to_local(guides.points)
    length = np.linalg.norm(np.diff(local, axis=1), axis=2).sum(axis=1)
    tips = local[:, -1]
    middle = np.abs(local[:, :, 0]) < 0.03
    return np.array([
        length.mean(),
        length.std(),
        np.percentile(np.abs(local[..., 0]), 98),
        np.percentile(local[..., 1], 98),
        np.percentile(local[..., 2], 99),
        local[..., 2][middle].max(),
        tips[:, 2].mean(),
        tips[:, 2].std(),
        local[:, -1, 1][tips[:, 1] < 0].mean(),
        np.percentile(tips[:, 0], 90) + np.percentile(tips[:, 0], 10),
        (np.linalg.norm(tips - local[:, 0], axis=1) / length).mean() * 0.1,
    ])  # fmt: skip


def test_no_two_styles_look_alike(combed, heads):
    for who, (head, _) in heads.items():
        rows = {name: figures(combed[name, who], head) for name in WORN}
        for one, other in itertools.combinations(WORN, 2):
            assert np.abs(rows[one] - rows[other]).max() > 0.006, (one, other, who)


@pytest.fixture(scope="module")
def woman(heads):
    return heads["young woman"]


def test_a_bob_ends_on_one_line_and_its_strands_differ_in_length(woman):
    guides = comb_guides(*woman, load_hairstyle("bob"), seed=2)
    style, frame = load_hairstyle("bob"), head_frame(woman[0])
    tips = frame.to_local(guides.points[:, -1])
    level = tips[:, 2] - np.tan(np.radians(style.cuts[0].tilt)) * tips[:, 1]
    length = np.linalg.norm(np.diff(guides.points, axis=1), axis=2).sum(axis=1)
    low = level < np.percentile(level, 80)
    assert np.std(level[low]) < 0.005
    assert length[low].std() > 0.03


def test_a_longer_bob_ends_lower(woman):
    tips = [np.median(comb_guides(*woman, load_hairstyle("bob"), length=size).points[:, -1, 2]) for size in (0.9, 1.1)]
    assert tips[0] - tips[1] > 0.03


def test_a_fringe_ends_over_the_eyes_and_the_rest_under_the_mouth(woman):
    guides = comb_guides(*woman, load_hairstyle("fringe"), seed=2)
    height, eyes = guides.points[:, -1, 2], woman[0].eyes[:, 2].mean()
    fringe = np.abs(guides.roots.side) == SECTIONED
    assert 0.05 < fringe.mean() < 0.35
    assert (height[fringe] > eyes + 0.008).all() and np.median(height[fringe]) < eyes + 0.03
    assert np.percentile(height[~fringe], 90) < eyes - 0.05


@pytest.mark.parametrize("name", ["mohawk", "undercut"])
def test_the_clipper_stops_at_a_sharp_border(woman, name):
    style = load_hairstyle(name)
    guides = comb_guides(*woman, style, seed=2)
    length = np.linalg.norm(np.diff(guides.points, axis=1), axis=2).sum(axis=1)
    clipped = np.abs(guides.roots.side) == CLIPPED
    assert 0.3 < clipped.mean() < 0.95
    assert length[clipped].max() < 1.3 * style.clipped.length
    assert length[~clipped].min() > 5 * style.clipped.length
    sides = np.abs(guides.scalp.side[guides.scalp.triangles])
    assert (sides == sides[:, :1]).all()


def test_bald_heads_have_no_guides(woman):
    guides = comb_guides(*woman, load_hairstyle("bald"))
    assert guides.points.shape[0] == 0 and len(guides.roots.posed) == 0
    assert len(guides.scalp.triangles) > 100


def test_length_keeps_to_the_styles_free_range(woman):
    style = load_hairstyle("buzz")
    longest = comb_guides(*woman, style, length=style.free.length[1], seed=2).points
    assert comb_guides(*woman, style, length=1.5, seed=2).points.tobytes() == longest.tobytes()


NEW = """
format: digidouble-hairstyle/1
description: Cropped on the left of a deep part, the rest over the right ear.
parting: {side: left, offset: 0.05}
regions:
  all: {length: 0.12, lift: 30, volume: 0.015, comb: {right: 1.0, down: 0.5}}
  nape: {length: 0.03}
cuts:
  - {height: jaw, offset: 0.01, regions: [sides, temples]}
free: {length: [0.9, 1.1], frizz: [0, 0.4], type: [1A, 2C]}
guides: 200
"""


def test_a_new_style_needs_only_a_file(woman, tmp_path, monkeypatch):
    (tmp_path / "hairstyles").mkdir()
    (tmp_path / "hairstyles" / "asymmetric.yaml").write_text(NEW)
    monkeypatch.setattr(templates, "folder", lambda: tmp_path)
    guides = comb_guides(*woman, load_hairstyle("asymmetric"), seed=1)
    assert guides.points.shape == (200, 16, 3) and np.isfinite(guides.points).all()
    tips = head_frame(woman[0]).to_local(guides.points[:, -1])
    assert tips[:, 0].mean() < -0.02


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"free": {"length": [1.2, 0.8]}}, "free.*length.*lower end first"),
        ({"free": {"frizz": [0, 3]}}, "free.*frizz.*between 0.0 and 1.0"),
        ({"cuts": [{"height": "chin", "radius": 0.2}]}, r"cuts\[0\].*one of them"),
        ({"cuts": [{"height": "chin", "regions": ["fronk"]}]}, r"cuts\[0\]\.regions: unknown region 'fronk'.*front"),
        ({"clipped": {"length": 0.003}}, "clipped.*one of them"),
        ({"clipped": {"length": 0.003, "line": [[90, 10], [0, 10]]}}, "clipped.*azimuths must increase"),
        ({"section": {"strip": 0.02}, "regions": {}}, "regions.front.length is missing"),
    ],
)
def test_what_is_wrong_in_a_style_is_named(change, message):
    from farm.errors import TemplateError

    with pytest.raises(TemplateError, match=message):
        parse_hairstyle({**yaml.safe_load(NEW), **change}, place="here")


@pytest.fixture(scope="module")
def dressed():
    """Strands of each style, each on one of the people in turn."""
    bpy = pytest.importorskip("bpy")
    from mathutils.bvhtree import BVHTree

    from farm.double.body import Look, build_double, remove_double
    from farm.double.groom.strands import build_groom, remove_groom, strand_points
    from farm.double.groom.wearer import read_wearer

    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("double")
    bpy.context.scene.collection.children.link(collection)
    found = {}
    for turn, (who, body) in enumerate(BODIES.items()):
        double = build_double(Look(body=body), collection)
        head, shells = read_wearer(double)
        skin = BVHTree.FromObject(double.body, bpy.context.evaluated_depsgraph_get())
        for name in LOOSE[turn :: len(BODIES)]:
            free = load_hairstyle(name).free
            groom = build_groom(double, Hair(style=name, type=free.type[0], seed=4), collection=collection)
            found[name] = (who, head, shells, skin, *strand_points(groom))
            remove_groom(groom)
        remove_double(double)
    return found


@pytest.mark.parametrize("name", WORN)
def test_strands_root_on_the_scalp_and_leave_no_hole(dressed, name):
    from .measure import heights, widest_hole

    _, head, _, skin, points, first = dressed[name]
    roots = points[first[:-1]]
    assert np.abs(heights(skin, roots[::40])).max() < 0.001
    assert widest_hole(head, roots) < 0.008
    assert over_the_face(points, head).mean() < 0.0005


@pytest.mark.parametrize("name", WORN)
def test_strands_stay_out_of_the_skin(dressed, name):
    from .measure import closed_tree, heights

    _, _, shells, _, points, _ = dressed[name]
    chosen = stream(1, "points").choice(len(points), 4000, replace=False)
    assert (heights(closed_tree(shells[0]), points[chosen]) < -0.002).mean() < 0.005


def test_a_bald_head_has_no_strands(dressed):
    assert len(dressed["bald"][4]) == 0
