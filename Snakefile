"""Noisy-student training for CT organ segmentation, from raw scans to a report.

A teacher learns from the labelled scans, labels the unlabelled ones, the trustworthy labels are kept, a student
learns from both and becomes the next teacher. Each included file is one stage of that story.
"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/place.smk"


configfile: DEFAULTS


if OWN:

    configfile: OWN


include: "workflow/rules/common.smk"
include: "workflow/rules/handlers.smk"


rule all:
    """The report of the whole experiment, and the volumes beside it."""
    input:
        "results/report/report.html",
        expand("results/report/volumes/shard_{shard}.tsv", shard=SHARDS if CONFIGURATION.report.volumes_mb else []),


for number in ROUNDS:

    rule:
        name:
            f"round_{number}"
        input:
            expand("results/round_{round}/summary.tsv", round=range(number + 1)),
            expand("results/round_{round}/selection.tsv", round=range(1, number + 1)),
            expand("results/round_{round}/verdict.json", round=range(number + 1)),
            corrections_up_to(number),


if CONFIGURATION.deploy:

    rule round_deploy:
        """The student that is made to be deployed, a round that teaches nobody."""
        input:
            expand("results/round_{round}/summary.tsv", round=CHAIN),
            expand("results/round_{round}/selection.tsv", round=CHAIN[1:]),
            expand("results/round_{round}/verdict.json", round=ROUNDS),
            COMPARED_DEPLOYED,


for number in ROUNDS[1:]:

    rule:
        name:
            f"review_{number}"
        input:
            f"results/round_{number}/review/review.tsv",


include: "workflow/rules/cohort.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/label.smk"
include: "workflow/rules/correct.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/efficiency.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/review.smk"
