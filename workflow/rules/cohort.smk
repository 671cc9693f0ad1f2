# The scans: generated or given, checked at once, brought to one orientation and format.
#
# reads  the folders of the configuration, or nothing but a seed
# makes  results/cohort/cases.tsv      one row per case: role, files, size, spacing, orientation, checksum
#        results/cohort/findings.tsv   everything found in the checks; `snakemake check` shows it
#        results/cohort/room.tsv       what labelled scans, disk and memory are short of, if anything
#        results/cohort/converted.tsv  the scans in canonical orientation, under nnU-Net's names


rule embedded_cohort:
    """Generate CT-like scans with all organs, in FLARE22's layout."""
    output:
        touch("results/cohort/embedded.done"),
    log:
        "logs/cohort/embedded_cohort.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    params:
        **painted_around(),
        counts=embedded_counts(),
        seed=CONFIGURATION.seed,
    shell:
        'python "$NOISY_STUDENT/make_cohort.py" --output results/cohort/embedded {params.counts} --seed {params.seed}'
        " --remove-others --cores {threads} > {log} 2>&1"


rule case_table:
    """Find and check every scan; stop with all errors at once."""
    input:
        cohort_inputs(),
    output:
        table="results/cohort/cases.tsv",
    log:
        "logs/cohort/case_table.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 8
    params:
        cohort=lambda wildcards: section(CONFIGURATION.cohort),
        organs=organs.to_json(CONFIGURATION.organs, "label", "name", "left_twin", "volume_ml", "aliases"),
        state=cohort_state,
        findings="results/cohort/findings.tsv",
    shell:
        'python "$NOISY_STUDENT/make_case_table.py" --cohort {params.cohort:q} --embedded results/cohort/embedded'
        " --organs {params.organs:q} --renumbered results/cohort/renumbered"
        f" --spacings '{all_spacings()}'"
        " --cores {threads} --findings {params.findings} --output {output.table} > {log} 2>&1"


rule room:
    """Compare what the run needs, labelled scans, disk and memory, with what there is; stop where that cannot do."""
    input:
        cases="results/cohort/cases.tsv",
    output:
        "results/cohort/room.tsv",
    log:
        "logs/cohort/room.log",
    conda:
        "../../envs/imaging.yaml"
    shell:
        'python "$NOISY_STUDENT/check_room.py" --cases {input.cases} --results results --output {output}'
        f" {room_flags()} > {{log}} 2>&1"


rule check:
    """Check the cohort and show what was found; computes nothing else."""
    input:
        cases="results/cohort/cases.tsv",
        room="results/cohort/room.tsv",
        corrected=expand("results/round_{round}/corrected.tsv", round=CORRECTED),
    log:
        "logs/cohort/check.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    params:
        findings=[
            "results/cohort/findings.tsv",
            *expand("results/round_{round}/corrected_findings.tsv", round=CORRECTED),
        ],
        organs=ORGANS,
    shell:
        'python "$NOISY_STUDENT/show_findings.py" --cases {input.cases} --findings {params.findings} {input.room}'
        " --organs {params.organs:q} 2> {log}"


rule convert:
    """Bring one shard of the scans to canonical orientation."""
    input:
        cases="results/cohort/cases.tsv",
        room=ancient("results/cohort/room.tsv"),
    output:
        "results/cohort/shards/converted_{shard}.tsv",
    log:
        "logs/cohort/convert_{shard}.log",
    conda:
        "../../envs/imaging.yaml"
    resources:
        mem_mb=memory_for(memory.CONVERSION),
    params:
        shards=CONFIGURATION.shards,
    shell:
        'python "$NOISY_STUDENT/convert.py" --cases {input.cases} --folder results/cohort'
        " --shard {wildcards.shard} --shards {params.shards} --output {output} > {log} 2>&1"


rule converted:
    """Gather the converted scans; each must have come back once."""
    input:
        cases="results/cohort/cases.tsv",
        shards=expand("results/cohort/shards/converted_{shard}.tsv", shard=SHARDS),
    output:
        "results/cohort/converted.tsv",
    log:
        "logs/cohort/converted.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    shell:
        'python "$NOISY_STUDENT/gather.py" {input.shards} --cases {input.cases} --output {output}'
        " --folders results/cohort/images results/cohort/label_maps results/cohort/records > {log} 2>&1"
