"""Who gets which task: scenes stay warm, nothing is given twice, nothing is forgotten."""

import random
from dataclasses import dataclass

from farm.cluster.queue import Queue


@dataclass(frozen=True)
class Job:
    """What the queue looks at of a task."""

    key: str
    double: str
    variant: str


def jobs(doubles, variants=1, frames=1):
    return [
        Job(f"{double}{variant}{frame}", double, f"{double}{variant}")
        for double in doubles
        for variant in range(variants)
        for frame in range(frames)
    ]


def test_a_worker_keeps_its_double():
    queue = Queue(jobs("ab", variants=2, frames=2))
    taken = [queue.take(worker).task.key for worker in ["w1", "w2"] * 4]
    assert taken[::2] == ["a00", "a01", "a10", "a11"]
    assert taken[1::2] == ["b00", "b01", "b10", "b11"]
    assert len(queue) == 0
    assert queue.take("w1") is None


def test_an_idle_worker_takes_half_of_the_longest_between_variants():
    queue = Queue(jobs("a", variants=4, frames=3))
    assert queue.take("w1").task.key == "a00"
    second = [queue.take("w2").task.key for _ in range(6)]
    assert second == ["a20", "a21", "a22", "a30", "a31", "a32"]
    assert [queue.take("w1").task.key for _ in range(5)] == ["a01", "a02", "a10", "a11", "a12"]


def test_what_a_lost_worker_had_is_anybodys():
    queue = Queue(jobs("a", frames=3))
    queue.take("w1")
    queue.leave("w1")
    assert [queue.take("w2").task.key for _ in range(2)] == ["a01", "a02"]


def test_what_failed_is_tried_on_another_node_where_there_is_one():
    queue = Queue([])
    (job,) = jobs("a")
    queue.put_back(job, node="n1")
    assert queue.take("w1", node="n1", only_node=False) is None
    assert queue.take("w2", node="n2", only_node=False).task == job
    queue.put_back(job, node="n1")
    assert queue.take("w1", node="n1", only_node=True).task == job


def test_what_failed_does_not_wait_for_another_node_for_ever():
    now = 0.0
    queue = Queue([], clock=lambda: now)
    (job,) = jobs("a")
    queue.put_back(job, node="n1", alone=True)
    assert queue.shunned == "n1"
    assert queue.take("w1", node="n1", fresh=True, only_node=False) is None
    now = 61.0
    assert queue.shunned == ""
    assert queue.take("w1", node="n1", fresh=True, only_node=False).task == job


def test_what_is_to_be_alone_gets_a_fresh_worker():
    queue = Queue(jobs("b"))
    (job,) = jobs("a")
    queue.put_back(job, alone=True)
    assert queue.wants_fresh
    assert queue.take("w1", fresh=False).task.double == "b"
    assert queue.take("w1", fresh=False) is None
    assert queue.take("w2", fresh=True) == (job, True)
    assert not queue.wants_fresh


def test_every_task_is_given_once_whoever_asks():
    choice = random.Random(3)
    tasks = jobs("abcde", variants=7, frames=5)
    queue, given = Queue(tasks), []
    while queue:
        worker = f"w{choice.randrange(8)}"
        if choice.random() < 0.05:
            queue.leave(worker)
        elif (got := queue.take(worker)) is not None:
            given.append(got.task)
    assert sorted(task.key for task in given) == sorted(task.key for task in tasks)
