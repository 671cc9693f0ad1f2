import pytest
import torch

from noisy_student.errors import InputError
from noisy_student.train.label_sets import LABEL_SETS, LabelSets


def test_each_distinct_set_has_a_code_above_all_labels_and_the_ignore_label():
    sets = LabelSets.of([[0, 2], [0, 1, 3], [2, 0]], 4)
    assert [sets.code_of(labels) for labels in ([0, 1, 3], [0, 2])] == [5, 6]
    members = sets.members()
    assert members.dtype == torch.bool and members.shape == (4, 7)
    assert members[:, :4].equal(torch.eye(4, dtype=torch.bool)) and members[:, 4].all()
    assert members[:, 5].tolist() == [True, True, False, True] and members[:, 6].tolist() == [True, False, True, False]


def test_a_dataset_has_a_table_of_its_sets_where_it_has_any(tmp_path):
    sets = LabelSets.of([[0, 2], [0, 1, 3]], 4)
    sets.write(tmp_path)
    assert (tmp_path / LABEL_SETS).exists() and LabelSets.read(tmp_path, 4) == sets
    LabelSets.of([], 4).write(tmp_path)
    assert LabelSets.read(tmp_path, 4) is None


def test_more_sets_than_bytes_can_tell_are_refused():
    sets = [[0, organ] for organ in range(1, 200)]
    with pytest.raises(InputError, match="at most 55 different sets"):
        LabelSets.of(sets, 200)
    assert LabelSets.of(sets[:55], 200).code_of(sets[54]) == 255


def test_sets_that_need_not_be_there_take_the_codes_that_are_left_the_most_frequent_first():
    others = [[0, 2], [0, 3], [3, 0], [0, 1, 3]]
    assert LabelSets.of([[0, 1, 3]], 4, others).sets == ((0, 1, 3), (0, 2), (0, 3))
    few = LabelSets.of([[0, 1, 3]], 253, others)
    assert few.sets == ((0, 1, 3), (0, 3)) and [3, 0] in few and [0, 2] not in few
