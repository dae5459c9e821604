from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy", reason="zones are read from textures by Blender")

from farm.double import wrinkles
from farm.double.base_mesh import base_mesh
from farm.double.wrinkles import paint_creases
from farm.double.zones import BODY_VERTICES, zone_masks
from farm.errors import TemplateError
from farm.recipe import templates

SHOWN = 0.00005


def test_creases_deepen_with_age():
    depths = np.array([[creases.depth.sum() for creases in paint_creases(age)] for age in (18, 30, 45, 60, 80)])
    assert (np.diff(depths, axis=0) > 0).all()


def test_the_young_have_lines_on_lips_only():
    lips = zone_masks()["lips"] > 0.02
    first, second = paint_creases(20.0)
    assert first.depth.max() == 0
    assert second.depth[lips].max() > 0.0001
    assert second.depth[~lips].max() == 0


def test_families_of_one_set_do_not_touch():
    """Between two families the phase is nobody's: it must not show on any edge of the mesh."""
    base = base_mesh()
    faces = base.faces[base.groups["body"]]
    faces = faces[(faces < BODY_VERTICES).all(axis=1)]
    edges = np.concatenate([np.stack([faces[:, i], faces[:, (i + 1) % 4]], axis=1) for i in range(4)])
    for creases in paint_creases(80.0):
        shown = (creases.depth[edges] > SHOWN).all(axis=1)
        jump = np.abs(np.diff(creases.phase[edges][shown], axis=1))
        assert shown.sum() > 500
        assert (jump > 3.0).mean() < 0.01


def test_creases_are_on_the_head_alone():
    heights = base_mesh().vertices[:BODY_VERTICES, 2]
    for creases in paint_creases(80.0):
        assert heights[creases.depth > SHOWN].min() > 0.55


def test_a_wrong_crease_is_one_clear_message(monkeypatch):
    whole = templates.load("skin", "wrinkles")
    creases = {"frown": whole["creases"]["frown"] | {"from": 90}}
    monkeypatch.setattr(templates, "load", lambda kind, name: whole | {"creases": creases})
    with pytest.raises(TemplateError, match=r"wrinkles\.yaml: creases\.frown\.from: must be below 80"):
        wrinkles._wrinkles.__wrapped__()
