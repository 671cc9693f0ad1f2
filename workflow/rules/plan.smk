# nnU-Net's plans, from the labelled scans alone and frozen for all rounds; each scan preprocessed once.
#
# reads  results/cohort/cases.tsv, results/cohort/converted.tsv
# makes  results/plans/dataset.json, results/plans/dataset_fingerprint.json
#        results/plans/<network>/plans.json, network.json     plans; parameters and FLOPs
#        results/preprocessed/<network>.tsv                   every scan's preprocessed image, for all rounds


rule fingerprint:
    """Measure the labelled scans as nnU-Net does."""
    input:
        "results/cohort/converted.tsv",
    output:
        dataset="results/plans/dataset.json",
        fingerprint="results/plans/dataset_fingerprint.json",
    log:
        "logs/plan/fingerprint.log",
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    params:
        organs=ORGANS,
    shell:
        'python "$NOISY_STUDENT/make_fingerprint.py" --converted {input} --organs {params.organs:q} --cores {threads}'
        " --dataset {output.dataset} --output {output.fingerprint} > {log} 2>&1"


rule plans:
    """Plan one network."""
    input:
        dataset="results/plans/dataset.json",
        fingerprint="results/plans/dataset_fingerprint.json",
    output:
        "results/plans/{network}/plans.json",
    log:
        "logs/plan/plans_{network}.log",
    conda:
        "../../envs/nnunet.yaml"
    resources:
        # What is no parameter makes nothing anew.
        online=online_flag,
    params:
        network=lambda wildcards: section(CONFIGURATION.networks[wildcards.network]),
    shell:
        'python "$NOISY_STUDENT/make_plans.py" --dataset {input.dataset} --fingerprint {input.fingerprint}'
        " --network {params.network:q} --name {wildcards.network} {resources.online} --output {output} > {log} 2>&1"


rule network_figures:
    """Count a network's parameters and FLOPs at its patch size."""
    input:
        dataset="results/plans/dataset.json",
        plans="results/plans/{network}/plans.json",
    output:
        "results/plans/{network}/network.json",
    log:
        "logs/plan/network_figures_{network}.log",
    conda:
        "../../envs/nnunet.yaml"
    shell:
        'python "$NOISY_STUDENT/count_network.py" --plans {input.plans} --dataset {input.dataset}'
        " --output {output} > {log} 2>&1"


rule preprocess:
    """Crop, normalise and resample one shard of the scans."""
    input:
        cases="results/cohort/cases.tsv",
        converted="results/cohort/converted.tsv",
        dataset="results/plans/dataset.json",
        plans="results/plans/{network}/plans.json",
    output:
        "results/preprocessed/shards/{network}_{shard}.tsv",
    log:
        "logs/plan/preprocess_{network}_{shard}.log",
    benchmark:
        "results/benchmarks/preprocess_{network}_{shard}.tsv"
    conda:
        "../../envs/nnunet.yaml"
    resources:
        mem_mb=memory_for(memory.PREPROCESSING),
    params:
        shards=CONFIGURATION.shards,
    shell:
        'python "$NOISY_STUDENT/preprocess.py" --cases {input.cases} --converted {input.converted}'
        " --plans {input.plans} --dataset {input.dataset} --folder results/preprocessed/{wildcards.network}"
        " --shard {wildcards.shard} --shards {params.shards} --output {output} > {log} 2>&1"


rule preprocessed:
    """Gather the preprocessed scans; each must have come back once."""
    input:
        cases="results/cohort/cases.tsv",
        shards=expand("results/preprocessed/shards/{{network}}_{shard}.tsv", shard=SHARDS),
    output:
        "results/preprocessed/{network}.tsv",
    log:
        "logs/plan/preprocessed_{network}.log",
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    shell:
        'python "$NOISY_STUDENT/gather.py" {input.shards} --cases {input.cases}'
        " --folders results/preprocessed/{wildcards.network} --output {output} > {log} 2>&1"
