"""Short clips for training a temporal denoiser: motion vectors beside the guides."""

import json

import bpy

bpy.context.scene.digidouble.capture_preset = json.dumps(
    {
        "capture": {
            "resolution": [512, 512],
            "samples": [1, 4],
            "reference": {"samples": 1024, "residual": 0.03},
            "frames": {"count": 16},
            "passes": ["denoise", "temporal"],
        }
    }
)
