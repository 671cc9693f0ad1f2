"""The workflow with the truth for a teacher: students learn from the true label maps of all unlabelled scans."""


include: "../../Snakefile"


ruleorder: true_labels > select


rule true_labels:
    """Keep every scan, with its true label map for a pseudo-label."""
    input:
        "results/cohort/cases.tsv",
    output:
        "results/round_{round}/selection.tsv",
    run:
        sys.path.append(f"{ROOT}/benchmarks")
        from upper_bound import truths_as_pseudo_labels

        truths_as_pseudo_labels(Path("results"), Path(output[0]).parent)
