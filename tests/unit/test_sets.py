import pandas as pd

from noisy_student.sets import JudgedSet, in_sets, rows_of, sets_of


def results(*rows):
    return pd.DataFrame(rows, columns=["role", "set"])


def test_a_role_with_one_set_is_judged_as_a_whole_and_says_no_name():
    table = in_sets(results(("test", "internal"), ("test", "external"), ("validation", "clinic")))
    assert [judged.words for judged in sets_of("test", table)] == ["“internal” test", "“external” test"]
    assert sets_of("validation", table) == [JudgedSet("validation", file="validation")]
    assert len(rows_of(JudgedSet("validation"), table)) == 1


def test_tables_without_sets_have_whole_roles():
    table = in_sets(pd.DataFrame({"role": ["test", "test"]}))
    assert [judged.scans for judged in sets_of("test", table)] == ["test scans"]
    assert sets_of("validation", table) == []


def test_pooled_scans_say_of_how_many_sets_they_are():
    table = in_sets(results(("test", "a"), ("test", "b"), ("test", "c"), ("test", "pooled")))
    pooled = sets_of("test", table)[-1]
    assert pooled.scans == "pooled test scans of 3 sets" and pooled.file == "test_pooled"


def test_file_names_are_plain_and_differ_also_where_case_does_not_count():
    names = ("Großhadern 1/images", "T+", "T-", "t", "T ")
    files = [judged.file for judged in sets_of("test", in_sets(results(*(("test", name) for name in names))))]
    assert files[0] == "test_Großhadern_1_images"
    assert len({file.lower() for file in files}) == len(names)
    assert not any(letter in file for file in files for letter in " /+")
