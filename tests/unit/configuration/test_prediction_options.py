import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.configuration.prediction_options import Prediction, add_arguments, prediction_of
from noisy_student.errors import InputError


def parsed(flags):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return prediction_of(parser.parse_args(flags.split()))


@given(
    st.builds(
        Prediction,
        step_size=st.floats(0.1, 1),
        mirroring=st.booleans(),
        windows=st.sampled_from(["everywhere", "on_body", "in_box_of_body"]),
        compile=st.booleans(),
        channels_last=st.booleans(),
    )
)
def test_the_command_line_of_the_configuration_is_read_back(options):
    assert parsed(options.flags) == options


def test_a_command_without_options_does_as_nnunet_does():
    assert parsed("") == Prediction()


def test_a_step_out_of_range_is_named():
    with pytest.raises(InputError, match="--step-size within its range"):
        parsed("--step-size 1.5")


def test_only_what_changes_label_maps_makes_them_another_models():
    plain = Prediction()
    assert Prediction(compile=True, channels_last=True).results_depend_on == plain.results_depend_on
    for change in ({"step_size": 0.8}, {"mirroring": True}, {"windows": "on_body"}):
        assert Prediction(**change).results_depend_on != plain.results_depend_on
