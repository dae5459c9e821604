"""How many workers a cluster carries."""

import pytest

pytest.importorskip("ray", reason="the farm needs ray")

from farm.cluster.machine import Pool
from farm.cluster.session import Node, join_cluster, size_of_cluster
from farm.errors import BadInput, FarmError

HEAD = Node("a", "head", 0, 0)
SMALL, LARGE = Node("b", "small", 2, 0), Node("c", "large", 16, 4)


@pytest.mark.parametrize(
    ("nodes", "asked", "pool"),
    [
        ([HEAD, SMALL, LARGE], {"gpus": False}, Pool(9, 2)),
        ([HEAD, LARGE], {"gpus": False}, Pool(4, 4)),
        ([HEAD, SMALL, LARGE], {"gpus": True}, Pool(4, 4, 4)),
        ([HEAD, SMALL, LARGE], {"gpus": False, "threads": 8}, Pool(2, 8)),
        ([HEAD, SMALL, LARGE], {"gpus": False, "workers": 40}, Pool(40, 2)),
        ([HEAD], {"gpus": False, "workers": 3}, Pool(3, 4)),
    ],
)
def test_workers_of_a_cluster(nodes, asked, pool):
    assert size_of_cluster(100, nodes, **asked) == pool


def test_no_more_workers_than_tasks():
    assert size_of_cluster(3, [LARGE], gpus=True) == Pool(3, 4, 3)


def test_a_cluster_without_what_is_asked_for_is_refused():
    with pytest.raises(FarmError, match="no node of the cluster has 4 CPUs and a GPU"):
        size_of_cluster(10, [HEAD], gpus=True)


def test_ray_client_is_refused_by_name():
    with (
        pytest.raises(BadInput, match="ray://head:10001 is for Ray Client; .*digidouble submit"),
        join_cluster("ray://head:10001"),
    ):
        pass


def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(FarmError, match="no Ray cluster at '127.0.0.1:1'"), join_cluster("127.0.0.1:1"):
        pass
