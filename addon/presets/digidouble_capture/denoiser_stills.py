"""Stills for training a denoiser: several sample counts, guides, a converged reference."""

import json

import bpy

bpy.context.scene.digidouble.capture_preset = json.dumps(
    {
        "capture": {
            "resolution": [512, 512],
            "samples": [1, 4, 16, 64],
            "replicas": 2,
            "reference": {"samples": 4096, "residual": 0.02},
            "passes": ["denoise"],
        }
    }
)
