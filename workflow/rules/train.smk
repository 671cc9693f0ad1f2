# Teacher and students: the dataset of a round, and its training, fold by fold.
#
# reads  the converted and preprocessed scans, plans; from round 1 on the selected pseudo-labels
# makes  results/round_<k>/dataset/training_set.tsv                 which scans, whose labels
#        results/round_<k>/dataset/label_sets.json                  where scans are partly labelled: what voxels may be
#        results/round_<k>/dataset/learned_from.tsv                 of each scan and label: left out of the loss, soft
#        results/round_<k>/dataset/bounds.tsv                       how sure the teacher must be of each organ's voxels
#        results/round_<k>/model/fold_<f>/checkpoint_final.pth      a model folder that nnU-Net can use as it is
#        results/round_<k>/model/fold_<f>/checkpoint_average.pth, checkpoint_third_<n>.pth     where they are voices
#        results/round_<k>/model/fold_<f>/held_out.tsv              what it makes of the labelled scans it held out
#        results/round_<k>/postprocessing.json                      of which organs the largest piece alone is kept
#        results/round_<k>/verdict.json, labeller/                  has it collapsed? the model that labels next
# or     results/round_0/taken/<n>                                  teachers from elsewhere, instead of all this
#        results/round_<k>/first_weights                            a model from elsewhere that a training begins with


# The verdict on round 0 is what is known of a teacher from elsewhere, where there is one.
ruleorder: take_teachers > judge


rule take_teachers:
    """Take the models from elsewhere that are round 0; where they lie nothing is written."""
    output:
        ["results/round_0/verdict.json", *checkpoints(0)] if TEACHERS else [],
    log:
        "logs/round_0/take_teachers.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    params:
        models=[str(path) for path in CONFIGURATION.teacher.models] if TEACHERS else [],
        # With those that the configuration need not name: another model may lie in the same place.
        sha256=checksums_of_teachers(),
        # What the same networks are said to be may be corrected there.
        described=[seen.described for seen in TEACHERS.values()],
        organs=MATCHED_ORGANS,
    shell:
        'python "$NOISY_STUDENT/take_model.py" {params.models:q} --sha256 {params.sha256} --organs {params.organs:q}'
        " --folder results/round_0/taken --verdict results/round_0/verdict.json > {log} 2>&1"


rule take_first_weights:
    """Take the model from elsewhere with whose weights a training begins, a fold for each of ours."""
    output:
        "results/round_{round}/first_weights/fold_{fold}/checkpoint_final.pth",
    log:
        "logs/round_{round}/take_first_weights_{fold}.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    params:
        model=lambda wildcards: str(start_of(wildcards).model),
        sha256=lambda wildcards: start_of(wildcards).sha256,
        # Another model may lie in the same place.
        identity=lambda wildcards: identity_of(start_of(wildcards)),
    shell:
        'python "$NOISY_STUDENT/take_model.py" {params.model:q} --sha256 {params.sha256}'
        " --folder results/round_{wildcards.round}/first_weights --fold {wildcards.fold} > {log} 2>&1"


rule training_set:
    """Assemble the dataset of a round: images linked, label maps new, folds fixed."""
    input:
        converted="results/cohort/converted.tsv",
        preprocessed=of_network("results/preprocessed/{network}.tsv"),
        plans=of_network("results/plans/{network}/plans.json"),
        description="results/plans/dataset.json",
        fingerprint="results/plans/dataset_fingerprint.json",
        selection=selection_of_student,
        filling=filling_of_student,
        cases=["results/cohort/cases.tsv"] if FILLS else [],
        labelled=usual_volumes,
        corrected=corrections_of_student,
    output:
        table="results/round_{round}/dataset/training_set.tsv",
        learned_from="results/round_{round}/dataset/learned_from.tsv",
        bounds="results/round_{round}/dataset/bounds.tsv",
    log:
        "logs/round_{round}/training_set.log",
    conda:
        "../../envs/nnunet.yaml"
    # Threads of one process, each with a scan: more would mostly wait for one another.
    threads: 4
    params:
        splits=CONFIGURATION.training.splits,
        seed=apart(CONFIGURATION.seed, CONFIGURATION.training.splits, least=2),
        pseudo_labels=pseudo_labels_of_student,
        labelled=lambda wildcards, input: flag("--labelled", input.labelled),
        partly=lambda wildcards, input: f"{flag('--cases', input.cases)} {flag('--filling', input.filling)}"
        + corrected_flags(input.corrected),
    # The checksums are in what `converted` is made from: as an input they would make finished training sets anew.
    shell:
        'python "$NOISY_STUDENT/make_training_set.py" --converted {input.converted} --preprocessed {input.preprocessed}'
        " --plans {input.plans} --description {input.description} --fingerprint {input.fingerprint}"
        " --splits {params.splits} --seed {params.seed} --checksums results/cohort/cases.tsv"
        " --cores {threads} --output {output.table}"
        " {params.pseudo_labels} {params.labelled} {params.partly} > {log} 2>&1"


