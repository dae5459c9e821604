"""An artist's own double on a stage of Digidouble's: packed once, then varied, previewed and rendered like ours.

What is packed is a copy; the artist's scene and data stay as they are. Packed doubles lie in the add-on's own folder,
each named by its content, and are kept: recipes in saved files name them.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import bpy

from farm.double.own.sealing import packed_character, seal_double
from farm.errors import BadInput, DigidoubleError, StorageError
from farm.recipe import Recipe
from farm.recipe.character import BROUGHT, CharacterFile, asset_name

from . import document, preview
from .ops_double import look_through_camera
from .own import OwnOperator, read_own, table_of
from .state import change, state_of

__all__ = ["CLASSES", "adopt", "brought", "draw_keep_hair", "keep_hair_property"]

COPY: Final = "own.blend"


def adopt(recipe: Recipe) -> Recipe:
    """A recipe whose double, where it is an artist's, lies packed in the add-on's folder.

    BadInput where its file cannot be used, StorageError where the folder cannot be written.
    """
    sealed, packed = seal_double(recipe)
    if sealed.double is None:
        return recipe
    home = preview.doubles()
    kept = home / asset_name(str(sealed.double.sha256))
    if not kept.is_file():
        if packed is None:
            raise BadInput(f"the packed double '{recipe.double.file}' is not there")  # type: ignore[union-attr]
        try:
            home.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(".partial")
            shutil.copyfile(packed, partial)
            partial.replace(kept)
        except OSError as error:
            raise StorageError(f"{home} cannot be written: {error.strerror}") from None
    double = sealed.double.model_copy(update={"file": str(kept)})
    return recipe.model_copy(update={"double": double})


def brought(scene: Any) -> tuple[str, ...]:
    """The axes that do not apply to a scene's double, because the artist's brings what they would say."""
    text = state_of(scene).document
    return document.read(text).brought if text else ()


def keep_hair_property() -> Any:
    """Whether an artist's double keeps its own hair, in place of one that is combed."""

    def get(group: Any) -> bool:
        text = state_of(group.id_data).document
        double = document.read(text).double if text else None
        return double is not None and double.keep_hair

    def set_(group: Any, keep: bool) -> None:
        def edit(text: str) -> str:
            data = json.loads(text)
            data["double"]["keep_hair"] = keep
            if keep:
                data.get("axes", {}).pop("hair", None)
            changed = json.dumps(data, ensure_ascii=False)
            document.read(changed)
            return changed

        state = state_of(group.id_data)
        if keep:
            state.held = document.release(state.held, "hair")
        change(group.id_data, edit)

    return bpy.props.BoolProperty(
        name="Keep Own Hair", description="Keep the hair that your double has, and comb none", get=get, set=set_
    )


def draw_keep_hair(layout: Any, scene: Any) -> bool:
    """The switch, where the scene's double is an artist's; returns whether its own hair is kept."""
    if document.read(state_of(scene).document).double is None:
        return False
    layout.prop(state_of(scene), "keep_hair")
    return "hair" in brought(scene)


class DIGIDOUBLE_OT_vary_own(OwnOperator, bpy.types.Operator):  # noqa: N801 - Blender's own form
    """Put a copy of your double on a stage of its own, to vary its hair, pose, stunt and light; yours stays as it is"""

    bl_idname = "digidouble.vary_own"
    bl_label = "Vary This Double"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One double on stage a file."""
        if not super().poll(context):
            return False
        if preview.stage_scene() is None and context.window is not None:
            return True
        cls.poll_message_set("Another double is on the stage; remove it there first")  # type: ignore[attr-defined]
        return False

    def work(self, context: Any, armature: Any) -> str:
        """Pack a copy, make the stage and build the first variant."""
        from farm.double.own.character import head_hair
        from farm.double.own.head import read_head

        table_of(armature)
        double = read_own(armature)
        keep_hair = bool(head_hair(double, read_head(double)))
        name = armature.name
        packed = _pack_copy(name)
        scene = preview.make_scene(_document(name, packed, keep_hair=keep_hair))
        context.window.scene = scene
        look_through_camera(context)
        try:
            preview.update(scene)
        except DigidoubleError:
            preview.remove(scene)
            raise
        return f"A copy of '{name}' is on the stage"


def _pack_copy(armature: str) -> Path:
    """The packed character of what is open, saved or not."""
    home = preview.doubles()
    try:
        home.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".copy-", dir=home)
    except OSError as error:
        raise StorageError(f"{home} cannot be written: {error.strerror}") from None
    with folder as place:
        copy = Path(place, COPY)
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, check_existing=False, relative_remap=True)
            return packed_character(copy, armature=armature, shelf=home)
        except RuntimeError as error:
            raise StorageError(f"{copy} cannot be written: {' '.join(str(error).split())}") from None
        except BadInput as error:
            raise BadInput(str(error).removeprefix(f"{copy}: ").replace(str(copy), "this file")) from None


def _document(name: str, packed: Path, *, keep_hair: bool) -> str:
    """The recipe that an artist's double begins with: that of a new double, without what it brings."""
    data = json.loads(document.fresh())
    without = (*BROUGHT, "hair") if keep_hair else BROUGHT
    data["axes"] = {axis: settings for axis, settings in data["axes"].items() if axis not in without}
    data["name"] = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:64] or "own"
    double = CharacterFile(file=str(packed), sha256=packed.stem, keep_hair=keep_hair)
    data["double"] = double.model_dump(mode="json", exclude_none=True)
    text = json.dumps(data, ensure_ascii=False)
    document.read(text)
    return text


CLASSES: Final = (DIGIDOUBLE_OT_vary_own,)
