from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy", reason="zones are read from textures by Blender")

from farm.double import zones
from farm.double.base_mesh import base_mesh, rig_weights
from farm.double.zones import BODY_VERTICES, Zone, zone_masks, zone_sum
from farm.errors import TemplateError
from farm.recipe import templates

POINTS = base_mesh().vertices[:BODY_VERTICES]


@pytest.fixture
def changed(monkeypatch):
    """Read the zones from other data."""

    def change(**data):
        whole = templates.load("skin", "zones")
        monkeypatch.setattr(templates, "load", lambda kind, name: whole | data)
        return zones._zones.__wrapped__()

    return change


def test_lips_and_nails_are_where_they_should_be():
    lips = POINTS[zone_masks()["lips"] > 0.5]
    nails = POINTS[zone_masks()["fingernails"] > 0.5]
    toes = POINTS[zone_masks()["toenails"] > 0.5]
    assert np.abs(lips[:, 0]).max() < 0.03
    assert 0.64 < lips[:, 2].min() < lips[:, 2].max() < 0.68
    assert np.abs(nails[:, 0]).min() > 0.3
    assert toes[:, 2].max() < -0.75


def test_palms_and_soles_are_paler_than_the_backs_of_hands_and_feet():
    vertices, weights = rig_weights("default")["metacarpal3.L"]
    hand = vertices[(weights > 0.5) & (vertices < BODY_VERTICES)]
    melanin = zone_sum("melanin")
    assert melanin[hand].min() < -0.9
    assert melanin[hand].max() > 0.05
    sole, instep = POINTS[:, 2] < POINTS[:, 2].min() + 0.004, (POINTS[:, 2] > -0.78) & (POINTS[:, 2] < -0.7)
    assert np.median(melanin[sole]) < -0.8
    assert melanin[instep].min() > -0.2


@pytest.mark.parametrize("quantity", Zone.model_fields)
def test_zones_are_alike_on_both_sides(quantity):
    mirrored = POINTS * (-1, 1, 1)
    order = np.lexsort(np.round(POINTS, 4).T)
    partner = np.lexsort(np.round(mirrored, 4).T)
    same = np.linalg.norm(POINTS[order] - mirrored[partner], axis=1) < 1e-3
    assert same.mean() > 0.5
    difference = np.abs(zone_sum(quantity)[order] - zone_sum(quantity)[partner])[same]
    assert np.quantile(difference, 0.99) < 0.2


def test_freckles_keep_off_lips_and_out_of_the_mouth():
    away = (zone_masks()["lips"] > 0.9) | (zone_masks()["inside-mouth"] > 0.9)
    assert away.sum() > 100
    assert zone_sum("sun")[away].max() < 0.1


def test_an_unknown_joint_is_answered_with_the_nearest(changed, monkeypatch):
    found = changed(places={"elbow": {"joint": "joint-l-elbo", "radius": 0.1, "blood": 1}})
    monkeypatch.setattr(zones, "_zones", lambda: found)
    with pytest.raises(TemplateError, match=r"zones\.yaml: places\.elbow: no joint 'joint-l-elbo'; did you mean"):
        zones._place_mask.__wrapped__("elbow")


def test_an_unknown_texture_is_answered_with_the_nearest(changed, monkeypatch):
    found = changed(textures={"lip": {}})
    monkeypatch.setattr(zones, "_zones", lambda: found)
    with pytest.raises(TemplateError, match=r"zones\.yaml: textures: no 'lip'; did you mean 'lips'"):
        zones.zone_masks.__wrapped__()


def test_an_unknown_quantity_is_named(changed):
    with pytest.raises(TemplateError, match=r"unknown key 'textures\.lips\.blod'; did you mean 'blood'"):
        changed(textures={"lips": {"blod": 1}})
