"""The Blender extension Digidouble: it edits recipes, previews variants, and starts and watches renders.

Inside Blender the library `farm` is a wheel of the extension. What is drawn, built and rendered is decided there.
"""

from __future__ import annotations

from . import registration


def register() -> None:
    """Make the panels, operators and properties known to Blender."""
    registration.register()


def unregister() -> None:
    """Take back all that `register` did."""
    registration.unregister()
