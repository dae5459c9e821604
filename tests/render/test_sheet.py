from __future__ import annotations

import numpy as np
import pytest

from farm.recipe.sheet import load_sheet

bpy = pytest.importorskip("bpy", reason="rendering needs Blender's Python module")

from farm.render import sheet as sheets
from farm.render.sheet import LABEL, render_sheet
from farm.stage.apply import Stage


@pytest.fixture
def small(monkeypatch):
    """The hairstyles' sheet, of one person and two views, and small."""
    found = load_sheet("hairstyles")
    hair = {**found.people[0]["hair"], "strands": 800}
    small = found.model_copy(
        update={"resolution": (32, 32), "samples": 2, "people": ({**found.people[0], "hair": hair},)},
    )
    monkeypatch.setattr(sheets, "load_sheet", lambda kind: small)
    return small


def test_a_row_for_each_template_and_a_column_for_each_view(small, capfd):
    heard = []
    names = ["short", "shoulder_straight"]
    sheet = render_sheet("hairstyles", names, lambda done, total: heard.append((done, total)))
    assert heard == [(place, 4) for place in range(1, 5)]
    pixels = np.asarray(sheet)
    rows = [pixels[4 + row * (32 + LABEL + 4) + LABEL :][:32] for row in range(2)]
    tiles = [row[:, 4 + column * 36 :][:, :32].astype(float) for row in rows for column in range(2)]
    for place, tile in enumerate(tiles):
        assert tile.std() > 10
        assert all(np.abs(tile - other).mean() > 3 for other in tiles[:place])
    assert "Saved" not in capfd.readouterr().out


def test_a_film_strip_shows_a_stunt_from_its_beginning_to_its_end(monkeypatch):
    found = load_sheet("stunts")
    person = found.people[0] | {"hair": {"style": "ponytail", "strands": 600}}
    strip = found.model_copy(update={"resolution": (40, 32), "samples": 2, "people": (person,), "moments": 4})
    monkeypatch.setattr(sheets, "load_sheet", lambda kind: strip)
    seen, heard, render = [], [], sheets._picture

    def look(scene, file):
        hips = next(thing for thing in scene.objects if thing.type == "ARMATURE").pose.bones["root"].head[2]
        seconds = scene.frame_current / (scene.render.fps / scene.render.fps_base)
        seen.append((tuple(map(tuple, scene.camera.matrix_world)), hips, seconds))
        return render(scene, file)

    monkeypatch.setattr(sheets, "_picture", look)
    sheet = render_sheet("stunts", ["jump", "punch"], lambda done, total: heard.append((done, total)))
    assert heard == [(place, 8) for place in range(1, 9)]
    assert sheet.size == (4 * 44 + 4, 2 * (32 + LABEL + 4) + 4)
    pixels = np.asarray(sheet)[4 + LABEL :][:32]
    tiles = [pixels[:, 4 + column * 44 :][:, :40].astype(float) for column in range(4)]
    assert all(np.abs(tiles[0] - tile).mean() > 1 for tile in tiles[1:3])
    for pictures in (seen[:4], seen[4:]):
        cameras, heights, seconds = zip(*pictures, strict=True)
        assert len(set(cameras)) == 1
        assert np.diff(seconds) == pytest.approx(np.diff(seconds)[0])
        assert heights[-1] == pytest.approx(heights[0], abs=0.02)
    stage = Stage(bpy.data.scenes[0], resolution=(40, 32))
    for row, name in enumerate(("jump", "punch")):
        duration = stage.duration(strip.variant(name, 0, 0))
        assert seen[4 * row + 3][2] - seen[4 * row][2] == pytest.approx(duration, abs=1e-5)


@pytest.mark.parametrize(("rows", "views"), [(1, 1), (7, 2), (25, 6)])
def test_a_sheet_holds_every_picture_once_and_is_about_square(rows, views):
    colours = np.arange(1, rows * views + 1, dtype=np.uint8).reshape(rows, views)
    pictures = {str(row): [np.full((32, 32, 3), colour, np.uint8) for colour in colours[row]] for row in range(rows)}
    sheet = np.asarray(sheets._compose(pictures, (32, 32)))
    for colour in colours.ravel():
        assert (sheet == colour).all(axis=2).sum() in range(32 * 32, 32 * 32 + 9)  # labels have greys of their own
    if rows > 1:
        assert 0.5 < sheet.shape[1] / sheet.shape[0] < 2


def test_a_sheet_is_cut_into_the_pictures_that_it_was_made_of(small):
    names = ["afro", "bob", "short"]
    rng = np.random.default_rng(3)
    rows = {name: [rng.integers(0, 255, (32, 32, 3), dtype=np.uint8) for _ in range(2)] for name in names}
    sheet = sheets._compose(rows, (32, 32))
    for number in range(2):
        cut = sheets.cut_sheet(sheet, "hairstyles", names, number)
        assert all((np.asarray(cut[name]) == rows[name][number]).all() for name in names)
    with pytest.raises(ValueError, match="a sheet of 2 hairstyles measures"):
        sheets.cut_sheet(sheet, "hairstyles", names[:2], 0)
