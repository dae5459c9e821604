"""Lengths are those of numpy, bit for bit."""

import numpy as np
import pytest

from farm.double.normals import lengths


@pytest.mark.parametrize("shape", [(1000, 3), (40, 9, 3), (0, 3)])
def test_lengths_are_numpys_to_the_last_bit(shape):
    vectors = np.random.Generator(np.random.PCG64(3)).standard_normal(shape) * 0.1
    assert lengths(vectors).tobytes() == np.linalg.norm(vectors, axis=-1, keepdims=True).tobytes()
