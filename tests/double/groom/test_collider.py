from dataclasses import replace

import numpy as np
import pytest

from farm.double.groom.collider import Shell, build_collider
from farm.double.groom.surface import head_frame
from farm.recipe.variant import stream


def ball(radius, centre, rings=60):
    """A sphere of quads, outward."""
    down, around = np.meshgrid(np.linspace(0, np.pi, rings), np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False))
    vertices = np.stack([np.sin(down) * np.cos(around), np.sin(down) * np.sin(around), np.cos(down)], axis=-1)
    grid = np.arange(vertices.shape[0] * rings).reshape(-1, rings)
    right = np.roll(grid, -1, axis=0)
    faces = np.stack([grid[:, :-1], grid[:, 1:], right[:, 1:], right[:, :-1]], axis=-1).reshape(-1, 4)
    return Shell(vertices.reshape(-1, 3) * radius + centre, faces.astype(np.int32))


@pytest.fixture(scope="module")
def behind(head):
    """A collider around a ball behind the head, away from the face's guard."""
    frame = head_frame(head[0])
    centre = frame.centre + np.array([0, 0.06, 0])
    return build_collider([ball(0.09, centre)], head[0], frame, reach=0.1, fringe=True), centre


def test_distance_and_gradient_of_a_ball(behind):
    collider, centre = behind
    way = stream(2, "ways").standard_normal((400, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    way = way[way[:, 1] > -0.2]
    for height in (-0.01, 0.0, 0.004, 0.02):
        distance, gradient = collider.sample(centre + way * (0.09 + height))
        assert np.abs(distance - height).max() < 0.0008
        assert (np.einsum("nc,nc->n", gradient, way) > 0.995).all()


def test_the_face_is_guarded_and_the_forehead_only_without_a_fringe(head):
    frame = head_frame(head[0])
    nose = head[0].eyes.mean(axis=0) + np.array([0, -0.06, -0.03])
    forehead = head[0].eyes.mean(axis=0) + np.array([0, -0.05, 0.045])
    apart = head[0].eyes.mean(axis=0) + np.array([0.09, -0.05, -0.03])
    for fringe in (False, True):
        collider = build_collider([], head[0], frame, reach=0.1, fringe=fringe)
        distance, _ = collider.sample(np.stack([nose, forehead, apart]))
        assert distance[0] < 0
        assert (distance[1] < 0) == (not fringe)
        assert distance[2] > 0


def test_a_shell_out_of_reach_does_not_matter(head):
    frame = head_frame(head[0])
    far = replace(ball(0.1, np.zeros(3)))
    assert np.isfinite(build_collider([far], head[0], frame, reach=0.05, fringe=True).values).all()


def test_a_neck_in_an_open_collar_is_not_inside_it(head):
    frame = head_frame(head[0])
    centre = frame.centre + np.array([0, 0.06, 0])
    bottom = ball(0.06, centre)
    collar = Shell(bottom.vertices, bottom.faces[(bottom.vertices[bottom.faces][..., 2] < centre[2]).all(axis=1)])
    away = ball(0.01, centre + np.array([0, 0.2, 0]))
    over = centre + np.array([[0.0, 0.0, 0.012], [0.055, 0.0, 0.02]])
    worn = build_collider([away, collar], head[0], frame, reach=0.1, fringe=True, guarded=False)
    assert (worn.sample(over)[0] > 0.01).all()
    solid = build_collider([collar], head[0], frame, reach=0.1, fringe=True, guarded=False)
    assert solid.sample(over)[0].min() < worn.sample(over)[0].min()
    assert worn.sample(centre - [[0.0, 0.0, 0.056]])[0][0] < 0
