"""Files that an artist has beside Blender: motion capture, one that is damaged, and a denoiser."""

from farm.recipe.parameters import Body
from tests.mean_denoiser import LAYERS, exported
from tests.motion.bvh_files import Style, swaying, write_bvh
from tests.motion.data_rigs import rig_fit


def write(folder):
    """Write `sway.bvh`, `damaged.bvh` and `mean.onnx` into a new folder."""
    folder.mkdir()
    skeleton = rig_fit("mixamo", Body()).skeleton
    whole = write_bvh(folder / "sway.bvh", skeleton, swaying(skeleton, 31), Style()).read_text()
    (folder / "damaged.bvh").write_text(whole[: len(whole) * 2 // 3])
    exported(folder / "mean.onnx", LAYERS)
