# Pseudo-labels that persons have corrected: from the next round on they are hand labels.
#
# reads  round_<k>/<case>.nii.gz, .seg.nrrd, … in the folder of the configuration's `corrections`
# makes  results/round_<k>/corrected.tsv, corrected/         checked, one chosen for each scan, the label maps that are learned
#        results/round_<k>/corrected_findings.tsv            everything found in their checks; `snakemake check` shows it
#        results/round_<k>/corrections.tsv                   what changed of each, and the minutes that it took
#        results/round_<k>/corrections_by_organ.tsv          the same of each organ
#        results/round_<k>/corrections_by_readers.tsv        how far readers of one scan agree


rule corrected:
    """Check the corrected label maps of one round's pseudo-labels; stop with all errors at once."""
    input:
        cases="results/cohort/cases.tsv",
    output:
        "results/round_{round}/corrected.tsv",
    log:
        "logs/round_{round}/corrected.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    params:
        corrections=lambda wildcards: section(CONFIGURATION.corrections),
        organs=organs.to_json(CONFIGURATION.organs, "label", "name", "left_twin", "volume_ml", "aliases"),
        state=lambda wildcards: state_of_corrections(int(wildcards.round), dates=True),
        findings="results/round_{round}/corrected_findings.tsv",
    shell:
        'python "$NOISY_STUDENT/check_corrections.py" --corrections {params.corrections:q} --round {wildcards.round}'
        " --cases {input.cases} --organs {params.organs:q} --folder results/round_{wildcards.round}/corrected"
        " --pseudo-labels results/round_{wildcards.round}/pseudo_labels"
        " --cores {threads} --findings {params.findings} --output {output} > {log} 2>&1"


rule corrections:
    """Compare the corrected label maps with what was handed out, and readers with each other."""
    input:
        corrected="results/round_{round}/corrected.tsv",
        handed_out="results/round_{round}/pseudo_label_scores.tsv",
    output:
        table="results/round_{round}/corrections.tsv",
        by_organ="results/round_{round}/corrections_by_organ.tsv",
        by_readers="results/round_{round}/corrections_by_readers.tsv",
    log:
        "logs/round_{round}/corrections.log",
    conda:
        "../../envs/imaging.yaml"
    params:
        organs=ORGANS,
        minutes=lambda wildcards: corrections_found.minutes_of_round(
            CONFIGURATION.corrections.folder, int(wildcards.round)
        ),
        state=lambda wildcards: corrections_found.state_of_minutes(
            CONFIGURATION.corrections.folder, int(wildcards.round)
        ),
    shell:
        'python "$NOISY_STUDENT/compare_corrections.py" --corrected {input.corrected}'
        " --pseudo-labels results/round_{wildcards.round}/pseudo_labels --minutes {params.minutes:q}"
        " --organs {params.organs:q} --by-organ {output.by_organ} --by-readers {output.by_readers}"
        " --output {output.table} > {log} 2>&1"
