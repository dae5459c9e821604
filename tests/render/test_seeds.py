import pytest

from farm.errors import RenderError
from farm.render.seeds import SEED_COUNT, half_role, noisy_role, view_seeds

ROLES = [noisy_role(spp, replica) for spp in (1, 4, 16) for replica in range(50)] + [half_role(0), half_role(1)]


def test_seeds_of_a_view_all_differ():
    seeds = view_seeds("a/1", ROLES)
    assert len(set(seeds.values())) == len(ROLES)
    assert all(0 <= seed < SEED_COUNT for seed in seeds.values())


def test_seeds_depend_on_the_view_alone():
    assert view_seeds("a/1", ROLES) == view_seeds("a/1", ROLES)
    assert view_seeds("a/1", ROLES) != view_seeds("a/2", ROLES)


def test_a_role_keeps_its_seed_when_others_are_added():
    assert view_seeds("a/1", ROLES[:3]) == {role: view_seeds("a/1", ROLES)[role] for role in ROLES[:3]}


def test_equal_roles_are_refused():
    with pytest.raises(RenderError, match="distinct"):
        view_seeds("a/1", [half_role(0), half_role(0)])
