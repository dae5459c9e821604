"""What follows a failure, without Ray."""

import pytest

from farm.cluster.policy import LADDERS, Judge, Policy, StoreTrouble
from farm.errors import StorageError, StoreAccessError


def verdicts(*causes, judge=None, node="n1"):
    judge = judge or Judge(Policy())
    return [judge.failed("task", cause, node).step for cause in causes]


@pytest.mark.parametrize(
    ("causes", "steps"),
    [
        (["scene"], ["give up"]),
        (["crash", "crash", "crash"], ["elsewhere", "alone", "give up"]),
        (["memory", "memory"], ["alone", "give up"]),
        (["hang", "hang"], ["elsewhere", "give up"]),
        (["crash", "scene"], ["elsewhere", "give up"]),
        (["crash", "memory", "hang"], ["elsewhere", "alone", "give up"]),
        (["lost"] * 5 + ["crash"], ["elsewhere"] * 6),
        (["lost"] * 8, ["elsewhere"] * 6 + ["alone", "give up"]),
    ],
)
def test_what_follows_a_failure(causes, steps):
    assert verdicts(*causes) == steps


def test_every_ladder_ends():
    for cause, ladder in LADDERS.items():
        assert verdicts(*[cause] * (len(ladder) + 1))[-1] == "give up"


def test_tries_count_what_was_the_tasks_own_doing():
    judge = Judge(Policy())
    assert [judge.failed("task", cause, "n1").tries for cause in ("lost", "crash", "lost", "crash")] == [0, 1, 1, 2]


def test_a_node_is_avoided_after_three_tasks_in_a_row():
    judge = Judge(Policy())
    assert [judge.failed(task, "crash", "n1").avoid_node for task in "abc"] == [False, False, True]
    assert judge.avoided == {"n1"}


def test_one_bad_task_does_not_condemn_a_node():
    judge = Judge(Policy())
    assert not any(judge.failed("a", "crash", "n1").avoid_node for _ in range(5))
    assert not judge.avoided


def test_a_success_clears_a_node_and_errors_of_pairs_do_not_count():
    judge = Judge(Policy())
    for task in "ab":
        judge.failed(task, "crash", "n1")
    judge.succeeded("n1")
    for task in "cdefg":
        assert not judge.failed(task, "scene", "n1").avoid_node
    assert not judge.failed("h", "hang", "n1").avoid_node


def test_the_only_node_is_hopeless_in_the_end():
    judge = Judge(Policy(hopeless=4))
    for number in range(4):
        assert not judge.is_hopeless("n1")
        judge.failed(str(number), "crash", "n1")
    assert judge.is_hopeless("n1")


def test_a_store_that_fails_is_tried_by_one_pair_at_a_time(monkeypatch):
    clock = iter([0.0, 0.5, 1.5, 1.5, 200.0, 201.0, 203.0, 208.0])
    monkeypatch.setattr("farm.cluster.policy.time.monotonic", lambda: next(clock))
    trouble = StoreTrouble(patience=10)
    assert trouble.allows(busy=3)
    trouble.failed(StorageError("full"))
    assert not trouble.allows(busy=0)
    assert trouble.allows(busy=0)
    assert not trouble.allows(busy=1)
    trouble.over()
    assert trouble.allows(busy=1)
    for _ in range(3):
        trouble.failed(StorageError("full"))
    with pytest.raises(StorageError, match="full"):
        trouble.failed(StorageError("full"))


def test_a_store_that_refuses_access_is_not_waited_for():
    with pytest.raises(StoreAccessError, match="no bucket"):
        StoreTrouble(patience=1000).failed(StoreAccessError("no bucket"))


def test_the_pause_is_waited_out(monkeypatch):
    slept = []
    monkeypatch.setattr("farm.cluster.policy.time.monotonic", lambda: 50.0)
    monkeypatch.setattr("farm.cluster.policy.time.sleep", slept.append)
    trouble = StoreTrouble(patience=10)
    for _ in range(3):
        trouble.failed(StorageError("full"))
        trouble.wait()
    assert slept == [1.0, 2.0, 4.0]
