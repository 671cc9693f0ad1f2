# A round's model for use elsewhere. Made only when asked for: snakemake results/round_<k>/model.zip
#
# reads  checkpoints, training set and scores of a round
# makes  results/round_<k>/model.zip    for nnUNetv2_install_pretrained_model_from_zip, with a model card


rule export:
    """Pack the round's model as nnU-Net v2 installs it."""
    input:
        checkpoints=lambda wildcards: checkpoints(int(wildcards.round)),
        training_set="results/round_{round}/dataset/training_set.tsv",
        summary="results/round_{round}/summary.tsv",
        first_verdict=["results/round_0/verdict.json"] if is_taken(0) else [],
    output:
        "results/round_{round}/model.zip",
    log:
        "logs/round_{round}/export.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        settings=lambda wildcards: json.dumps(CONFIGURATION.training_of(int(wildcards.round))),
        rules=lambda wildcards: selection_rules(wildcards),
        origin=lambda wildcards, input: flag("--first-verdict", input.first_verdict),
    shell:
        'python "$NOISY_STUDENT/export_model.py" {input.checkpoints} --round {wildcards.round}'
        " --settings {params.settings:q} --rules {params.rules:q} --training-set {input.training_set}"
        " --summary {input.summary} {params.origin} --output {output} > {log} 2>&1"
