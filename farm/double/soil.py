"""What lies on skin: sweat as a wet sheen, beads and runs, and dirt as dust and caked mud."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from farm.double.shading import Graph

__all__ = ["Coat", "Layer", "add_dirt", "add_sweat"]

BEADS: Final = ((0.0022, 0.00040), (0.0050, 0.00090))
"""Fine and large beads: size of a cell, which holds one at most, and their height, in metres. On a forehead they are
0.3 to 3 mm wide."""
LARGE: Final = 0.45
"""How much of the sweat it takes before large beads form."""
RUN: Final = 0.0045
RUN_HEIGHT: Final = 0.00022
"""Sizes in metres: sweat runs in threads of 1 to 3 mm."""
MUD: Final = (0.100, 0.070, 0.046)
SOOT: Final = (0.034, 0.027, 0.022)
DUST: Final = (0.24, 0.195, 0.150)
"""Albedo of wet loam, of what is rubbed into skin, and of loam dried."""
CAKE: Final = 0.0006
DRY: Final = 0.6
"""How much of the dirt it takes before mud is caked."""
SMEAR: Final = (1.0, 1.0, 0.38)
"""A hand wipes a face down rather than across."""


class Coat(NamedTuple):
    """A clear film: weight and roughness, sockets or figures."""

    weight: Any
    roughness: Any


class Layer(NamedTuple):
    """What a skin's surface is so far: sockets or figures; `height` is in metres.

    `water` is the height of the film's own surface, None where the film lies as the skin does.
    """

    colour: Any
    roughness: Any
    height: Any
    coat: Coat
    specular: Any
    water: Any = None


def add_sweat(graph: Graph, rest: Any, layer: Layer, exposure: Any, amount: float) -> Layer:
    """Sweat 0..1: a film everywhere, beads where `exposure` says, and runs once there is much of it.

    Water shines on a surface of its own and leaves the skin under it as it is.
    """
    threads = graph.noise(graph.scaled(rest, (1.0, 1.0, 0.10)), size=RUN, detail=1.0)
    low = 0.84 - 0.22 * amount
    run = graph.math("MULTIPLY", graph.ramp(threads, low, low + 0.06), graph.ramp(exposure, 0.05, 0.4))
    water = graph.math("MULTIPLY", run, RUN_HEIGHT)
    drops = run
    for (size, height), share in zip(BEADS, (amount, max(0.0, amount - LARGE) / (1 - LARGE)), strict=True):
        if share:
            dome = _beads(graph, rest, exposure, size, share)
            water = graph.math("MULTIPLY_ADD", dome, height / 0.4, water)
            drops = graph.math("MAXIMUM", drops, graph.ramp(dome, 0.0, 0.1))
    film = graph.math("MULTIPLY", graph.ramp(threads, 0.25, 0.75), graph.math("MULTIPLY_ADD", exposure, 0.75, 0.25))
    weight = graph.math(
        "MAXIMUM", graph.math("MAXIMUM", drops, graph.math("MULTIPLY", film, amount)), layer.coat.weight
    )
    dry = 0.34 - 0.14 * amount
    wet = graph.mix(0.22 * amount, layer.colour, (0.80, 0.76, 0.74), blend="MULTIPLY")
    bare = graph.math("MULTIPLY", graph.math("SUBTRACT", 1.0, drops), 1 - 0.5 * amount)
    return Layer(
        colour=wet,
        roughness=graph.math("MULTIPLY", layer.roughness, 1 - 0.2 * amount),
        height=layer.height,
        coat=Coat(weight, graph.math("MULTIPLY_ADD", drops, 0.05 - dry, dry)),
        specular=layer.specular,
        water=graph.math("MULTIPLY_ADD", layer.height, bare, water),
    )


def _beads(graph: Graph, rest: Any, exposure: Any, size: float, share: float) -> Any:
    """Domes 0..0.4 over beads, as many as `exposure` and a share 0..1 of the cells have it."""
    distance, chance, _, width = graph.cells(graph.shake(rest, size=size, by=0.15 * size), size=size)
    prone = graph.math("MULTIPLY", graph.math("POWER", exposure, 0.8), share)
    there = graph.ramp(graph.math("SUBTRACT", graph.math("MULTIPLY", prone, 0.85), chance), 0.0, 0.15)
    radius = graph.math("MULTIPLY", graph.math("MULTIPLY_ADD", width, 0.26, 0.14), there)
    inside = graph.math("MULTIPLY_ADD", distance, graph.math("MULTIPLY", distance, -1.0), _square(graph, radius))
    return graph.math("SQRT", graph.math("MAXIMUM", inside, 0.0))


def add_dirt(graph: Graph, rest: Any, layer: Layer, exposure: Any, amount: float) -> Layer:
    """Dirt 0..1: a film of dust, smudges rubbed in where `exposure` says, and at the most, mud caked in them."""
    cloud = graph.noise(rest, size=0.050, detail=3.0, roughness=0.55)
    wiped = graph.shake(rest, size=0.018, by=0.010)
    streaks = graph.noise(graph.scaled(wiped, SMEAR), size=0.012, detail=5.0, roughness=0.62)
    grain = graph.noise(rest, size=0.0016, detail=3.0, roughness=0.7)
    reach = graph.math("MULTIPLY_ADD", exposure, 0.62, graph.math("MULTIPLY_ADD", cloud, 0.50, -0.25))
    reach = graph.math("MULTIPLY_ADD", streaks, 0.60, graph.math("SUBTRACT", reach, 0.30))
    edge = 0.52 - 0.52 * amount
    smudge = graph.ramp(reach, edge, edge + 0.46)
    speckled = graph.math("MULTIPLY_ADD", graph.ramp(grain, 0.35, 0.65), 0.45, 0.55)
    smear = graph.math("MULTIPLY", graph.math("MULTIPLY", smudge, speckled), 0.55 + 0.30 * amount)
    dust = graph.math("MULTIPLY", graph.ramp(reach, edge - 0.42, edge + 0.30), 0.10 + 0.34 * amount)
    caked = graph.math("MULTIPLY", graph.ramp(reach, 0.42, 0.66), max(0.0, amount - DRY) / (1 - DRY))
    mud = graph.math("MULTIPLY", caked, graph.ramp(grain, 0.30, 0.55))
    colour = graph.mix(dust, layer.colour, DUST)
    colour = graph.mix(smear, colour, graph.mix(grain, SOOT, MUD))
    colour = graph.mix(graph.math("MULTIPLY", mud, 0.9), colour, graph.mix(grain, MUD, tuple(1.8 * c for c in MUD)))
    cover = graph.math("MAXIMUM", graph.math("MAXIMUM", mud, dust), smear)
    bare = graph.math("SUBTRACT", 1.0, cover)
    crust = graph.math("MULTIPLY", mud, graph.math("MULTIPLY_ADD", grain, CAKE, 0.3 * CAKE))
    return Layer(
        colour=colour,
        roughness=graph.math("ADD", graph.math("MULTIPLY", layer.roughness, bare), graph.math("MULTIPLY", cover, 0.85)),
        height=graph.math("ADD", layer.height, crust),
        coat=Coat(graph.math("MULTIPLY", bare, layer.coat.weight), layer.coat.roughness),
        specular=graph.math("MULTIPLY_ADD", bare, 0.30, 0.10),
        water=layer.water,
    )


def _square(graph: Graph, value: Any) -> Any:
    return graph.math("MULTIPLY", value, value)
