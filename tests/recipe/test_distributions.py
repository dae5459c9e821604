"""What distributions draw."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from farm.recipe import PARAMETERS, stream
from farm.recipe.distributions import Beta, Choose, Fixed, Integers, Normal, Setting, Uniform, normal_mass
from farm.recipe.settings import parse_setting

NUMBERS = st.floats(-1e3, 1e3)
DRAWS = 4000


def pairs(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted)


def draws(setting: Setting, number: int = DRAWS) -> np.ndarray:
    generator = stream(3, "test")
    return np.array([setting.draw(generator) for _ in range(number)])


def largest_gap(values: np.ndarray, cdf) -> float:
    """Kolmogorov and Smirnov's statistic."""
    ordered = np.sort(values)
    expected = np.array([cdf(value) for value in ordered])
    steps = np.arange(len(values) + 1) / len(values)
    return float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))


@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 2.0), (-9.0, 9.0), (2.0, 3.0), (-4.0, -3.0), (4.0, 4.5), (-0.1, 0.1), (5.5, 9.0)]
)
def test_a_truncated_normal_is_a_normal_given_that_it_is_inside(low: float, high: float) -> None:
    values = draws(Normal(10, 2, 10 + 2 * low, 10 + 2 * high))
    normal = NormalDist()
    # By symmetry the upper tail is the lower one, whose distribution function is accurate.
    sign, start, end = (-1, -high, -low) if low > 0 else (1, low, high)
    mass = normal.cdf(end) - normal.cdf(start)
    z = sign * (values - 10) / 2
    assert largest_gap(z, lambda value: (normal.cdf(value) - normal.cdf(start)) / mass) < 1.95 / math.sqrt(DRAWS)
    assert normal_mass(10, 2, 10 + 2 * low, 10 + 2 * high) == pytest.approx(mass, rel=1e-6)


def test_the_check_of_a_distribution_can_fail() -> None:
    values = draws(Uniform(-1, 2))
    assert largest_gap(values, NormalDist().cdf) > 1.95 / math.sqrt(DRAWS)


def test_a_uniform_is_uniform() -> None:
    assert largest_gap(draws(Uniform(3, 5)), lambda value: (value - 3) / 2) < 1.95 / math.sqrt(DRAWS)


def test_a_beta_has_its_mean_and_variance() -> None:
    values = draws(Beta(2, 5, 10, 20))
    assert values.mean() == pytest.approx(10 + 10 * 2 / 7, abs=4 * values.std() / math.sqrt(DRAWS))
    assert values.var() == pytest.approx(100 * 10 / (49 * 8), rel=0.1)


def test_integers_include_both_ends_equally() -> None:
    values, counts = np.unique(draws(Integers(-2, 3)), return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3]
    assert np.abs(counts - DRAWS / 6).max() < 5 * math.sqrt(DRAWS / 6)


def test_choices_come_by_weight_whatever_their_order() -> None:
    values = draws(Choose((("a", 3.0), ("b", 1.0))))
    assert np.mean(values == "a") == pytest.approx(0.75, abs=5 * math.sqrt(0.75 * 0.25 / DRAWS))
    assert (draws(Choose((("b", 1.0), ("a", 3.0)))) == values).all()


@st.composite
def number_settings(draw: st.DrawFn) -> Setting:
    low, high = draw(pairs(NUMBERS))
    kind = draw(st.sampled_from(["uniform", "normal", "beta", "integers"]))
    if kind == "uniform":
        return Uniform(low, high)
    if kind == "integers":
        return Integers(math.floor(low), math.ceil(high))
    if kind == "beta":
        shape = st.floats(0.01, 1000)
        return Beta(draw(shape), draw(shape), low, high)
    mean, sd = draw(NUMBERS), draw(st.floats(1e-300, 1e6))
    assume(normal_mass(mean, sd, low, high) >= 1e-9)
    return Normal(mean, sd, low, high)


@given(number_settings(), st.integers(0, 2**31))
def test_draws_stay_within_bounds(setting: Setting, seed: int) -> None:
    generator = stream(seed, "bounds")
    for _ in range(5):
        value = setting.draw(generator)
        assert setting.low <= value <= setting.high
        assert isinstance(value, int if isinstance(setting, Integers) else float)
        assert math.copysign(1, value) == 1 or value < 0


@given(st.sampled_from([path for path, parameter in PARAMETERS.items() if parameter.type is float]), st.data())
def test_a_parameter_never_leaves_its_range(path: str, data: st.DataObject) -> None:
    parameter = PARAMETERS[path]
    inside = st.floats(parameter.low, parameter.high)
    low, high = data.draw(pairs(inside))
    raw = data.draw(
        st.sampled_from(
            [
                {"uniform": [low, high]},
                {"normal": {"mean": low, "sd": high - low}},
                {"beta": {"a": 0.5, "b": 0.5}},
                {"choose": [low, high]},
                low,
            ]
        )
    )
    setting = parse_setting(parameter, raw)
    value = setting.draw(stream(1, path))
    assert parameter.low <= value <= parameter.high
    assert parse_setting(parameter, setting.plain()) == setting


def test_drawn_numbers_have_six_digits() -> None:
    assert all(value == float(f"{value:.6g}") for value in draws(Uniform(0.1, 987.0), 200))


def test_a_fixed_value_takes_nothing_from_the_stream() -> None:
    generator = stream(1, "a")
    assert Fixed("x").draw(generator) == "x"
    assert generator.random() == stream(1, "a").random()
