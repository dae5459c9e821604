"""On which of a rig's bones a motion is written: those that its table names, or its controls where it has some."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from farm.double.rig_table import REQUIRED, Controls
from farm.errors import BadInput, TemplateError
from farm.motion.fit import Drive, Link, RigRest
from farm.recipe.templates import nearest

__all__ = ["leaders_first", "plan_drive"]


def plan_drive(controls: Controls | None, links: Sequence[Link], rest: RigRest, place: str) -> Drive:
    """Where a motion goes; `place` names the table for BadInput where a bone is missing, or does not hang on the hips.

    Controls of bones that VRM 1.0 does not ask for may be missing: those bones then follow their parents.
    """
    if controls is None:
        driven = [(rest.names.index(link.name), number) for number, link in enumerate(links)]
        root, leads = driven[[link.bone for link in links].index("hips")][0], rest.parents
    else:
        root, driven = _controls(controls, links, rest, place)
        leads = _leads(controls, rest)
    between = _between([bone for bone, _ in driven], root, leads, rest, place)
    still = [bone for bone in (controls.still if controls else []) if bone in rest.names]
    switches = [
        ((bone, name), value) for bone, values in (controls.switches if controls else {}).items()
        for name, value in values.items()
    ]  # fmt: skip
    return Drive(tuple(driven), root, leads, (*still, *between), tuple(switches))


def _controls(
    controls: Controls, links: Sequence[Link], rest: RigRest, place: str
) -> tuple[int, list[tuple[int, int]]]:
    """The root and the driven bones, each with the last of the links of the canonical bone that it turns."""
    last = {link.bone: number for number, link in enumerate(links)}
    if controls.root not in rest.names:
        raise BadInput(_no_control(controls.root, "root", rest, place))
    root = rest.names.index(controls.root)
    driven = [(root, last["hips"])]
    for bone in REQUIRED:
        if bone not in controls.bones:
            raise TemplateError(
                f"{place}: controls: no control is given for {bone}; add a line '{bone}: …' under bones"
            )
    for bone, control in controls.bones.items():
        if control in rest.names and bone in last:
            driven.append((rest.names.index(control), last[bone]))
        elif bone in REQUIRED:
            raise BadInput(_no_control(control, bone, rest, place))
    return root, driven


def _no_control(control: str, bone: str, rest: RigRest, place: str) -> str:
    near = nearest(control, list(rest.names))
    return f"the rig has no control '{control}', which {place} names for {bone}{near}"


def _leads(controls: Controls, rest: RigRest) -> NDArray[np.int32]:
    leads = rest.parents.copy()
    for bone, control in controls.copies.items():
        if bone in rest.names and control in rest.names:
            leads[rest.names.index(bone)] = rest.names.index(control)
    return leads


def _between(driven: Sequence[int], root: int, leads: NDArray[np.int32], rest: RigRest, place: str) -> list[str]:
    """The bones that lie between the driven ones and the root and are not driven."""
    found: dict[int, None] = {}
    for bone in driven:
        above = bone
        for _ in range(len(leads)):
            if above == root:
                break
            above = int(leads[above])
            if above < 0:
                raise BadInput(
                    f"the rig's bone '{rest.names[bone]}' does not hang on '{rest.names[root]}', by which {place} "
                    f"moves the rig: parent it to that, or name another bone there"
                )
            found[above] = None
        else:
            raise TemplateError(f"{place}: controls: '{rest.names[bone]}' copies what hangs on itself")
    return [rest.names[bone] for bone in found if bone not in driven]


def leaders_first(leads: NDArray[np.int32]) -> list[int]:
    """All bones, each after the one that it moves with."""
    children: dict[int, list[int]] = {}
    for bone, lead in enumerate(leads.tolist()):
        children.setdefault(lead, []).append(bone)
    ordered = children.get(-1, [])
    for bone in ordered:
        ordered.extend(children.get(bone, []))
    return ordered
