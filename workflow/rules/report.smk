# The page that a researcher opens first.
#
# reads  result tables of all stages
# makes  results/run.json             versions, configuration, checksums, jobs with their times and states
#        results/examples.json        pictures and small volumes of example cases: what reads scans again
#        results/report/report.html   one page; tables/ and figures/ beside it
#        results/report/volumes       scans and label maps made small, one file each, which the page's viewer loads


report: "../report/captions/workflow.rst"


REPORTED = [
    "results/cohort/cases.tsv",
    expand(
        "results/plans/{network}/{file}.json",
        file=["network", "plans"],
        network=CONFIGURATION.used_networks,
    ),
    expand("results/round_{round}/summary.tsv", round=CHAIN),
    expand("results/round_{round}/selection.tsv", round=CHAIN[1:]),
    expand("results/round_{round}/verdict.json", round=ROUNDS),
    corrections_up_to(ROUNDS[-1]),
    expand(
        "results/round_{round}/pseudo_label_{table}.tsv",
        round=ROUNDS[1:] if truth_is_known() else [],
        table=["truth", "calibration"],
    ),
    "results/comparison.tsv",
    COMPARED_DEPLOYED,
]


rule run_record:
    """Write down versions, configuration and checksums, for people and machines."""
    input:
        REPORTED,
        [checkpoints(number) for number in range(len(CHAIN))],
    output:
        report(
            "results/run.json",
            caption="../report/captions/run.rst",
            category="Traceability",
            labels={"what": "record of the run"},
        ),
    log:
        "logs/run_record.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        configuration=lambda wildcards: section(CONFIGURATION),
        jobs="results/jobs.tsv",
        call="results/call.json",
        cases=lambda wildcards, input: input[0],
    shell:
        'python "$NOISY_STUDENT/make_run_record.py" {input} --configuration {params.configuration:q}'
        " --cases {params.cases} --jobs {params.jobs} --call {params.call} --output {output} > {log} 2>&1"


rule examples:
    """Draw the cases that the report shows, in the colours of the recorded configuration."""
    input:
        REPORTED,
        "results/run.json",
    output:
        "results/examples.json",
    log:
        "logs/examples.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        cases=shlex.join(CONFIGURATION.report.cases),
    shell:
        'python "$NOISY_STUDENT/draw_examples.py" --results results --cases {params.cases} --output {output} > {log} 2>&1'


rule volumes:
    """Make one shard of the small volumes that lie beside the report for its viewer, of the recorded rounds."""
    input:
        REPORTED,
        "results/run.json",
    output:
        "results/report/volumes/shard_{shard}.tsv",
    log:
        "logs/volumes_{shard}.log",
    conda:
        "../../envs/nnunet.yaml"
    threads: 4
    params:
        shards=CONFIGURATION.shards,
        megabytes=CONFIGURATION.report.volumes_mb,
    shell:
        'python "$NOISY_STUDENT/draw_volumes.py" --results results --megabytes {params.megabytes}'
        " --shard {wildcards.shard} --shards {params.shards} --cores {threads} --output {output} > {log} 2>&1"


rule report:
    """Build the report from the result tables, and the drawn examples."""
    input:
        REPORTED,
        "results/run.json",
        "results/examples.json",
    output:
        page=report(
            "results/report/report.html",
            caption="../report/captions/page.rst",
            category="The report",
            labels={"what": "everything on one page"},
        ),
        tables=report(
            directory("results/report/tables"),
            patterns=["{table}.tsv"],
            caption="../report/captions/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        figures=report(
            directory("results/report/figures"),
            patterns=["{figure}.svg", "{figure}.png"],
            caption="../report/captions/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/report.log",
    conda:
        "../../envs/report.yaml"
    params:
        students=len(ROUNDS) - 1,
        seed=CONFIGURATION.seed,
        mode=CONFIGURATION.evaluation.mode,
        cohort=CONFIGURATION.cohort.kind,
    shell:
        'python "$NOISY_STUDENT/report.py" --results results --output {output.page} > {log} 2>&1'
