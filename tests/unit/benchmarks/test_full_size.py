"""The run of the largest scans: its configuration loads, over the default and whatever the paper's has."""

import yaml
from snakemake.utils import update_config

from conftest import ROOT
from full_size import overlay
from noisy_student.configuration.experiment import read_configuration


def read(over):
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(values, over)
    return read_configuration(values)


def test_the_largest_scans_have_the_papers_grid_and_no_network_that_the_run_lacks():
    configuration = read(overlay())
    assert configuration.used_networks == ["paper"] and configuration.deploy is None
    network = configuration.networks["paper"]
    assert (network.spacing_mm_zyx, network.patch_size_zyx) == ((3.0, 1.0, 1.0), (32, 224, 224))
    assert [entry.network for entry in configuration.rounds] == ["paper", "paper"]
