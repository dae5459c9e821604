"""The camera goes around the double at sunset; for clips."""

import json

import bpy

bpy.context.scene.digidouble.stage_preset = json.dumps(
    {"axes.light": {"preset": "sunset"}, "axes.camera": {"framing": "full", "move": "orbit"}}
)
