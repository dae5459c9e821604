"""What lies on skin: sweat as a wet sheen, beads and runs, and dirt as dust and caked mud."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from farm.double.shading import Graph

__all__ = ["Coat", "Layer", "add_dirt", "add_sweat"]

BEAD: Final = 0.0040
BEAD_HEIGHT: Final = 0.0010
RUN: Final = 0.0055
RUN_HEIGHT: Final = 0.00018
"""Sizes in metres: sweat beads on a forehead are 0.5 to 3 mm wide and run in threads of 1 to 3 mm."""
MUD: Final = (0.100, 0.068, 0.043)
DUST: Final = (0.24, 0.185, 0.135)
"""Albedo of wet loam and of the same dried."""
CAKE: Final = 0.0006


class Coat(NamedTuple):
    """A clear film: weight and roughness, sockets or figures."""

    weight: Any
    roughness: Any


class Layer(NamedTuple):
    """What a skin's surface is so far: sockets or figures; `height` is in metres."""

    colour: Any
    roughness: Any
    height: Any
    coat: Coat
    specular: Any


def add_sweat(graph: Graph, rest: Any, layer: Layer, exposure: Any, amount: float) -> Layer:
    """Sweat 0..1: a film everywhere, beads where `exposure` says, and runs once there is much of it."""
    distance, chance, _, width = graph.cells(graph.shake(rest, size=BEAD, by=0.15 * BEAD), size=BEAD)
    prone = graph.math("POWER", exposure, 0.6)
    beading = graph.math("MULTIPLY", graph.math("MULTIPLY_ADD", prone, 0.9, 0.1 * amount), amount)
    there = graph.ramp(graph.math("SUBTRACT", graph.math("MULTIPLY", beading, 1.1), chance), 0.0, 0.15)
    radius = graph.math("MULTIPLY", graph.math("MULTIPLY_ADD", width, 0.30, 0.14), there)
    inside = graph.math("MULTIPLY_ADD", distance, graph.math("MULTIPLY", distance, -1.0), _square(graph, radius))
    dome = graph.math("SQRT", graph.math("MAXIMUM", inside, 0.0))
    threads = graph.noise(graph.scaled(rest, (1.0, 1.0, 0.10)), size=RUN, detail=1.0)
    low = 0.86 - 0.24 * amount
    run = graph.math("MULTIPLY", graph.ramp(threads, low, low + 0.05), graph.ramp(exposure, 0.05, 0.4))
    height = graph.math("MULTIPLY_ADD", dome, BEAD_HEIGHT / 0.4, layer.height)
    height = graph.math("MULTIPLY_ADD", run, RUN_HEIGHT, height)
    water = graph.math("MAXIMUM", graph.ramp(dome, 0.0, 0.1), run)
    film = graph.math("MULTIPLY", graph.ramp(threads, 0.25, 0.75), graph.math("MULTIPLY_ADD", exposure, 0.7, 0.35))
    weight = graph.math(
        "MAXIMUM", graph.math("MAXIMUM", water, graph.math("MULTIPLY", film, amount)), layer.coat.weight
    )
    dry = 0.34 - 0.14 * amount
    wet = graph.mix(0.22 * amount, layer.colour, (0.80, 0.76, 0.74), blend="MULTIPLY")
    return Layer(
        colour=wet,
        roughness=graph.math("MULTIPLY", layer.roughness, 1 - 0.2 * amount),
        height=height,
        coat=Coat(weight, graph.math("MULTIPLY_ADD", water, 0.04 - dry, dry)),
        specular=layer.specular,
    )


def add_dirt(graph: Graph, rest: Any, layer: Layer, exposure: Any, amount: float) -> Layer:
    """Dirt 0..1: a film of dust, and mud where `exposure` says, caked at 1."""
    ragged = graph.noise(rest, size=0.030, detail=7.0, roughness=0.68)
    picked = graph.math("MULTIPLY_ADD", exposure, 0.16, ragged)
    edge = 0.84 - 0.34 * amount
    mud = graph.ramp(picked, edge, edge + 0.13)
    dust = graph.math("MULTIPLY", graph.ramp(picked, edge - 0.34, edge + 0.10), 0.20 + 0.50 * amount)
    grain = graph.ramp(ragged, 0.30, 0.75)
    colour = graph.mix(dust, layer.colour, DUST)
    colour = graph.mix(graph.math("MULTIPLY", mud, 0.93), colour, graph.mix(grain, MUD, tuple(2.0 * c for c in MUD)))
    cover = graph.math("MAXIMUM", mud, dust)
    bare = graph.math("SUBTRACT", 1.0, cover)
    crust = graph.math("MULTIPLY", mud, graph.math("MULTIPLY_ADD", ragged, CAKE, 0.3 * CAKE))
    return Layer(
        colour=colour,
        roughness=graph.math("ADD", graph.math("MULTIPLY", layer.roughness, bare), graph.math("MULTIPLY", cover, 0.93)),
        height=graph.math("ADD", layer.height, crust),
        coat=Coat(graph.math("MULTIPLY", bare, layer.coat.weight), layer.coat.roughness),
        specular=graph.math("MULTIPLY_ADD", bare, 0.32, 0.08),
    )


def _square(graph: Graph, value: Any) -> Any:
    return graph.math("MULTIPLY", value, value)
