# The page that a researcher opens first.
#
# reads  result tables of all stages
# makes  results/run.json                 versions, configuration, checksums
#        results/examples.json            pictures and small volumes of example cases: what reads scans again
#        results/report/report.html       one page, and its tables and figures beside it

REPORTED = [
    "results/cohort/cases.tsv",
    expand(
        "results/plans/{network}/network.json",
        network={entry.network for entry in CONFIGURATION.rounds},
    ),
    expand("results/round_{round}/summary.tsv", round=ROUNDS),
    expand("results/round_{round}/selection.tsv", round=ROUNDS[1:]),
    (expand("results/round_{round}/pseudo_label_truth.tsv", round=ROUNDS[1:]) if truth_is_known() else []),
    "results/comparison.tsv",
]


rule run_record:
    """Write down versions, configuration and checksums, for people and machines."""
    input:
        REPORTED,
        [checkpoints(number) for number in ROUNDS],
    output:
        "results/run.json",
    log:
        "logs/run_record.log",
    conda:
        "../../envs/nnunet.yaml"
    params:
        configuration=section(CONFIGURATION),
    shell:
        "python workflow/scripts/make_run_record.py {input} --configuration {params.configuration:q}"
        " --output {output} > {log} 2>&1"


rule examples:
    """Draw the cases that the report shows."""
    input:
        REPORTED,
    output:
        "results/examples.json",
    log:
        "logs/examples.log",
    conda:
        "../../envs/report.yaml"
    params:
        cases=shlex.join(CONFIGURATION.report.cases),
    shell:
        "python workflow/scripts/draw_examples.py --results results --cases {params.cases} --output {output} > {log} 2>&1"


rule report:
    """Build the report from the result tables, and the drawn examples."""
    input:
        REPORTED,
        "results/run.json",
        "results/examples.json",
    output:
        "results/report/report.html",
    log:
        "logs/report.log",
    conda:
        "../../envs/report.yaml"
    shell:
        "python workflow/scripts/report.py --results results --output {output} > {log} 2>&1"
