"""What the profile for SLURM asks for, where a wrong word would let a job wait for ever."""

from types import SimpleNamespace

import pytest
import yaml
from snakemake_executor_plugin_slurm import ExecutorSettings
from snakemake_executor_plugin_slurm.submit_string import get_submit_command

from conftest import ROOT

NOTHING = ("run_uuid", "slurm_logfile", "comment_str", "account", "partition", "workdir")


@pytest.fixture
def profile():
    return yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())


@pytest.mark.parametrize("rule", ["train", "pseudo_label"])
def test_what_goes_on_where_it_was_asks_at_no_attempt_for_more_time_than_the_partition_allows(profile, rule):
    assert isinstance(profile["set-resources"][rule]["runtime"], int)


def test_a_job_that_is_preempted_comes_back_by_itself(profile):
    own = [key for key in profile if key.startswith("slurm-")]
    options = {key.removeprefix("slurm-").replace("-", "_"): profile[key] for key in own}
    job = SimpleNamespace(resources={}, is_group=lambda: False, threads=1)
    line = get_submit_command(job, dict.fromkeys(NOTHING, "x"), ExecutorSettings(**options))
    assert " --requeue" in line
