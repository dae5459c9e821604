"""A calm portrait in the studio."""

import json

import bpy

bpy.context.scene.digidouble.stage_preset = json.dumps(
    {"axes.light": {"preset": "studio"}, "axes.camera": {"framing": "portrait", "focal_length": 85}}
)
