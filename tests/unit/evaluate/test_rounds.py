from pathlib import Path

from noisy_student.evaluate.rounds import round_numbers


def test_numbers_come_from_the_folders():
    assert round_numbers([Path("results/round_0/scores.tsv"), Path("results/round_12/scores.tsv")]) == [0, 12]


def test_other_names_and_doubles_are_counted():
    assert round_numbers([Path("a/scores.tsv"), Path("round_3/scores.tsv")]) == [0, 1]
    assert round_numbers([Path("x/round_1/s.tsv"), Path("y/round_1/s.tsv")]) == [0, 1]
