# Teacher and students: the dataset of a round, and its training, fold by fold.
#
# reads  the converted and preprocessed scans, plans; from round 1 on the selected pseudo-labels
# makes  results/round_<k>/dataset/training_set.tsv                 which scans, whose labels
#        results/round_<k>/model/fold_<f>/checkpoint_final.pth      a model folder that nnU-Net can use as it is


rule training_set:
    """Assemble the dataset of a round: images linked, label maps new, folds fixed."""
    input:
        converted="results/cohort/converted.tsv",
        preprocessed=of_network("results/preprocessed/{network}.tsv"),
        plans=of_network("results/plans/{network}/plans.json"),
        description="results/plans/dataset.json",
        fingerprint="results/plans/dataset_fingerprint.json",
        selection=selection_of_student,
    output:
        "results/round_{round}/dataset/training_set.tsv",
    log:
        "logs/round_{round}/training_set.log",
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    params:
        splits=CONFIGURATION.training.splits,
        seed=CONFIGURATION.seed,
        pseudo_labels=pseudo_labels_of_student,
    shell:
        "python workflow/scripts/make_training_set.py --converted {input.converted} --preprocessed {input.preprocessed}"
        " --plans {input.plans} --description {input.description} --fingerprint {input.fingerprint}"
        " --splits {params.splits} --seed {params.seed} --cores {threads} --output {output}"
        " {params.pseudo_labels} > {log} 2>&1"


rule train:
    """Train one fold; a training that was interrupted goes on from its latest checkpoint."""
    input:
        dataset="results/round_{round}/dataset/training_set.tsv",
        plans=of_network("results/plans/{network}/plans.json"),
        start_from=first_weights,
    output:
        "results/round_{round}/model/fold_{fold}/checkpoint_final.pth",
    log:
        "logs/round_{round}/train_fold_{fold}.log",
    benchmark:
        "results/benchmarks/round_{round}_train_fold_{fold}.tsv"
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    resources:
        gpu=1,
        device=CONFIGURATION.device,
    params:
        settings=lambda wildcards: json.dumps(CONFIGURATION.training_of(int(wildcards.round))),
        start_from=lambda wildcards, input: f"--start-from {input.start_from}" if input.start_from else "",
    shell:
        "python workflow/scripts/on_gpu.py {resources.device}"
        " python workflow/scripts/train.py --settings {params.settings:q} --plans {input.plans}"
        " --dataset results/round_{wildcards.round}/dataset --model results/round_{wildcards.round}/model"
        " --fold {wildcards.fold} --device {resources.device} --threads {threads} {params.start_from} >> {log} 2>&1"
