"""What a pair is made of: independent noise around one mean, and a reference that knows how noisy it is."""

import itertools

import numpy as np
import pytest

pytest.importorskip("bpy", reason="renders need bpy")

from farm.dataset.inspection import inspect_pair
from farm.dataset.layout import REFERENCE_NAME, noisy_name
from farm.dataset.metrics import beauty, relmse
from farm.recipe import Capture
from farm.render.pair import Chunks, chunk_variance, render_pair
from farm.render.settings import configure

CAPTURE = Capture(
    resolution=(48, 40), samples=(1, 4, 16), replicas=3, reference={"samples": 512, "chunk": 128, "residual": 1e-3}
)
FLOOR = np.s_[32:40, 0:48]
"""A flat region: the floor before the ball."""


@pytest.fixture(scope="module")
def scene(small_scene):
    opened = small_scene.build()
    configure(opened, CAPTURE, threads=0)
    return opened


@pytest.fixture(scope="module")
def pair(scene, tmp_path_factory):
    return render_pair(scene, "small/1", CAPTURE, tmp_path_factory.mktemp("scratch"))


def test_a_pair_is_fit_for_a_dataset(pair):
    images = {noisy_name(*key): image for key, image in pair.noisy.items()}
    assert inspect_pair({**images, REFERENCE_NAME: pair.reference}, CAPTURE.resolution) == []


def test_each_render_has_a_seed_of_its_own(pair):
    assert len(pair.seeds) == 3 * 3 + 1 + 2
    assert len(set(pair.seeds.values())) == len(pair.seeds)


@pytest.mark.parametrize("spp", CAPTURE.samples)
def test_noisy_images_and_reference_have_one_mean(pair, spp):
    """Over a flat region the noisy mean is within 3 standard errors of the reference's."""
    target = beauty(pair.reference)[FLOOR]
    error = np.concatenate([beauty(pair.noisy[spp, replica])[FLOOR] - target for replica in range(3)])
    error = error.mean(axis=-1).ravel()
    standard_error = error.std(ddof=1) / np.sqrt(error.size)
    assert abs(error.mean()) < 3 * standard_error


def test_the_comparison_of_means_sees_a_bias(pair):
    target = beauty(pair.reference)[FLOOR]
    error = (1.05 * beauty(pair.noisy[16, 0])[FLOOR] - target).mean(axis=-1).ravel()
    assert abs(error.mean()) > 3 * error.std(ddof=1) / np.sqrt(error.size)


def shared_noise(first, second, pair):
    """How far two images' errors go together, in standard deviations of what independent noise would give.

    Each error is taken against another half of the reference, so that the reference's own noise is not shared;
    the sum of products is divided by its own spread, so that Monte Carlo's long tails do no harm.
    """
    mean, difference = beauty(pair.reference), beauty(pair.reference, "half_difference.")
    errors = [
        np.mean(image - half, axis=-1) for image, half in ((first, mean + difference), (second, mean - difference))
    ]
    products = errors[0] * errors[1]
    return float(products.sum() / np.sqrt((products**2).sum()))


def test_no_two_noisy_images_share_samples(pair):
    for first, second in itertools.combinations(pair.noisy, 2):
        shared = shared_noise(beauty(pair.noisy[first]), beauty(pair.noisy[second]), pair)
        assert abs(shared) < 4.5, (first, second, shared)


def test_the_reference_shares_no_samples(scene, small_scene, pair):
    """Neither with noisy images nor between its halves; errors are against two renders independent of all of them."""
    mean, difference = beauty(pair.reference), beauty(pair.reference, "half_difference.")
    halves = [mean + difference, mean - difference]
    others = [small_scene.shoot(scene, seed, 1, 256)[..., :3] for seed in (101, 102)]

    def shared(first, second):
        products = np.mean(first - others[0], axis=-1) * np.mean(second - others[1], axis=-1)
        return float(products.sum() / np.sqrt((products**2).sum()))

    assert abs(shared(*halves)) < 4.5
    for half in halves:
        for spp in CAPTURE.samples:
            assert abs(shared(beauty(pair.noisy[spp, 0]), half)) < 4.5, spp
    assert shared(halves[0], halves[0]) > 4.5


