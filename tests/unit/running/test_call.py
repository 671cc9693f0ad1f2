"""What of a command line holds for the next start of the same run."""

import pytest

from noisy_student.running import call, typed

OPTIONS = ["--workflow-profile", "profiles/venv", "--cores", "2", "--configfile", "a b.yaml", "c.yaml"]


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        (OPTIONS, []),
        (["round_1", *OPTIONS], ["round_1"]),
        ([*OPTIONS, "-R", "results/round_1/selection.tsv", "select"], []),
        (["--forceall", "--touch", *OPTIONS], []),
        ([*OPTIONS, "--", "round_1"], ["round_1"]),
        ([*OPTIONS, "--forcerun=select", "--until", "train"], []),
    ],
)
def test_targets_and_what_is_said_of_one_start_alone_are_left_out(words, targets):
    assert call.options(words, targets) == OPTIONS


def test_commands_are_quoted_and_have_their_targets_first(tmp_path):
    made = call.record(["round_1", *OPTIONS], ["round_1"], tmp_path / "a folder", ["/a b.yaml"], 2)
    assert made["profile"] == "profiles/venv" and made["cores"] == 2
    assert typed.as_started(made, ["x.tsv"], ["y z.tsv"]) == (
        "snakemake x.tsv --workflow-profile profiles/venv --cores 2 --configfile 'a b.yaml' c.yaml -R 'y z.tsv'"
    )
    here = f"cd '{tmp_path}/a folder'"
    assert typed.terminal(made | {"environment": None}) == here
    assert typed.terminal(made | {"environment": "/env"}) == f"{here} && source /env/bin/activate"
