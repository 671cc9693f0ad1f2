import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from noisy_student.configuration.prediction_options import MADE_BY, Prediction, add_arguments, prediction_of
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
        backend=st.sampled_from(["auto", "openvino"]),
        precision=st.sampled_from(["auto", "float32", "bfloat16"]),
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
    # What may be computed by whatever a machine has is what it was before there was a choice.
    assert plain.results_depend_on == [0.5, False, "everywhere"]
    assert Prediction(backend="openvino", precision="bfloat16").results_depend_on == plain.results_depend_on
    for change in ({"backend": "torch"}, {"precision": "float32"}):
        assert Prediction(**change).results_depend_on != plain.results_depend_on
        assert Prediction(**change).label_maps_depend_on == plain.label_maps_depend_on
    for change in ({"step_size": 0.8}, {"mirroring": True}, {"windows": "on_body"}):
        assert Prediction(**change).results_depend_on != plain.results_depend_on


def test_label_maps_are_kept_that_are_as_exact_as_asked_for_or_more():
    assert Prediction().may_be_made_by == Prediction(precision="bfloat16").may_be_made_by == MADE_BY
    assert Prediction(precision="float32").may_be_made_by == ("torch", "openvino float32")
    assert Prediction(backend="torch").may_be_made_by == ("torch",)


def test_a_run_without_the_new_keys_has_the_command_line_that_it_had():
    assert Prediction().flags == "--step-size 0.5 --windows everywhere"


def test_torch_does_not_compute_in_bfloat16():
    with pytest.raises(ValidationError, match="OpenVINO"):
        Prediction(backend="torch", precision="bfloat16")
    with pytest.raises(InputError, match="OpenVINO"):
        parsed("--backend torch --precision bfloat16")
