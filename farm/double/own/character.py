"""An artist's character taken out of its file: a .blend with its armature, what that moves, its hair and all they use.

The packed file holds one collection, `CHARACTER`. In it the character stands as the built-in double does: in metres,
on z = 0, facing −Y, at rest; an empty above all of it does that. Textures and fonts are packed into the file, what is
linked is in it, and nothing else of the artist's scene is.

Blender changes what it has opened on the way, so this runs in a process of its own:
`python -m farm.double.own.character SOURCE TARGET [ARMATURE]` prints, as JSON, the files that went into the new one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix
from scipy.spatial import cKDTree

from farm.double.own.blend import open_blend
from farm.double.own.head import OwnHead, read_head
from farm.double.own.reading import (
    SMOOTHING,
    OwnDouble,
    at_rest,
    evaluated,
    read_double,
    shown_things,
    vertices_of,
)
from farm.errors import BadInput, DigidoubleError, StorageError

__all__ = ["ARMATURE", "CHARACTER", "HEAD_HAIR", "head_hair", "pack_character"]

CHARACTER: Final = "Digidouble Character"
ARMATURE: Final = "armature"
"""The collection's property that points to the armature."""
HEAD_HAIR: Final = "digidouble_head_hair"
"""A property of hair objects that grow on the scalp, and of a mesh the names of its modifiers that do."""
LEFT: Final = ("LIGHT", "CAMERA", "SPEAKER", "LIGHT_PROBE")
"""What hangs on a character and is none of it."""
ON_SCALP: Final = 0.5
"""Hair is the head's where this share of its roots lies on the scalp."""


def pack_character(source: Path, target: Path, *, armature: str | None = None) -> list[Path]:
    """Write the character of `source` as `target`; returns the files that went into it, `source` first.

    BadInput where `source` is no .blend that opens here, where its armature, the armature's rig, a head or a scalp is
    not found, and where the character uses files that are missing or cannot be packed.
    """
    open_blend(source)
    linked = [Path(bpy.path.abspath(library.filepath)) for library in bpy.data.libraries]
    _make_local()
    double = read_double(str(source), armature=armature)
    _check_rig(source, double)
    head = read_head(double)
    members = [*_members(double)]
    _stand_still(double)
    _show_as_rendered(double.head)
    _keep_hidden(members)
    for thing, mark in head_hair(double, head).items():
        thing[HEAD_HAIR] = mark
    collection = _leave_alone(members)
    collection[ARMATURE] = double.armature
    _place(members, double, collection)
    files = _pack(source)
    try:
        bpy.data.libraries.write(str(target), {collection}, compress=True)
    except RuntimeError as error:
        raise StorageError(f"{target} cannot be written: {' '.join(str(error).split())}") from None
    return [source, *sorted({*linked, *files})]


def _make_local() -> None:
    """Take in what is linked, and make overrides plain data."""
    if bpy.data.libraries:
        bpy.ops.object.make_local(type="ALL")
        for block in list(bpy.data.all_ids):
            if block.library or block.override_library:
                block.make_local()
        for library in list(bpy.data.libraries):
            if not library.users_id:
                bpy.data.libraries.remove(library)


def _check_rig(source: Path, double: OwnDouble) -> None:
    match = double.match
    if not match.recognised:
        raise BadInput(
            f"{source}: the rig of '{double.armature.name}' is unknown (nearest is {match.table} with score "
            f"{match.score:.2f}): `digidouble double inspect {source.name} --table FILE` proposes a table of it for "
            f"templates/rigs"
        )
    if match.lacking:
        raise BadInput(
            f"{source}: '{double.armature.name}' is taken for {match.table}, but has no bone for "
            f"{', '.join(match.lacking)}: `digidouble double inspect {source.name}` says which it expects"
        )


def _members(double: OwnDouble) -> Iterator[Any]:
    """The character's objects, sorted by name: what its armature moves, what hangs on that, its hair, what holds it."""
    found = {*double.objects, *(bpy.data.objects[name] for name in double.hidden)}
    found |= {child for thing in found for child in thing.children_recursive}
    found |= {thing for thing in bpy.context.scene.objects if thing.type == "CURVES" and thing.data.surface in found}
    for thing in list(found):
        above = thing.parent
        while above is not None:
            found.add(above)
            above = above.parent
    yield from sorted((thing for thing in found if thing.type not in LEFT), key=lambda thing: thing.name)


def _stand_still(double: OwnDouble) -> None:
    """Take the artist's own animation off the armature and what carries it: what the double does, a recipe says."""
    thing = double.armature
    while thing is not None:
        animation = thing.animation_data
        if animation is not None:
            animation.action = None
            for track in list(animation.nla_tracks):
                animation.nla_tracks.remove(track)
        thing = thing.parent


def _show_as_rendered(head: Any) -> None:
    """Smooth the head alike in viewport and render, so that hair is rooted on what is rendered."""
    for modifier in head.modifiers:
        if modifier.type in SMOOTHING:
            modifier.levels = modifier.render_levels


def _keep_hidden(members: list[Any]) -> None:
    """What a collection or the outliner hides stays hidden in the collection to come."""
    shown, rendered = shown_things(), {*_rendered(bpy.context.view_layer.layer_collection)}
    for thing in members:
        thing.hide_viewport |= thing not in shown
        thing.hide_render |= thing not in rendered


def _rendered(layer: Any) -> Iterator[Any]:
    """The objects of a view layer's collections that renders show."""
    if layer.exclude or layer.collection.hide_render:
        return
    yield from layer.collection.objects
    for below in layer.children:
        yield from _rendered(below)


