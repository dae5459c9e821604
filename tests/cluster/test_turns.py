"""Who may have how many workers of a cluster that runs share."""

import pytest

from farm.cluster.turns import Claim, share_out


@pytest.mark.parametrize(
    ("claims", "cpus", "shares"),
    [
        ({"a": Claim(0, 10, 1, 0)}, 4, {"a": 4}),
        ({"a": Claim(0, 10, 1, 0), "b": Claim(0, 10, 1, 0)}, 5, {"a": 3, "b": 2}),
        ({"a": Claim(0, 10, 1, 0), "b": Claim(1, 3, 1, 0)}, 5, {"a": 2, "b": 3}),
        ({"a": Claim(0, 10, 1, 0), "b": Claim(1, 10, 1, 0)}, 5, {"a": 0, "b": 5}),
        ({"a": Claim(0, 1, 1, 0), "b": Claim(0, 10, 1, 0)}, 5, {"a": 1, "b": 4}),
        ({"a": Claim(5, 10, 4, 0), "b": Claim(0, 10, 1, 0)}, 10, {"a": 2, "b": 2}),
    ],
)
def test_workers_are_shared_out(claims, cpus, shares):
    assert share_out(claims, cpus, 0) == shares


def test_gpus_are_shared_out_too():
    claims = {"a": Claim(1, 9, 1, 1), "b": Claim(0, 9, 1, 1), "c": Claim(0, 9, 1, 0)}
    assert share_out(claims, 16, 4) == {"a": 4, "b": 0, "c": 9}
