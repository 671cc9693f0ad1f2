import json

import pytest

from conftest import ROOT
from noisy_student.errors import InputError
from noisy_student.running.repeated_keys import refuse_repeated_keys, repeated_keys


@pytest.fixture
def write(tmp_path):
    def written(text, name="mine.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seed: 1\ndevice: cpu\nseed: 2\n", ["`seed` in lines 1 and 3"]),
        ("training:\n  epochs: 1\n  epochs: 2\n  epochs: 2\n", ["`training.epochs` in lines 2 and 3 and 4"]),
        ("rounds:\n- network: a\n- network: b\n  network: c\n", ["`rounds[1].network` in lines 3 and 4"]),
        ("{a: {b: 1,\n  b: 2}, a: 3}\n", ["`a.b` in lines 1 and 2", "`a` in lines 1 and 2"]),
        ('seed: 1\n"seed": 2\n', ["`seed` in lines 1 and 2"]),
        ("a: 1\nb: {a: 1}\nc: [{a: 1}, {a: 1}]\n", []),
        ("1: a\n'1': b\n", []),
        ("a: &all {x: 1}\nb: *all\nc: {<<: *all, x: 2}\n", []),
        ("a: &all {x: 1, x: 2}\nb: *all\n", ["`a.x` in lines 1 and 1"]),
        ("a: &self [*self]\n", []),
        ("", []),
    ],
)
def test_a_key_that_stands_twice_in_one_mapping_is_found_with_its_lines(write, text, found):
    assert sorted(repeated_keys(write(text))) == sorted(found)


def test_json_is_read_as_snakemake_reads_it_with_tabs_too(write):
    text = '{\n\t"seed": 1,\n\t"a\\/b": "\\u00e4",\n\t"seed": 2\n}'
    assert json.loads(text)["seed"] == 2
    assert repeated_keys(write(text, "mine.json")) == ["`seed` in lines 2 and 4"]


def test_all_files_are_told_at_once_with_a_remedy(write):
    one, other = write("a: 1\na: 2\n", "one.yaml"), write("b: 1\nb: 2\n", "other.yaml")
    with pytest.raises(InputError) as error:
        refuse_repeated_keys([one, other, one])
    assert "2 error(s)" in error.value.got and "take all but one of each out" in error.value.remedy
    assert f"{one}: `a` in lines 1 and 2" in error.value.got and f"{other}: `b` in lines 1 and 2" in error.value.got


def test_our_own_configurations_have_each_key_once():
    refuse_repeated_keys(ROOT.glob("config/**/*.yaml"))
