import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.sizes import size_in_words


@pytest.mark.parametrize(
    ("count", "words"),
    [(4.2e9, "4.2 GB"), (1e9, "1.0 GB"), (350e6, "350 MB"), (12_300, "12 kB"), (7, "7 bytes"), (0, "0 bytes")],
)
def test_sizes_have_the_unit_that_fits(count, words):
    assert size_in_words(count) == words


@given(st.floats(1, 1e15))
def test_what_is_there_is_never_nothing(count):
    assert float(re.match(r"[\d.]+", size_in_words(count))[0]) >= 1
