# A round's model and label maps for use elsewhere. Made only when asked for: snakemake results/round_<k>/model.zip,
# snakemake results/round_<k>/openvino, snakemake results/round_<k>/exported/predictions/dicom-seg.tsv
#
# reads  checkpoints, training set and scores of a round; its predictions or pseudo-labels
# makes  results/round_<k>/model.zip    for nnUNetv2_install_pretrained_model_from_zip, with a model card
#        results/round_<k>/onnx, results/round_<k>/openvino    the model for programs without nnU-Net: networks,
#                                       model.json, model card, a program that labels a scan
#        results/round_<k>/exported/<predictions|pseudo_labels>/<nii.gz|seg.nrrd|dicom-seg>/<case>.<…>
#                                       label maps with organs' names and colours, a table of them beside the folder;
#                                       DICOM-SEGs of an archive's scans lie beside its names table

# What a round's model is exported from, and what its card says, as flags.
EXPORTED_FROM = {
    "checkpoints": checkpoints_to_export,
    "training_set": "results/round_{round}/dataset/training_set.tsv",
    "summary": "results/round_{round}/summary.tsv",
    "verdict": verdict_before,
    "first_verdict": ["results/round_0/verdict.json"] if is_taken(0) else [],
    "postprocessing": postprocessing_of_round,
}
OF_CARD = {
    "settings": settings_of_card,
    "rules": selection_rules,
    "verdict": lambda wildcards, input: flag("--verdict", input.verdict),
    "origin": lambda wildcards, input: flag("--first-verdict", input.first_verdict),
    "postprocessing": lambda wildcards, input: flag("--postprocessing", input.postprocessing),
}


rule export:
    """Pack the round's model as nnU-Net v2 installs it."""
    input:
        **EXPORTED_FROM,
    output:
        "results/round_{round}/model.zip",
    log:
        "logs/round_{round}/export.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        **OF_CARD,
    shell:
        'python "$NOISY_STUDENT/export_model.py" {input.checkpoints} --round {wildcards.round}'
        " --settings {params.settings:q} --rules {params.rules:q} --training-set {input.training_set}"
        " --summary {input.summary} {params.verdict} {params.origin} {params.postprocessing} --output {output} > {log} 2>&1"


rule export_networks:
    """Write the round's networks for programs without nnU-Net, with all that these must know of them."""
    input:
        **EXPORTED_FROM,
    output:
        directory("results/round_{round}/{runtime}"),
    log:
        "logs/round_{round}/export_{runtime}.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        **OF_CARD,
        flags=prediction_flags,
    shell:
        'python "$NOISY_STUDENT/export_networks.py" {input.checkpoints} --runtime {wildcards.runtime} --round {wildcards.round}'
        " --settings {params.settings:q} --rules {params.rules:q} --training-set {input.training_set}"
        " --summary {input.summary} {params.verdict} {params.origin} {params.flags} {params.postprocessing} --output {output} > {log} 2>&1"


rule export_label_maps:
    """Write a round's label maps in a format that other programs open."""
    input:
        cases="results/cohort/cases.tsv",
        scores=scores_of_label_maps,
    output:
        "results/round_{round}/exported/{label_maps}/{format}.tsv",
    log:
        "logs/round_{round}/export_{label_maps}_{format}.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    params:
        organs=organs.to_json(CONFIGURATION.organs, "label", "name", "colour", "snomed"),
        names=json.dumps(names_of_archives()),
        made_by=lambda wildcards: f"{wildcards.label_maps.replace('_', '-')} of round {wildcards.round}",
    shell:
        'python "$NOISY_STUDENT/export_label_maps.py" --cases {input.cases} --scores {input.scores}'
        " --folder results/round_{wildcards.round}/{wildcards.label_maps} --made-by {params.made_by:q}"
        " --names {params.names:q} --organs {params.organs:q} --format {wildcards.format} --cores {threads} --output {output} > {log} 2>&1"