def head_hair(double: OwnDouble, head: OwnHead) -> dict[Any, bool | list[str]]:
    """The hair objects that grow on the scalp, and the meshes with the names of their particles' modifiers that do.

    Brows and lashes are another matter.
    """
    tree = cKDTree(head.surface.vertices)
    found: dict[Any, bool | list[str]] = {}

    def on_scalp(roots: Any) -> bool:
        if not len(roots):
            return False
        nearest = tree.query(double.to_upright(np.asarray(roots, dtype=np.float64)))[1]
        return float((head.density[nearest] > 0).mean()) >= ON_SCALP

    with at_rest(double.armature):
        for thing in _members(double):
            if thing.type == "CURVES" and on_scalp(_roots(thing)):
                found[thing] = True
            names = [modifier.name for modifier in thing.modifiers if on_scalp(_particles(thing, modifier))]
            if names:
                found[thing] = names
    return found


def _particles(thing: Any, modifier: Any) -> Any:
    """World places (N, 3) at which a modifier's particles grow hair; none for another modifier."""
    if modifier.type != "PARTICLE_SYSTEM" or modifier.particle_system.settings.type != "HAIR":
        return np.empty((0, 3))
    keys = [each.hair_keys[0].co for each in modifier.particle_system.particles if len(each.hair_keys)]
    matrix = np.array(thing.matrix_world)
    return np.array(keys).reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def _roots(thing: Any) -> Any:
    """World places (N, 3) at which a hair object's curves begin, before its modifiers."""
    curves = thing.data
    flat = np.empty(len(curves.points) * 3, dtype=np.float32)
    first = np.empty(len(curves.curves) + 1, dtype=np.int32)
    if not len(flat):
        return flat.reshape(-1, 3)
    curves.position_data.foreach_get("vector", flat)
    curves.curve_offset_data.foreach_get("value", first)
    matrix = evaluated(thing)[1]
    return flat.reshape(-1, 3)[first[:-1]].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _leave_alone(members: list[Any]) -> Any:
    """A collection of the members in a scene of its own; all else goes, but what they use."""
    collection = bpy.data.collections.new(CHARACTER)
    collection.name = CHARACTER
    scene = bpy.data.scenes.new(CHARACTER)
    scene.collection.children.link(collection)
    for thing in members:
        collection.objects.link(thing)
    bpy.context.window.scene = scene
    for other in [each for each in bpy.data.scenes if each != scene]:
        bpy.data.scenes.remove(other)
    for group in [each for each in bpy.data.collections if each != collection]:
        bpy.data.collections.remove(group)
    for text in [each for each in bpy.data.texts if each.use_module]:
        bpy.data.texts.remove(text)
    for block in bpy.data.all_ids:
        block.use_fake_user = False
    bpy.data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
    return collection


def _place(members: list[Any], double: OwnDouble, collection: Any) -> None:
    """Let an empty stand the character in metres on z = 0, facing −Y, its hips over the origin."""
    with at_rest(double.armature):
        joints = [double.joint(bone) for bone in double.guessed]
        places = [vertices_of(thing) for thing in double.objects[1:] if not thing.hide_render]
    low = double.to_upright(np.concatenate([np.array(joints), *places]))[:, 2].min()
    hips = double.to_upright(double.joint("hips")[None])[0]
    matrix = np.eye(4)
    matrix[:3, :3] = double.stance.axes * double.metres[0]
    matrix[:3, 3] = -hips[0], -hips[1], -low
    place = bpy.data.objects.new("double place", None)
    place.matrix_world = Matrix(matrix.tolist())
    collection.objects.link(place)
    for thing in members:
        if thing.parent is None:
            thing.parent = place
            thing.matrix_parent_inverse = Matrix.Identity(4)


def _pack(source: Path) -> set[Path]:
    """Pack the files that are left in use; BadInput names what is missing or cannot be packed."""
    outside = {"SKIP_PACKED", "SKIP_WEAK_REFERENCES", "EXPAND_TOKENS", "EXPAND_SEQUENCES", "EXPAND_CACHES"}
    used: set[Path] = set()

    def note(block: Any, written: str, meta: Any) -> None:
        del meta
        path = Path(bpy.path.abspath(written.replace("\\", "/")))
        if not isinstance(block, bpy.types.Object) or path.is_file():  # a point cache that was never baked has no file
            used.add(path)

    bpy.data.file_path_foreach(note, flags=outside)
    missing = sorted(str(path) for path in used if not path.exists())
    if missing:
        raise BadInput(f"{source}: the character uses files that are not there: {', '.join(missing)}")
    files = set(used)
    if files:
        bpy.ops.file.pack_all()
        used.clear()
        bpy.data.file_path_foreach(note, flags=outside)
        if used:
            raise BadInput(
                f"{source}: files cannot be packed into it: {', '.join(sorted(map(str, used)))}; bake sequences, "
                f"movies and caches into the character, or take them off"
            )
    _forget_places()
    return files


def _forget_places() -> None:
    """Name what is packed without its folder, so that equal characters are equal bytes wherever they lie."""
    bpy.data.file_path_foreach(lambda _, written, meta: f"//{Path(written).name}", flags=set())
    for image in bpy.data.images:
        for packed in image.packed_files:
            packed.filepath = f"//{Path(packed.filepath).name}"


def _main() -> int:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    source, target, *armature = words
    try:
        files = pack_character(Path(source), Path(target), armature=armature[0] if armature else None)
    except DigidoubleError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    print(json.dumps([str(path.resolve()) for path in files]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(_main())
