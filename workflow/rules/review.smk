# Which scans a person should correct first, and what that person is handed. Made only when asked for: snakemake review_<k>
#
# reads  a round's pseudo-labels with the confidence of each voxel, what its teacher made of the scans it held out,
#        which scans were corrected already
# makes  results/round_<k>/review/review.tsv       unlabelled scans, those first whose correction is worth most
#        results/round_<k>/review/hand_labels.tsv  hand labels that the teacher's folds contradict
#        results/round_<k>/review/review.html      both with pictures
#        results/round_<k>/review/<case>/          the first of the list, for ITK-SNAP, 3D Slicer and DICOM viewers
#        results/round_<k>/review/review.zip       page and folders in one file


rule review:
    """List the scans that are worth a person's time, and hand the first ones out."""
    input:
        cases="results/cohort/cases.tsv",
        converted="results/cohort/converted.tsv",
        preprocessed=preprocessed_for_round,
        scores="results/round_{round}/pseudo_label_scores.tsv",
        measures=expand("results/round_{{round}}/shards/label_measures_{shard}.tsv", shard=SHARDS),
        corrected=expand("results/round_{number}/corrected.tsv", number=CORRECTED),
        verdict=verdict_before,
        # After a collapse an earlier round than the one before is the teacher.
        held_out=lambda wildcards: [path for number in range(number_of(wildcards)) for path in held_out(number)],
        truth="results/round_{round}/pseudo_label_truth.tsv" if truth_is_known() else [],
    output:
        table="results/round_{round}/review/review.tsv",
        hand_labels="results/round_{round}/review/hand_labels.tsv",
        page="results/round_{round}/review/review.html",
        packed="results/round_{round}/review/review.zip",
    log:
        "logs/round_{round}/review.log",
    wildcard_constraints:
        round=r"\d+",
    conda:
        "../../envs/nnunet.yaml"
    threads: 8
    params:
        organs=organs.to_json(CONFIGURATION.organs, "label", "name", "colour", "snomed"),
        names=json.dumps(names_of_archives()),
        scans=CONFIGURATION.review.scans,
        corrected=lambda wildcards, input: flag("--corrected", input.corrected),
        held_out=lambda wildcards, input: flag("--held-out", input.held_out),
        truth=lambda wildcards, input: flag("--truth", input.truth),
    shell:
        'python "$NOISY_STUDENT/review.py" --cases {input.cases} --converted {input.converted}'
        " --preprocessed {input.preprocessed} --scores {input.scores} --measures {input.measures} {params.corrected} --verdict {input.verdict} {params.held_out} {params.truth}"
        " --pseudo-labels results/round_{wildcards.round}/pseudo_labels --names {params.names:q} --organs {params.organs:q}"
        " --scans {params.scans} --round {wildcards.round} --cores {threads} --output {output.table} > {log} 2>&1"
