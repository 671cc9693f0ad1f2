# The trustworthy pseudo-labels.
#
# reads  results/round_<k>/pseudo_labels, pseudo_label_scores.tsv; the labelled scans' label maps
# makes  results/cohort/labelled_measures.tsv        volume, pieces, edge and side of each labelled organ
#        results/round_<k>/selection.tsv             case, every score, kept or dropped, organs masked, all reasons
#        results/round_<k>/filling.tsv               the same of labelled scans of which only some organs are labelled


rule labelled_measures:
    """Measure the labelled scans' organs, which pseudo-labels are compared with."""
    input:
        cases="results/cohort/cases.tsv",
        converted="results/cohort/converted.tsv",
    output:
        "results/cohort/labelled_measures.tsv",
    log:
        "logs/cohort/labelled_measures.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    params:
        organs=ORGANS,
    shell:
        'python "$NOISY_STUDENT/measure_label_maps.py" --cases {input.cases} --roles labelled --hand-labels'
        " --folder results/cohort/label_maps --organs {params.organs:q} --cores {threads} --output {output} > {log} 2>&1"


rule label_measures:
    """Measure one shard of the pseudo-labels, and how much they differ from those of the rounds before."""
    input:
        cases="results/cohort/cases.tsv",
        shards=lambda wildcards: [
            f"results/round_{number}/shards/pseudo_label_scores_{wildcards.shard}.tsv"
            for number in [*earlier_label_sets(wildcards), wildcards.round]
        ],
    output:
        "results/round_{round}/shards/label_measures_{shard}.tsv",
    log:
        "logs/round_{round}/label_measures_{shard}.log",
    conda:
        "../../envs/imaging.yaml"
    params:
        shards=CONFIGURATION.shards,
        organs=ORGANS,
        earlier=lambda wildcards: [f"results/round_{number}/pseudo_labels" for number in earlier_label_sets(wildcards)],
    shell:
        'python "$NOISY_STUDENT/measure_label_maps.py" --cases {input.cases}'
        f" {TO_LABEL}"
        " --folder results/round_{wildcards.round}/pseudo_labels --earlier {params.earlier}"
        " --organs {params.organs:q} --shard {wildcards.shard} --shards {params.shards} --output {output} > {log} 2>&1"


rule select:
    """Keep or drop each pseudo-labelled scan, mask single organs, with every reason."""
    input:
        cases="results/cohort/cases.tsv",
        scores="results/round_{round}/pseudo_label_scores.tsv",
        measures=expand("results/round_{{round}}/shards/label_measures_{shard}.tsv", shard=SHARDS),
        labelled="results/cohort/labelled_measures.tsv",
        corrected=corrections_of_student,
    output:
        table=report(
            "results/round_{round}/selection.tsv",
            caption="../report/captions/selection.rst",
            category="Selections",
            labels=selection_labels,
        ),
        filling=["results/round_{round}/filling.tsv"] if FILLS else [],
    log:
        "logs/round_{round}/select.log",
    conda:
        "../../envs/imaging.yaml"
    params:
        rules=selection_rules,
        dropped="results/round_{round}/all_dropped.tsv",
        filling=lambda wildcards, input, output: flag("--filling", output.filling)
        + flag(" --corrected", input.corrected),
    shell:
        'python "$NOISY_STUDENT/select_pseudo_labels.py" --cases {input.cases} --scores {input.scores}'
        " --measures {input.measures} --labelled {input.labelled} --rules {params.rules:q}"
        " --dropped {params.dropped} {params.filling} --output {output.table} > {log} 2>&1"
