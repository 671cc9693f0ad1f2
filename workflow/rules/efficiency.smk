# What labelling a scan costs, measured as in the challenge.
#
# reads  checkpoints of a round, some scans as they were given; its post-processing, if predictions are post-processed
# makes  results/round_<k>/efficiency.tsv    time, memory and both areas per scan, each in a fresh process


rule efficiency:
    """Measure the round's model on a few scans, which are checked, with all cores of the run: on a cluster, of the job."""
    input:
        cases="results/cohort/cases.tsv",
        checkpoints=lambda wildcards: checkpoints(number_of(wildcards)),
        postprocessing=postprocessing_of_round,
    output:
        report(
            "results/round_{round}/efficiency.tsv",
            caption="../report/captions/efficiency.rst",
            category="Rounds",
            labels={"round": "{round}", "table": "efficiency"},
        ),
    log:
        "logs/round_{round}/efficiency.log",
    conda:
        "../../envs/nnunet.yaml"
    threads: whole_machine()
    resources:
        gpu=GPU,
        device=CONFIGURATION.device,
    params:
        role="test" if test_scans_are_given() else "validation",
        scans=CONFIGURATION.efficiency.scans,
        time_limit_s=apart(CONFIGURATION.efficiency.time_limit_s, CONFIGURATION.efficiency.scans),
        flags=lambda wildcards, input: prediction_flags(wildcards) + flag(" --postprocessing", input.postprocessing),
        model=model_of_round,
    shell:
        'python "$NOISY_STUDENT/on_gpu.py" {resources.device}'
        ' python "$NOISY_STUDENT/measure_efficiency.py" --cases {input.cases} --roles {params.role}'
        " --limit {params.scans} --time-limit {params.time_limit_s} --device {resources.device} --output {output}"
        ' --command "python \\"$NOISY_STUDENT/label_scan.py\\" --image {{image}} --output {{output}} --accept'
        ' --device {resources.device} --threads {threads} {params.flags} --model "{params.model:q} > {log} 2>&1'
