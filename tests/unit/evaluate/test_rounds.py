from pathlib import Path

from noisy_student.evaluate.rounds import round_names, round_numbers, without_deployed


def test_numbers_come_from_the_folders():
    assert round_numbers([Path("results/round_0/scores.tsv"), Path("results/round_12/scores.tsv")]) == [0, 12]


def test_other_names_and_doubles_are_counted():
    assert round_numbers([Path("a/scores.tsv"), Path("round_3/scores.tsv")]) == [0, 1]
    assert round_numbers([Path("x/round_1/s.tsv"), Path("y/round_1/s.tsv")]) == [0, 1]


def test_the_student_to_be_deployed_has_its_own_name_and_takes_no_number():
    chain = [Path(f"results/round_{name}/summary.tsv") for name in ("0", "3", "deploy")]
    assert round_names(chain) == ["round 0", "round 3", "deploy student"]
    assert round_names(chain[::-1]) == ["deploy student", "round 3", "round 0"]


def test_students_to_be_deployed_of_several_experiments_are_counted():
    assert round_names([Path("x/round_deploy/s.tsv"), Path("y/round_deploy/s.tsv")]) == ["round 0", "round 1"]


def test_the_student_to_be_deployed_is_no_further_round():
    first, second, deployed = chain = [Path(f"results/round_{name}/scores.tsv") for name in ("0", "1", "deploy")]
    assert without_deployed(chain) == ([first, second], [deployed])
    of_experiments = [Path("x/round_deploy/s.tsv"), Path("y/round_deploy/s.tsv")]
    assert without_deployed(of_experiments) == (of_experiments, [])
