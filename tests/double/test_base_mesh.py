from __future__ import annotations

import numpy as np
import pytest

from farm.double.base_mesh import RIGS, base_mesh, rig_bones, rig_weights, target
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
