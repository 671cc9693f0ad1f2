"""Sentences of the methods text are true of what the run did."""

from dataclasses import replace

import pytest

from noisy_student.report.held_out_table import held_out
from noisy_student.report.methods import sections
from noisy_student.report.results import read_results
from synthetic_results import SyntheticRun

AVERAGE = "exponential moving average over the training"
PIECES = "all organs together and liver"
NOT_COMPARED = "its teacher comes from elsewhere and held out no scans"


@pytest.fixture
def results(tmp_path):
    return made(tmp_path)


def made(folder, gains=(0.02,), **own):
    """The results of a short run."""
    return read_results(SyntheticRun(gains, unlabelled=4, validation=2, test=0, epochs=2, **own).write(folder))


def judged(results, **own):
    """The same with this in the first student's verdict."""
    first, student = results.rounds
    return replace(results, rounds=[first, replace(student, verdict=student.verdict | own)])


def test_patches_are_mirrored_in_the_rounds_with_augmentation_alone(results):
    configuration = results.run["configuration"]
    none, nnunet = ({**configuration["noise"], "augmentation": name} for name in ("none", "nnunet"))
    configuration["noise"] = nnunet
    assert "Patches were mirrored at random along z and y, and never left-right." in sections(results)["Training"]
    configuration["rounds"][0]["noise"] = none
    said = "Patches were not mirrored in round 0; mirrored at random along z and y in round 1, and never left-right."
    assert said in sections(results)["Training"]
    configuration["rounds"][1]["noise"] = none
    assert "Patches were not mirrored, and never left-right." in sections(results)["Training"]


@pytest.mark.parametrize("gains", [(), (0.02,)])
def test_the_last_rounds_voices_are_said_where_a_student_to_be_deployed_learns_from_them(tmp_path, gains):
    results = made(tmp_path, gains, deployed=True)
    results.run["configuration"]["rounds"][-1]["training"] = {"voices": ["final", "average"]}
    assert AVERAGE in sections(results)["Pseudo-labels"]
    assert AVERAGE not in sections(replace(results, deployed=None)).get("Pseudo-labels", "")


def test_the_student_to_be_deployed_has_largest_pieces_of_its_own(tmp_path):
    results = made(tmp_path, (), taken=1, deployed=True)
    results.run["configuration"]["postprocessing"]["predictions"] = True
    its_own = f"is better: for the student made to be deployed: {PIECES}."
    assert its_own in sections(results)["Post-processing"]
    unknown = replace(results, deployed=replace(results.deployed, postprocessing={}))
    assert "is better: not known yet." in sections(unknown)["Post-processing"]
    trained = replace(results, rounds=[replace(results.rounds[0], postprocessing=results.deployed.postprocessing)])
    both = f"is better: {PIECES}; for the student made to be deployed: {PIECES}."
    assert both in sections(trained)["Post-processing"]


def test_held_out_scans_are_said_to_be_labelled_by_one_fold_alone(tmp_path):
    alone = "held it out alone"
    assert alone not in sections(made(tmp_path / "one"))["Inference"]
    assert (
        f"the 2 folds (of a held-out scan, the fold that {alone})"
        in sections(made(tmp_path / "two", folds=2))["Inference"]
    )
    elsewhere = made(tmp_path / "elsewhere", (), folds=2, taken=1, deployed=True)
    assert "the mean over the one fold that was trained" in sections(elsewhere)["Inference"]


def test_no_student_is_said_to_have_held_up_that_was_not_judged_or_does_not_count(results):
    def said(results):
        return sections(results)["Collapse and early end"]

    none = "No student had collapsed."
    assert none in said(results)
    unjudged = said(judged(results, not_compared=NOT_COMPARED))
    assert "had collapsed." not in unjudged.split("its teacher labelled on. ")[1] and NOT_COMPARED in unjudged
    retrained = said(judged(results, seeds=[1000]))
    assert none not in retrained and "No student that counts had collapsed. A training was repeated" in retrained


def test_the_whole_rule_stands_over_the_verdicts(results):
    assert "with the whole interval of the difference below 0, labels nothing." in held_out(results).caption


def test_from_pseudo_labels_learned_who_had_any(tmp_path):
    def said(name, gains=(), **own):
        return sections(made(tmp_path / name, gains, **own))["Training"]

    others = "learned from the other labelled scans"
    assert f"{others} and, from round 1 on, from the kept pseudo-labels." in said("student", (0.02,))
    assert f"{others}." in said("teacher") and f"{others}." in said("teacher_deployed", deployed=True)
    assert f"{others} and from the kept pseudo-labels." in said("deployed", taken=1, deployed=True)


def test_a_student_to_be_deployed_alone_learned_from_partly_labelled_scans_as_rounds_do(tmp_path):
    lacking = ((1,), ())
    assert "marginal loss" in sections(made(tmp_path / "own", (), taken=1, deployed=True, lacking=lacking))["Scans"]
    assert "marginal loss" not in sections(made(tmp_path / "none", (), taken=1, lacking=lacking))["Scans"]


def test_a_model_from_elsewhere_is_not_said_to_prepare_scans_as_networks_that_were_trained_here(tmp_path):
    here, there = "by the labelled scans’ intensities.", "For round 0 scans were prepared by the plans of the model"
    trained, taken = (sections(made(tmp_path / name, (), taken=n))["Scans"] for n, name in enumerate(("own", "model")))
    assert here in trained and there not in trained
    assert here not in taken and f"{there} from elsewhere." in taken
    both = sections(made(tmp_path / "both", taken=2))["Scans"]
    assert f"{here} {there}s from elsewhere." in both
