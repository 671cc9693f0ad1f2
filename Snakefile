"""Noisy-student training for CT organ segmentation, from raw scans to a report.

A teacher learns from the labelled scans, labels the unlabelled ones, the trustworthy labels are kept, a student
learns from both and becomes the next teacher. Each included file is one stage of that story.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/pseudo_label.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    """The report of the whole experiment."""
    input:
        "results/report/report.html",


for number in ROUNDS:

    rule:
        name:
            f"round_{number}"
        input:
            f"results/round_{number}/summary.tsv",
            branch(number, then=f"results/round_{number}/selection.tsv", otherwise=[]),
        localrule: True
