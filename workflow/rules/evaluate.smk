# Predictions against truths: DSC and NSD by the challenge's rules, their aggregates, rounds compared.
#
# reads  results/round_<k>/predictions, the truths named in results/cohort/cases.tsv
# makes  results/round_<k>/scores.tsv, results/round_<k>/summary.tsv    per case and organ; per organ
#        results/round_<k>/pseudo_label_truth.tsv                       pseudo-labels judged, where truth is known
#        results/round_<k>/pseudo_label_calibration.tsv                 the same voxel by voxel, by the teacher's confidence
#        results/comparison.tsv, results/ranking.tsv                    rounds, paired over the same cases
#        results/round_deploy/comparison.tsv                            the student made to be deployed, its teacher's round


rule evaluate:
    """Score the round's predictions."""
    input:
        cases="results/cohort/cases.tsv",
        predictions="results/round_{round}/prediction_scores.tsv",
    output:
        report(
            "results/round_{round}/scores.tsv",
            caption="../report/captions/scores.rst",
            category="Rounds",
            labels={"round": "{round}", "table": "scores"},
        ),
    log:
        "logs/round_{round}/evaluate.log",
    conda:
        "../../envs/evaluation.yaml"
    threads: 8
    params:
        mode=CONFIGURATION.evaluation.mode,
        organs=JUDGED_ORGANS,
        folder="results/round_{round}/predictions",
    shell:
        'python "$NOISY_STUDENT/evaluate.py" --cases {input.cases} --roles validation test --predictions {params.folder}'
        " --mode {params.mode} --organs {params.organs:q} --output {output} --cores {threads} > {log} 2>&1"


rule summarise:
    """Aggregate the scores per organ, with intervals."""
    input:
        "results/round_{round}/scores.tsv",
    output:
        "results/round_{round}/summary.tsv",
    log:
        "logs/round_{round}/summarise.log",
    conda:
        "../../envs/evaluation.yaml"
    params:
        sets=pool_flag(),
    shell:
        'python "$NOISY_STUDENT/summarise.py" --scores {input} {params.sets} --output {output} > {log} 2>&1'


rule pseudo_label_truth:
    """Judge pseudo-labels against truth that was kept aside. It never reaches a training or a selection."""
    input:
        cases="results/cohort/cases.tsv",
        pseudo_labels="results/round_{round}/pseudo_label_scores.tsv",
    output:
        "results/round_{round}/pseudo_label_truth.tsv",
    log:
        "logs/round_{round}/pseudo_label_truth.log",
    conda:
        "../../envs/evaluation.yaml"
    threads: 8
    params:
        mode=CONFIGURATION.evaluation.mode,
        organs=JUDGED_ORGANS,
        folder="results/round_{round}/pseudo_labels",
    shell:
        'python "$NOISY_STUDENT/evaluate.py" --cases {input.cases} --roles unlabelled --truth-column truth'
        " --predictions {params.folder} --mode {params.mode} --organs {params.organs:q} --output {output} --cores {threads} > {log} 2>&1"


rule pseudo_label_calibration:
    """Count how often the teacher's labels are right at each confidence, against the same truth."""
    input:
        cases="results/cohort/cases.tsv",
        pseudo_labels="results/round_{round}/pseudo_label_scores.tsv",
        preprocessed=of_network("results/preprocessed/{network}.tsv"),
        plans=of_network("results/plans/{network}/plans.json"),
        description="results/plans/dataset.json",
    output:
        "results/round_{round}/pseudo_label_calibration.tsv",
    log:
        "logs/round_{round}/pseudo_label_calibration.log",
    conda:
        "../../envs/nnunet.yaml"
    # Threads of one process, each with a scan: more would mostly wait for one another.
    threads: 4
    params:
        organs=ORGANS,
        folder="results/round_{round}/pseudo_labels",
    shell:
        'python "$NOISY_STUDENT/measure_calibration.py" --cases {input.cases} --pseudo-labels {params.folder}'
        " --preprocessed {input.preprocessed} --plans {input.plans} --description {input.description}"
        " --organs {params.organs:q} --cores {threads} --output {output} > {log} 2>&1"


rule compare:
    """Compare the rounds, paired over the same cases."""
    input:
        scores=expand("results/round_{round}/scores.tsv", round=ROUNDS),
        efficiency=expand("results/round_{round}/efficiency.tsv", round=ROUNDS),
    output:
        comparison=report(
            "results/comparison.tsv",
            caption="../report/captions/comparison.rst",
            category="Rounds",
            labels={"round": "all", "table": "comparison"},
        ),
        ranking="results/ranking.tsv",
    log:
        "logs/compare.log",
    conda:
        "../../envs/evaluation.yaml"
    params:
        sets=pool_flag(),
    shell:
        'python "$NOISY_STUDENT/compare.py" --scores {input.scores} --efficiency {input.efficiency} {params.sets}'
        " --output {output.comparison} --ranking {output.ranking} > {log} 2>&1"


rule compare_deployed:
    """Compare the student that is made to be deployed with the round that taught it."""
    input:
        scores="results/round_deploy/scores.tsv",
        rounds=expand("results/round_{round}/scores.tsv", round=ROUNDS),
        verdict=f"results/round_{ROUNDS[-1]}/verdict.json",
    output:
        "results/round_deploy/comparison.tsv",
    log:
        "logs/round_deploy/compare_deployed.log",
    conda:
        "../../envs/evaluation.yaml"
    params:
        sets=pool_flag(),
    shell:
        'python "$NOISY_STUDENT/compare_deployed.py" --scores {input.scores} --rounds {input.rounds}'
        " --verdict {input.verdict} {params.sets} --output {output} > {log} 2>&1"
