# Trained networks label scans: a round's teacher the unlabelled ones, the round's own model those it is judged on.
#
# reads  checkpoints, the preprocessed scans
# makes  results/round_<k>/pseudo_labels/<case>.nii.gz, results/round_<k>/pseudo_label_scores.tsv
#        results/round_<k>/pseudo_labels/confidence/<case>.b2nd     how sure the teacher is of each voxel
#        results/round_<k>/pseudo_labels/soft/<case>.b2nd           where they are needed: its two likeliest classes
#        results/round_<k>/predictions/<case>.nii.gz,   results/round_<k>/prediction_scores.tsv


rule pseudo_label:
    """Label one shard of the unlabelled and partly labelled scans with the teacher, scoring while labelling."""
    input:
        cases="results/cohort/cases.tsv",
        converted="results/cohort/converted.tsv",
        preprocessed=preprocessed_for_teacher,
        checkpoints=teacher_checkpoints,
        voices=voices_of_teacher,
        postprocessing=postprocessing_of_teacher,
    output:
        "results/round_{round}/shards/pseudo_label_scores_{shard}.tsv",
    log:
        "logs/round_{round}/pseudo_label_{shard}.log",
    benchmark:
        "results/benchmarks/round_{round}_pseudo_label_{shard}.tsv"
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    resources:
        gpu=GPU,
        mem_mb=memory_to_label(rounds_before=1),
        device=CONFIGURATION.device,
    params:
        shards=CONFIGURATION.shards,
        preprocessed=lambda wildcards, input: flag("--preprocessed", input.preprocessed),
        flags=lambda wildcards: labelling_flags(number_of(wildcards) - 1),
        voices=lambda wildcards, input: flag("--voices", input.voices),
        postprocessing=lambda wildcards, input: flag("--postprocessing", input.postprocessing),
        folder="results/round_{round}/pseudo_labels",
        same=lambda wildcards: same_of_round_before(wildcards, "pseudo_labels"),
        soft=soft_labels_flag,
    shell:
        'python "$NOISY_STUDENT/on_gpu.py" {resources.device}'
        ' python "$NOISY_STUDENT/predict.py" {input.checkpoints} {params.voices} --cases {input.cases}'
        f" {TO_LABEL}"
        " --converted {input.converted} {params.preprocessed} {params.flags} {params.postprocessing} {params.same}"
        " --device {resources.device} --threads {threads} --shard {wildcards.shard}"
        " --shards {params.shards} --folder {params.folder} --voxels{params.soft} --output {output} >> {log} 2>&1"


rule pseudo_label_scores:
    """Gather the scores of all pseudo-labels; each scan that was to label must have come back once."""
    input:
        cases="results/cohort/cases.tsv",
        shards=expand(
            "results/round_{{round}}/shards/pseudo_label_scores_{shard}.tsv",
            shard=SHARDS,
        ),
    output:
        "results/round_{round}/pseudo_label_scores.tsv",
    log:
        "logs/round_{round}/pseudo_label_scores.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    shell:
        'python "$NOISY_STUDENT/gather.py" {input.shards} --cases {input.cases}'
        f" {TO_LABEL}"
        " --folders results/round_{wildcards.round}/pseudo_labels --output {output} > {log} 2>&1"


rule predict:
    """Label one shard of the validation and test scans with the round's own model."""
    input:
        cases="results/cohort/cases.tsv",
        converted="results/cohort/converted.tsv",
        preprocessed=preprocessed_for_round,
        checkpoints=lambda wildcards: checkpoints(number_of(wildcards)),
        postprocessing=postprocessing_of_round,
    output:
        "results/round_{round}/shards/prediction_scores_{shard}.tsv",
    log:
        "logs/round_{round}/predict_{shard}.log",
    benchmark:
        "results/benchmarks/round_{round}_predict_{shard}.tsv"
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    resources:
        gpu=GPU,
        mem_mb=memory_to_label(rounds_before=0),
        device=CONFIGURATION.device,
    params:
        shards=CONFIGURATION.shards,
        preprocessed=lambda wildcards, input: flag("--preprocessed", input.preprocessed),
        flags=lambda wildcards: labelling_flags(number_of(wildcards)),
        postprocessing=lambda wildcards, input: flag("--postprocessing", input.postprocessing),
        folder="results/round_{round}/predictions",
        same=lambda wildcards: same_of_round_before(wildcards, "predictions"),
    shell:
        'python "$NOISY_STUDENT/on_gpu.py" {resources.device}'
        ' python "$NOISY_STUDENT/predict.py" {input.checkpoints} --roles validation test --cases {input.cases}'
        " --converted {input.converted} {params.preprocessed} {params.flags} {params.postprocessing} {params.same}"
        " --device {resources.device} --threads {threads} --shard {wildcards.shard}"
        " --shards {params.shards} --folder {params.folder} --output {output} >> {log} 2>&1"


rule prediction_scores:
    """Gather the predictions; each validation and test scan must have come back once."""
    input:
        cases="results/cohort/cases.tsv",
        shards=expand(
            "results/round_{{round}}/shards/prediction_scores_{shard}.tsv",
            shard=SHARDS,
        ),
    output:
        "results/round_{round}/prediction_scores.tsv",
    log:
        "logs/round_{round}/prediction_scores.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    shell:
        'python "$NOISY_STUDENT/gather.py" {input.shards} --cases {input.cases} --roles validation test'
        " --folders results/round_{wildcards.round}/predictions --output {output} > {log} 2>&1"
