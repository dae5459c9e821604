from __future__ import annotations

import pytest
from pydantic import ValidationError

from farm.recipe import Capture
from farm.recipe.passes import PASSES, PRESETS, expand_passes


def test_presets_are_of_passes() -> None:
    assert all(set(passes) <= set(PASSES) for passes in PRESETS.values())
    assert PRESETS["everything"] == PASSES


def test_presets_and_single_passes_go_together() -> None:
    assert expand_passes(()) == ()
    assert expand_passes(("uv", "denoise", "hair.mask")) == ("variance", "uv", "strand.tangent", "hair.mask")
    assert Capture.model_validate({"passes": "everything"}).layers == PASSES


@pytest.mark.parametrize(
    ("given", "said"),
    [({"passes": ["denoice"]}, "did you mean 'denoise'"), ({"passes": ["x"]}, "give one of denoise, temporal")],
)
def test_a_wrong_pass_is_refused(given: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Capture.model_validate(given)


def test_a_bias_is_allowed_by_name_alone() -> None:
    assert Capture.model_validate({"allow_bias": {"clamp_indirect": 10}}).allow_bias.clamp_indirect == 10
    for wrong in (True, {"denoiser": True}, {"clamp_indirect": -1}):
        with pytest.raises(ValidationError):
            Capture.model_validate({"allow_bias": wrong})
