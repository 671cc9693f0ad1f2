# The trustworthy pseudo-labels.
#
# reads  results/round_<k>/pseudo_label_scores.tsv
# makes  results/round_<k>/selection.tsv             case, confidence, kept or dropped, the reason


rule select:
    """Keep or drop each pseudo-labelled scan, with the reason."""
    input:
        "results/round_{round}/pseudo_label_scores.tsv",
    output:
        "results/round_{round}/selection.tsv",
    log:
        "logs/round_{round}/select.log",
    conda:
        "../../envs/imaging.yaml"
    params:
        rules=lambda wildcards: section(CONFIGURATION.selection_of(int(wildcards.round))),
    shell:
        "python workflow/scripts/select_pseudo_labels.py --scores {input} --rules {params.rules:q}"
        " --output {output} > {log} 2>&1"
