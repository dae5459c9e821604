"""The whole body from all around, in any of the sets."""

import json

import bpy

bpy.context.scene.digidouble.stage_preset = json.dumps(
    {
        "axes.light": {"preset": {"choose": ["courtyard", "studio", "sunset"]}},
        "axes.camera": {
            "framing": "full",
            "azimuth": {"uniform": [-180, 180]},
            "elevation": {"uniform": [-5, 25]},
        },
    }
)