def test_the_correlation_sees_shared_samples(scene, small_scene, pair):
    """Images of one seed share their first samples."""
    short, long = (small_scene.shoot(scene, 77, 1, length)[..., :3] for length in (4, 8))
    assert abs(shared_noise(short, long, pair)) > 4.5


def test_more_samples_less_noise(pair):
    target = beauty(pair.reference)
    errors = [relmse(beauty(pair.noisy[spp, 0]), target) for spp in CAPTURE.samples]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_the_residual_tells_the_references_error(scene, pair, tmp_path):
    """The noise estimated from the halves is the distance to a far better reference, within a factor of two."""
    better = render_pair(
        scene, "small/2", CAPTURE.model_copy(update={"reference": Capture(reference=512).reference}), tmp_path
    )
    distance = relmse(beauty(pair.reference), beauty(better.reference))
    expected = pair.residual.relmse + better.residual.relmse
    assert expected / 2 < distance < 2 * expected


def test_a_reference_is_capped_and_says_so(pair):
    assert pair.residual.samples <= CAPTURE.reference.samples
    assert pair.residual.converged == (pair.residual.ratio <= CAPTURE.reference.residual)
    assert not pair.residual.converged


def test_a_reference_stops_when_it_is_good_enough(scene, tmp_path):
    easy = Capture(resolution=(48, 40), samples=(1,), reference={"samples": 512, "chunk": 16, "residual": 0.2})
    pair = render_pair(scene, "small/1", easy, tmp_path)
    assert pair.residual.converged
    assert pair.residual.samples < 512


def test_the_same_view_gives_the_same_pixels(scene, pair, tmp_path):
    again = render_pair(scene, "small/1", CAPTURE, tmp_path)
    for key, image in pair.noisy.items():
        for channel, pixels in image.items():
            np.testing.assert_array_equal(again.noisy[key][channel], pixels)
    for channel, pixels in pair.reference.items():
        np.testing.assert_array_equal(again.reference[channel], pixels)


def test_depth_comes_from_sample_zero(pair):
    depth = pair.reference["depth.Z"]
    assert depth.min() > 4
    assert np.all((depth < 20) | (depth == np.float32(1e10)))
    assert (depth == np.float32(1e10)).any()


def test_chunks_merge_exactly(scene, small_scene):
    whole = small_scene.shoot(scene, 5, 1, 24)
    chunks = Chunks()
    for offset, length in ((1, 16), (17, 8)):
        chunks.add({"RGBA": small_scene.shoot(scene, 5, offset, length)}, length)
    np.testing.assert_allclose(chunks.mean()["RGBA"], whole, rtol=2e-6, atol=2e-6)
    assert chunks.samples == 24


def test_one_sample_is_filtered_and_not_the_pixels_centre(scene, small_scene, pair):
    """At silhouettes 40 images of one sample average to the coverage; of sample 0 each is the same yes or no."""
    coverage = pair.reference["A"]
    edge = (coverage > 0.2) & (coverage < 0.8)
    assert edge.sum() > 20

    def error(offset):
        mean = np.mean([small_scene.shoot(scene, seed, offset, 1)[..., 3] for seed in range(200, 240)], axis=0)
        return float(np.sqrt(np.mean((mean - coverage)[edge] ** 2)))

    assert error(1) < 0.12
    assert error(0) > 0.2


def test_variance_of_white_noise_is_told_whatever_the_chunks_lengths():
    rng = np.random.default_rng(3)
    halves = Chunks(), Chunks()
    for samples in (16, 8, 4):
        for half in halves:
            noise = rng.normal(2, 3 / np.sqrt(samples), (200, 200)).astype(np.float32)
            half.add({"G": noise, "A": noise}, samples)
    told = chunk_variance(halves, "G").mean()
    assert told == pytest.approx(9 / 56, rel=0.02)
    halves[0].add({"G": np.full((200, 200), 5, np.float32), "A": noise}, 4)
    assert chunk_variance(halves, "G").mean() > 1.2 * told
