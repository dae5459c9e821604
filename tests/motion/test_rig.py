"""The default rig, moved by the table, agrees with the canonical skeleton."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from farm.errors import BadInput, TemplateError
from farm.motion import FPS, Clip, fit_rig, perform, retarget, sample_pose
from farm.motion.rig import load_table
from farm.motion.rotation import about, unit
from farm.motion.skeleton import BONES, INDEX
from farm.recipe import templates
from farm.recipe.parameters import Pose, Stunt

SHIPPED = Path(__file__).parents[2] / "templates" / "rigs" / "default.yaml"
LIMBS = ("Hand", "LowerArm", "LowerLeg", "Foot")
COMPARED = ("head", *(side + part for side in ("left", "right") for part in LIMBS))


def rig_heads(clip, rest):
    """Where the rig's bones begin (N, R, 3) when its pose bones are set as `clip` says: the rig's own kinematics."""
    w, vectors = clip.quaternions[..., :1], clip.quaternions[..., 1:]
    angle = 2 * np.arctan2(np.linalg.norm(vectors, axis=-1), w[..., 0])
    basis = about(unit(vectors), angle)
    turned, heads = np.zeros_like(basis), np.zeros(vectors.shape)
    for bone, parent in enumerate(rest.parents):
        own = rest.rotations[bone] @ basis[:, bone] @ rest.rotations[bone].T
        turned[:, bone] = turned[:, parent] @ own if parent >= 0 else own
        heads[:, bone] = rest.heads[bone]
        if parent >= 0:
            heads[:, bone] = heads[:, parent] + turned[:, parent] @ (rest.heads[bone] - rest.heads[parent])
        if bone == clip.root:
            heads[:, bone] += clip.location @ rest.rotations[bone].T
    return heads


def canonical_joints(heads, fit):
    """The canonical joints (N, B, 3) on a posed rig."""
    joints = np.zeros((len(heads), len(BONES), 3))
    for link, index in zip(fit.links, fit.indices, strict=True):
        joints[:, INDEX[link.bone]] += link.weight * heads[:, index]
    return joints


def t_pose(fit):
    return Clip(fit.skeleton.joint("hips")[None], np.broadcast_to(np.eye(3), (1, len(BONES), 3, 3)))


def direction(joints, start, end):
    return unit(joints[0, INDEX[end]] - joints[0, INDEX[start]])


def test_the_t_pose_has_straight_level_arms_and_upright_legs(fit, rest):
    joints = canonical_joints(rig_heads(retarget(t_pose(fit), fit, rest), rest), fit)
    level = np.cos(np.radians(1.0))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for start, end in (("UpperArm", "LowerArm"), ("LowerArm", "Hand"), ("Hand", "MiddleProximal")):
            assert direction(joints, side + start, side + end) @ [sign, 0, 0] > level, end
        for start, end in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot")):
            assert direction(joints, side + start, side + end) @ [0, 0, -1] > level, end
        palm = np.cross(
            direction(joints, f"{side}Hand", f"{side}MiddleProximal"),
            direction(joints, f"{side}IndexProximal", f"{side}LittleProximal"),
        )
        assert unit(palm)[2] * sign > level, "palms down"


def test_what_is_measured_stands_on_the_floor(skeletons):
    for skeleton in skeletons:
        assert skeleton.soles[..., 2] == pytest.approx(0)
        assert 0.04 < skeleton.joint("leftFoot")[2] < 0.12
        assert skeleton.joint("leftHand")[0] == pytest.approx(-skeleton.joint("rightHand")[0], abs=0.005)


@pytest.mark.parametrize("name", templates.names("poses"))
def test_posed_rigs_agree_with_the_canonical_skeleton(fit, rest, name):
    clip = sample_pose(Pose(name=name), fit.skeleton)
    _, places = fit.skeleton.pose(clip.rotations, clip.hips)
    joints = canonical_joints(rig_heads(retarget(clip, fit, rest), rest), fit)
    height = rest.heads[rest.names.index("head")][2] / 0.915
    for bone in COMPARED:
        assert np.linalg.norm(joints[0, INDEX[bone]] - places[0, INDEX[bone]]) < 0.01 * height, bone


def test_a_jumping_rig_agrees_with_the_canonical_skeleton(fit, rest):
    clip = perform(Pose(), Stunt(name="jump", phase=0), fit.skeleton, np.arange(0.0, 4.0, 1 / FPS))
    _, places = fit.skeleton.pose(clip.rotations, clip.hips)
    moved = retarget(clip, fit, rest)
    joints = canonical_joints(rig_heads(moved, rest), fit)
    chosen = [INDEX[bone] for bone in COMPARED]
    assert np.linalg.norm(joints[:, chosen] - places[:, chosen], axis=-1).max() < 0.017
    steps = np.sum(moved.quaternions[1:] * moved.quaternions[:-1], axis=-1)
    assert steps.min() > 0, "no sign flips between frames"


@pytest.mark.parametrize(
    "missing",
    [
        ("chest", "upperChest", "neck"),
        ("upperChest", "Shoulder"),
        ("Toes", "jaw", "Eye"),
        ("Thumb", "Index", "Middle", "Ring", "Little"),
    ],
)
def test_a_rig_without_optional_bones_agrees_with_its_canonical_skeleton(template, rest, missing):
    lines = SHIPPED.read_text("utf-8").splitlines()
    kept = [line for line in lines if not any(part in line.split(":")[0] for part in missing)]
    assert len(kept) < len(lines)
    template("rigs", "bare", "\n".join(kept))
    fit = fit_rig("bare", rest)
    angles = np.random.Generator(np.random.PCG64(1)).normal(0.0, 0.3, (1, len(BONES), 3))
    local = about(unit(angles), np.linalg.norm(angles, axis=-1))
    clip = Clip(fit.skeleton.joint("hips")[None], local)
    _, places = fit.skeleton.pose(local, clip.hips)
    joints = canonical_joints(rig_heads(retarget(clip, fit, rest), rest), fit)
    for bone in COMPARED:
        assert np.linalg.norm(joints[0, INDEX[bone]] - places[0, INDEX[bone]]) < 0.02, bone
    assert np.isfinite(fit.skeleton.soles).all()
    assert np.ptp(fit.skeleton.soles[0, :, 1]) > 0.15, "a foot is longer than that"


def test_results_do_not_depend_on_the_axes_of_the_bones(fit, rest):
    turned = replace(rest, rotations=about(unit(np.ones(3)), np.linspace(0, 3, len(rest.names))))
    clip = sample_pose(Pose(name="reaching"), fit.skeleton)
    first, second = (rig_heads(retarget(clip, fit, given), given) for given in (rest, turned))
    assert first == pytest.approx(second, abs=1e-6)


def test_a_missing_bone_is_named_with_the_nearest(rest):
    names = tuple("upperarm1.L" if name == "upperarm01.L" else name for name in rest.names)
    with pytest.raises(BadInput, match=r"no bone 'upperarm01\.L'.* leftUpperArm; did you mean 'upperarm1\.L'\?"):
        fit_rig("default", replace(rest, names=names))


def test_an_unknown_rig_is_named(rest):
    with pytest.raises(TemplateError, match="no template 'defualt' in rigs; did you mean 'default'"):
        fit_rig("defualt", rest)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("  hips: root\n", "", "no bone is given for hips; add a line 'hips: …' under bones"),
        ("  hips: root\n", "  hip: root\n", "unknown canonical bone 'hip'; did you mean 'hips'?"),
        ("  hips: root\n", "  hips: head\n", "'head' stands for two canonical bones"),
        (
            "{spine05: 0.4, spine04: 0.6}",
            "{spine05: 0.4, spine04: 0.4}",
            "spine: the shares [0.4, 0.4] must be positive",
        ),
        ("{share: {spine05: 0.4, spine04: 0.6}}", "{}", "spine: give one of share, twist and together"),
    ],
)
def test_a_wrong_table_is_one_clear_message(template, right, wrong, message):
    shipped = SHIPPED.read_text("utf-8")
    assert right in shipped
    template("rigs", "odd", shipped.replace(right, wrong))
    with pytest.raises(TemplateError, match=r"^templates/rigs/odd\.yaml: ") as caught:
        load_table("odd")
    assert message in str(caught.value)
