"""The interface in other languages: `languages/LANGUAGE.json` beside this file, English text -> translation.

Blender shows them where its interface is translated; what a table lacks stays English. To add a language, copy
`de_DE.json` and call it as Blender calls the language.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import bpy

from .state import CONTEXT

__all__ = ["FOLDER", "read_tables", "register", "unregister"]

FOLDER: Final = Path(__file__).parent / "languages"
CONTEXTS: Final = (
    bpy.app.translations.contexts.default,
    bpy.app.translations.contexts.operator_default,
    CONTEXT,
)
"""Where Blender looks a text up: names and labels, names of operators, and what is ours alone."""


def read_tables() -> dict[str, dict[tuple[str, str], str]]:
    """The tables as Blender takes them: language -> (context, English text) -> translation."""
    tables = {}
    for file in sorted(FOLDER.glob("*.json")):
        texts = json.loads(file.read_text(encoding="utf-8"))
        tables[file.stem] = {(context, english): text for context in CONTEXTS for english, text in texts.items()}
    return tables


def register() -> None:
    """Let Blender translate."""
    bpy.app.translations.register(__package__ or __name__, read_tables())


def unregister() -> None:
    """Take that back."""
    bpy.app.translations.unregister(__package__ or __name__)
