"""What motion costs on one core: `python tests/bench/motion_bench.py`.

Seconds depend on the machine; beside them stand ratios to what Blender does anyway, measured in the same run.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import bpy
from rich.console import Console
from rich.table import Table

from farm.double.body import Double, Look, build_double
from farm.motion.apply import apply_motion, clear_motion
from farm.recipe.parameters import Pose, Stunt

__all__ = ["MotionCost", "measure_motion_apart", "motion_table"]

FRAMES = range(1, 121)
STUNT = Stunt(name="jump", phase=0.0)
TRIES = 5


class MotionCost(NamedTuple):
    """Milliseconds of CPU time, each the least of some tries.

    apply      a stunt of 120 frames put on a warm scene's double, planning included
    playing    a change of frame with the stunt, until the whole double is evaluated
    carried    the same change of pose without an action: the bones set as they are in that frame, evaluated alike
    """

    apply: float
    playing: float
    carried: float

    @property
    def added(self) -> float:
        """What the action adds to a frame, as a share of the depsgraph's own time."""
        return self.playing / self.carried - 1.0


def measure_motion() -> MotionCost:
    """Put a jump on a dressed double in an empty scene, and play it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    collection = bpy.data.collections.new("bench")
    bpy.context.scene.collection.children.link(collection)
    double = build_double(Look(), collection)
    apply_motion(double.armature, Pose(), STUNT, rig=double.rig, frames=FRAMES)
    tries = [STUNT.model_copy(update={"height": 1.0 + 0.001 * number}) for number in range(1, TRIES + 1)]
    applied = min(_timed(lambda stunt=stunt: _apply(double, stunt)) for stunt in tries)
    return MotionCost(applied, *_frames(double))


def _apply(double: Double, stunt: Stunt) -> None:
    apply_motion(double.armature, Pose(), stunt, rig=double.rig, frames=FRAMES)


def _frames(double: Double) -> tuple[float, float]:
    """The mean cost of a frame with the action, and of setting its pose without."""
    armature, scene = double.armature, bpy.context.scene
    chosen = FRAMES[8:56:4]
    poses = {}
    for frame in chosen:
        scene.frame_set(frame)
        poses[frame] = [bone.matrix_basis.copy() for bone in armature.pose.bones]
    playing = min(_timed(lambda: [scene.frame_set(frame) for frame in chosen]) for _ in range(TRIES))
    clear_motion(armature)
    carried = min(sum(_carry(armature, poses[frame], frame) for frame in chosen) for _ in range(TRIES))
    return playing / len(chosen), carried / len(chosen)


def _carry(armature: Any, pose: list[Any], frame: int) -> float:
    """Milliseconds to evaluate a frame whose pose was set before the clock starts."""
    for bone, matrix in zip(armature.pose.bones, pose, strict=True):
        bone.matrix_basis = matrix
    armature.update_tag(refresh={"OBJECT", "DATA"})
    return _timed(lambda: bpy.context.scene.frame_set(frame))


def _timed(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000.0 * (time.process_time() - start)


def measure_motion_apart() -> MotionCost:
    """`measure_motion` in a process of its own, with Blender to itself."""
    done = subprocess.run([sys.executable, __file__, "--json"], check=True, capture_output=True, text=True)
    return MotionCost(*json.loads(done.stdout.splitlines()[-1]))


def motion_table(cost: MotionCost) -> Table:
    """The figures as a table."""
    table = Table("what", "figure", title="a jump on a dressed double without hair, CPU time")
    table.add_row(f"{len(FRAMES)} frames planned and applied to a warm scene", f"{cost.apply:.0f} ms")
    table.add_row("that, in frames evaluated", f"{cost.apply / cost.playing:.1f} ×")
    table.add_row("a frame evaluated", f"{cost.playing:.0f} ms")
    table.add_row("what playing the action adds to evaluating its pose", f"{100 * cost.added:.1f} %")
    return table


if __name__ == "__main__":
    if sys.argv[1:2] == ["--json"]:
        print(json.dumps(measure_motion()))  # noqa: T201
    else:
        Console().print(motion_table(measure_motion()))
