"""Whatever comes to a border is read, or refused by an error that names it; `tests/borders.py` brings more of it."""

import pytest
from borders import BORDERS, cross
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("name", BORDERS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False))
def test_damaged_input_is_read_or_refused_by_its_name(name, rng):
    cross(name, rng)
