"""Run by Blender's Python: denoises images with the compositor's Denoise node, which is Open Image Denoise.

python -m farm.learn.oidn_job FOLDER, where FOLDER holds light.N.exr, albedo.N.exr and normal.N.exr for N = 0, 1, …; it
writes denoised.N.exr beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    """Denoise every image of a folder."""
    import bpy

    scene = bpy.context.scene
    tree = bpy.data.node_groups.new("denoise", "CompositorNodeTree")
    tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    scene.compositing_node_group = tree
    denoise = tree.nodes.new("CompositorNodeDenoise")
    output = tree.nodes.new("NodeGroupOutput")
    inputs = {"light": "Image", "albedo": "Albedo", "normal": "Normal"}
    nodes = {name: tree.nodes.new("CompositorNodeImage") for name in inputs}
    for name, socket in inputs.items():
        tree.links.new(nodes[name].outputs[0], denoise.inputs[socket])
    tree.links.new(denoise.outputs[0], output.inputs[0])
    _configure(scene)
    for number in range(len(list(folder.glob("light.*.exr")))):
        for name, node in nodes.items():
            node.image = bpy.data.images.load(str(folder / f"{name}.{number}.exr"))
            node.image.colorspace_settings.name = "Non-Color"
        scene.render.resolution_x, scene.render.resolution_y = nodes["light"].image.size
        scene.render.filepath = str(folder / f"denoised.{number}.exr")
        bpy.ops.render.render(write_still=True)


def _configure(scene: Any) -> None:
    render = scene.render
    render.resolution_percentage = 100
    render.use_compositing, render.use_sequencer = True, False
    render.use_file_extension = False
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "32"
    render.image_settings.exr_codec = "ZIP"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