rule train:
    """Train one fold; a training that was interrupted goes on from its latest checkpoint."""
    input:
        dataset="results/round_{round}/dataset/training_set.tsv",
        plans=of_network("results/plans/{network}/plans.json"),
        start_from=first_weights,
    output:
        checkpoint="results/round_{round}/model/fold_{fold}/checkpoint_final.pth",
        held_out="results/round_{round}/model/fold_{fold}/held_out.tsv",
    log:
        "logs/round_{round}/train_fold_{fold}.log",
    benchmark:
        "results/benchmarks/round_{round}_train_fold_{fold}.tsv"
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    resources:
        gpu=GPU,
        device=CONFIGURATION.device,
        # What is no parameter makes nothing anew.
        checkpoint_every=CONFIGURATION.training.checkpoint_every_epochs,
    params:
        settings=lambda wildcards: json.dumps(CONFIGURATION.training_of(number_of(wildcards))),
        start_from=start_flag,
        before=before_training,
        depends=depends_of_training,
        flags=prediction_flags,
    shell:
        'python "$NOISY_STUDENT/on_gpu.py" {resources.device}'
        ' python "$NOISY_STUDENT/train.py" --settings {params.settings:q} --plans {input.plans}'
        " --dataset results/round_{wildcards.round}/dataset --model results/round_{wildcards.round}/model"
        " --fold {wildcards.fold} --device {resources.device} --threads {threads} {params.start_from}"
        " --checkpoint-every {resources.checkpoint_every}"
        " --depends {params.depends:q} {params.before} {params.flags} >> {log} 2>&1"


rule postprocessing:
    """Find out for which organs keeping the largest piece alone helps, as nnU-Net does, on the held-out scans."""
    input:
        held_out=lambda wildcards: held_out(number_of(wildcards)),
    output:
        "results/round_{round}/postprocessing.json",
    log:
        "logs/round_{round}/postprocessing.log",
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    params:
        folds=folds_of,
    shell:
        'python "$NOISY_STUDENT/choose_postprocessing.py" --model results/round_{wildcards.round}/model'
        " --dataset results/round_{wildcards.round}/dataset --folds {params.folds}"
        " --cores {threads} --output {output} > {log} 2>&1"


rule judge:
    """Say whether the student has collapsed, which round's model labels for the next, and whether it was the last."""
    input:
        held_out=lambda wildcards: [path for number in range(number_of(wildcards) + 1) for path in held_out(number)],
        postprocessing="results/round_{round}/postprocessing.json",
        before=verdict_before,
        changes=changes_of_labels,
    output:
        "results/round_{round}/verdict.json",
        labeller("{round}"),
        expand(
            "results/round_{{round}}/labeller/{name}",
            name=("preprocessed.tsv", "postprocessing.json", "voices.json"),
        ),
    log:
        "logs/round_{round}/judge.log",
    localrule: True
    conda:
        "../../envs/evaluation.yaml"
    params:
        policy=CONFIGURATION.collapse.policy,
        noise_band=CONFIGURATION.collapse.noise_band,
        changes=lambda wildcards, input: flag("--changes", input.changes),
        stop=stop_rule(),
        folds=folds_of,
        networks=lambda wildcards: [network_of_round(number) for number in range(number_of(wildcards) + 1)],
        voices=lambda wildcards: json.dumps([voices_of_round(number) for number in range(number_of(wildcards) + 1)]),
    shell:
        'python "$NOISY_STUDENT/judge_round.py" --results results --round {wildcards.round} --folds {params.folds}'
        " --networks {params.networks} --voices {params.voices:q} --policy {params.policy} --noise-band {params.noise_band}"
        " {params.stop} {params.changes} > {log} 2>&1"
