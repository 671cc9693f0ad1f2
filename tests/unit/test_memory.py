"""Memory requests follow the largest scan of the case table and the attempt."""

import os
import re
from math import prod
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from conftest import ROOT
from noisy_student import memory
from noisy_student.memory import CONVERSION, NETWORK_MB, Need, labelling, labelling_as_given, largest_scan

HEADER = "case\tsize_x\tsize_y\tsize_z\tspacing_x_mm\tspacing_y_mm\tspacing_z_mm\tsource\n"
SPACINGS = {"coarse": (4.0, 2.0, 2.0), "medium": (2.0, 1.0, 1.0), "fine": (1.0, 0.1, 0.1), "chosen": None}


@pytest.fixture
def table(tmp_path):
    def write(*rows):
        path = tmp_path / "cases.tsv"
        path.write_text(HEADER + "".join("\t".join(map(str, row)) + "\t\n" for row in rows))
        return path

    return write


def test_most_voxels_and_greatest_extent_may_be_of_different_scans(table):
    largest = largest_scan(table(("a", 10, 10, 10, 1, 1, 1), ("b", 5, 5, 5, 4, 4, 4)))
    assert largest.voxels == 1000 and largest.extent_mm3 == 8000
    assert largest.network_voxels((2.0, 2.0, 2.0)) == 1000
    assert largest.network_voxels(None) == 1000


def test_memory_is_the_base_and_the_voxels_times_the_attempt(table):
    path = table(("a", 100, 100, 100, 1, 1, 1))
    need = Need(base_mb=500, bytes_per_voxel=10, bytes_per_network_voxel=100)
    assert need.memory_mb(path, (10, 10, 10), 1) == 500 + 10 + 1
    assert need.memory_mb(path, (10, 10, 10), 3) == 3 * need.memory_mb(path, (10, 10, 10), 1)


def test_a_new_table_is_read_anew(table):
    path = table(("a", 100, 100, 100, 1, 1, 1))
    before = CONVERSION.memory_mb(path, None, 1)
    table(("a", 500, 500, 500, 1, 1, 1))
    os.utime(path, ns=(1, 1))
    assert CONVERSION.memory_mb(path, None, 1) > before


def test_a_large_abdomen_fits_a_common_node(table):
    path = table(("a", 512, 512, 600, 0.8, 0.8, 1.0))
    assert 8_000 < labelling(14).memory_mb(path, (3.0, 1.0, 1.0), 1) < 32_000


def test_scans_that_are_preprocessed_on_the_way_need_more_and_so_do_more_classes(table):
    path = table(("a", 512, 512, 600, 0.8, 0.8, 1.0))
    needs = [labelling(14), labelling_as_given(14), labelling_as_given(118)]
    needed = [need.memory_mb(path, (1.5, 1.5, 1.5), 1) for need in needs]
    assert needed == sorted(set(needed))


def test_each_network_needs_its_weights_and_each_pass_a_label_map_of_two_scans(table):
    path = table(("a", 100, 100, 100, 1, 1, 1))
    one, folds, voices, mirrored = (
        need.memory_mb(path, (1, 1, 1), 1)
        for need in (labelling(14), labelling(14, 5), labelling(14, 20), labelling(14, 20, mirrorings=4))
    )
    assert folds - one == 4 * 2 * NETWORK_MB + 2 * 5 and voices - folds == 15 * (2 * NETWORK_MB + 2)
    assert mirrored - voices == 2 * 60


def test_a_job_asks_for_the_finest_network_that_a_round_uses_and_for_no_finer_one(table):
    text = (ROOT / "workflow/rules/common.smk").read_text()
    source = text[text.index("def memory_for(") :].split("\n\n\n")[0]
    network = {name: SimpleNamespace(spacing_mm_zyx=spacing) for name, spacing in SPACINGS.items()}
    need, path = Need(base_mb=0, bytes_per_voxel=0, bytes_per_network_voxel=1), table(("a", 100, 100, 100, 1, 1, 1))
    for used, expected in ((["coarse", "medium"], (2, 1, 1)), (["chosen", "coarse"], None), ([], None)):
        known = {"CONFIGURATION": SimpleNamespace(networks=network, used_networks=used)}
        known |= {"memory": memory, "prod": prod, "Path": Path}
        exec(source, known)
        asked = known["memory_for"](need)(None, SimpleNamespace(cases=path), 1)
        assert asked == need.memory_mb(path, expected, 1)


def test_a_missing_table_is_an_error_that_snakemake_waits_for(tmp_path):
    with pytest.raises(FileNotFoundError):
        labelling(14).memory_mb(tmp_path / "cases.tsv", None, 1)


def measured_gb():
    """Of each rule the memory of its largest job, on one core, with the largest scans."""
    table = (ROOT / "docs/scale.md").read_text().split("<!-- full size -->")[1].split("<!-- end")[0]
    return {rule: float(gb) for rule, gb in re.findall(r"^\| (\w+) \|.*\| ([\d.]+) \|$", table, re.MULTILINE)}


def rules_with_a_scan_a_core():
    """Rule → its threads, of those whose command works on as many scans at once."""
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    rules = [rule for text in texts for rule in text.split("\nrule ")[1:] if "--cores {threads}" in rule]
    return {rule.split(":")[0]: int(re.search(r"threads: (\d+)", rule)[1]) for rule in rules}


def test_on_a_cluster_jobs_ask_for_the_memory_of_as_many_of_the_largest_scans_as_they_hold():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    usual, own = profile["default-resources"], profile["set-resources"]
    asked = {
        rule: (
            int(own.get(rule, usual).get("mem_mb", usual["mem_mb"]).split(" *")[0]),
            1000 * gb * profile["set-threads"].get(rule, rules_with_a_scan_a_core()[rule]),
        )
        for rule, gb in measured_gb().items()
        if rule in rules_with_a_scan_a_core()
    }
    assert {"case_table", "fingerprint", "training_set", "postprocessing"} <= asked.keys()
    assert [rule for rule, (mb, needed) in asked.items() if mb < needed] == []
