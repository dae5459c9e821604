from __future__ import annotations

import numpy as np
import pytest

from farm.double.base_mesh import RIGS, base_mesh, data_digest, rig_bones, rig_weights, target
from farm.errors import BadInput


@pytest.mark.parametrize("rig", RIGS)
def test_every_rig_loads_and_weights_the_whole_body(rig):
    bones = rig_bones(rig, base_mesh().vertices)
    names = [bone.name for bone in bones]
    assert all(not bone.parent or names.index(bone.parent) < place for place, bone in enumerate(bones))
    assert np.isfinite([(*bone.head, *bone.tail, bone.roll) for bone in bones]).all()
    total = np.zeros(len(base_mesh().vertices))
    for bone, (vertices, weights) in rig_weights(rig).items():
        assert bone in names
        np.add.at(total, vertices, weights)
    assert np.allclose(total, 1.0, atol=1e-9)


def test_an_unknown_rig_and_an_unknown_target_are_named():
    with pytest.raises(BadInput, match=r"unknown rig 'robot'; known: default"):
        rig_weights("robot")
    with pytest.raises(BadInput, match=r"no target 'nose/snout'"):
        target("nose/snout")


def test_the_digest_is_of_every_file(tmp_path, monkeypatch):
    def digest():
        data_digest.cache_clear()
        return data_digest()

    monkeypatch.setattr("farm.double.base_mesh.data_folder", lambda: tmp_path)
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "a.target").write_bytes(b"1")
    seen = {digest()}
    (tmp_path / "targets" / "a.target").write_bytes(b"2")
    seen.add(digest())
    (tmp_path / "targets" / "a.target").rename(tmp_path / "targets" / "b.target")
    seen.add(digest())
    (tmp_path / "targets" / "__init__.py").write_bytes(b"compiled or not, code is not data")
    assert digest() in seen
    assert len(seen) == 3
    data_digest.cache_clear()
