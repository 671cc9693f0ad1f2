"""What a list of scans to correct needs: one job a round, and no student."""

import pytest

from project import Project

ROUND = {"network": "coarse"}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def planned(project, *targets, **more):
    project.configure(rounds=[ROUND] * 3, shards=2, **more)
    return project.planned(*targets)


def test_a_list_needs_the_teachers_labels_and_no_student(project):
    jobs = planned(project, "review_1")
    assert jobs["review"] == jobs["review_1"] == jobs["train"] == jobs["pseudo_label_truth"] == 1
    assert jobs["pseudo_label"] == 2 and "select" not in jobs and "report" not in jobs


def test_lists_are_one_job_a_round_however_many_scans_there_are(project):
    few = planned(project, "review_1", "review_2", review={"scans": 100})
    many = planned(project, "review_1", "review_2", cohort={"embedded": {"unlabelled": 200_000}})
    assert few == many and few["review"] == 2


def test_a_list_made_again_knows_what_was_given_back_of_it(project):
    path = project.folder / "corrections/round_1/Case_00001.nii.gz"
    path.parent.mkdir(parents=True)
    path.write_text("corrected")
    jobs = planned(project, "review_1", corrections="corrections")
    assert jobs["corrected"] == jobs["review"] == 1 and "corrections" not in jobs


def test_without_being_asked_nothing_is_listed(project):
    assert "review" not in planned(project)
