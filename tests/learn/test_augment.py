import numpy as np
import pytest
import torch

from farm.learn.augment import augmented
from farm.recipe.variant import stream

SIDE = 16


def ball(turn=0.0):
    """A ball seen from the front with the world turned about its vertical axis: normals are the world's."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE / 2) - 1 + 1 / SIDE
    towards = -np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    inside = x * x + y * y < 1
    seen = np.stack([x, towards, -y]) * inside
    sine, cosine = np.sin(turn), np.cos(turn)
    world = np.stack([cosine * seen[0] - sine * seen[1], sine * seen[0] + cosine * seen[1], seen[2]])
    return world.astype(np.float32)


def batch(count=8):
    rng = np.random.default_rng(5)
    light, colour = (rng.random((3, SIDE, SIDE)).astype(np.float32) for _ in range(2))
    images = {"noisy": light, "reference": 2 * light, "albedo": colour, "normal": ball(), "strand.tangent": ball(0.4),
              "hair.mask": light[:1]}  # fmt: skip
    return {name: torch.from_numpy(np.stack([image] * count)) for name, image in images.items()}


def test_equal_streams_change_equally_and_samples_differ():
    first, again, other = (augmented(batch(), stream(seed, "augment", 1, 0)) for seed in (1, 1, 2))
    for name, images in first.items():
        torch.testing.assert_close(images, again[name], rtol=0, atol=0)
    assert not torch.equal(first["noisy"], other["noisy"])
    assert len({tuple(image.flatten().tolist()) for image in first["noisy"]}) == 8


def test_layers_of_a_sample_stay_together():
    """Light, reference and albedo have one order of colours and one exposure, and all layers one place."""
    before, after = batch(64), augmented(batch(64), stream(3, "augment", 1, 0))
    factor = after["noisy"].flatten(1).sum(1) / before["noisy"].flatten(1).sum(1)
    assert factor.min() < 0.6
    assert factor.max() > 1.6
    torch.testing.assert_close(after["reference"], 2 * after["noisy"])
    torch.testing.assert_close(after["hair.mask"].flatten(1).sort(1)[0], before["hair.mask"].flatten(1).sort(1)[0])
    for index in range(64):
        light = after["noisy"][index] / factor[index]
        known = before["noisy"][index].flatten(1).sort(1)[0]
        channels = [int((light[k].flatten().sort()[0] - known).abs().sum(1).argmin()) for k in range(3)]
        assert sorted(channels) == [0, 1, 2]
        place = channels.index(0)
        torch.testing.assert_close(light[place], after["hair.mask"][index, 0], rtol=1e-5, atol=1e-6)
        paint = after["albedo"][index].flatten(1).sort(1)[0]
        torch.testing.assert_close(paint, before["albedo"][index].flatten(1).sort(1)[0][channels])


def test_a_changed_ball_is_a_ball_that_can_be_seen():
    """Normals stay of unit length; what faced the camera faces it still, from wherever it looks now."""
    after = augmented(batch(32), stream(4, "augment", 1, 0))
    length = after["normal"].norm(dim=1)
    assert ((length - 1).abs() < 1e-5).logical_or(length < 1e-6).all()
    middle = after["normal"][:, :, SIDE // 2 - 1 : SIDE // 2 + 1, SIDE // 2 - 1 : SIDE // 2 + 1].mean((2, 3))
    toward = middle / middle.norm(dim=1, keepdim=True)
    assert toward[:, 2].abs().max() < 1e-5, "the world turns about its vertical axis alone"
    assert toward[:, :2].min() < -0.8
    assert toward[:, :2].max() > 0.8
    cosine = torch.einsum("nc,nchw->nhw", toward, after["normal"])
    assert cosine.min() > -1e-5


@pytest.mark.parametrize("seed", range(6))
def test_a_mirrored_world_looks_mirrored(seed):
    """Read back through the picture: right-handedness of (right, up, towards) tells mirrored from turned."""
    after = augmented(batch(1), stream(seed, "augment", 1, 0))
    normal, mask, before = after["normal"][0], after["hair.mask"][0, 0], batch(1)["hair.mask"][0, 0]
    turned = any(torch.equal(torch.rot90(before, quarters), mask) for quarters in range(4))
    half = SIDE // 2
    towards = normal[:, half - 1 : half + 1, half - 1 : half + 1].mean((1, 2))
    right = normal[:, half, -2] - normal[:, half, 1]
    up = normal[:, 1, half] - normal[:, -2, half]
    handedness = torch.dot(torch.linalg.cross(right, up), towards)
    assert handedness > 0, "a picture of a ball is right-handed, whether of this world or its mirror image"
    tangent = after["strand.tangent"][0]
    assert float((torch.linalg.cross(normal, tangent, dim=0)[2] * (1 if turned else -1)).sum()) > 0
