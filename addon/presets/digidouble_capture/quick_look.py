"""Small stills with little noise taken away: to see how a recipe comes out."""

import json

import bpy

bpy.context.scene.digidouble.capture_preset = json.dumps(
    {"capture": {"resolution": [256, 256], "samples": [1, 4], "reference": {"samples": 64}}}
)
