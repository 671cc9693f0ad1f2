"""A methods text ready to paste, and the commands that redo each round."""

from noisy_student.report.numbers import magnitude, product
from noisy_student.report.paper import CITATION
from noisy_student.report.results import Results
from noisy_student.report.run_tables import find

REFERENCES = (
    CITATION,
    "Xie et al., Self-training with Noisy Student improves ImageNet classification, CVPR 2020",
    "Isensee et al., nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation, "
    "Nature Methods 18, 203-211, 2021",
    "Ma et al., Unleashing the strengths of unlabelled data in deep learning-assisted pan-cancer abdominal organ "
    "quantification: the FLARE22 challenge, Lancet Digital Health 6, e815-e826, 2024",
    "Mölder et al., Sustainable data analysis with Snakemake, F1000Research 10:33, 2021",
)


def methods(results: Results) -> str:
    """What was done, with this run's own numbers."""
    parts = [_cohort(results), _training(results), _selection(results), _evaluation(results), _software(results)]
    return " ".join(part for part in parts if part)


def _cohort(results: Results) -> str:
    counts = results.cases["role"].value_counts()
    number = {role: int(counts.get(role, 0)) for role in ("labelled", "unlabelled", "validation", "test")}
    return (
        f"Thirteen abdominal organs were segmented in CT by noisy-student training [1, 2]: a teacher learnt from "
        f"{number['labelled']} labelled scans and labelled {number['unlabelled']} unlabelled ones; a student learnt from "
        f"both and became the next teacher, {max(len(results.rounds) - 1, 0)} times. "
        f"{number['validation']} validation and {number['test']} test scans took no part in training or selection."
    )


def _training(results: Results) -> str:
    text = [
        f"Network “{network.name}” was planned and trained with nnU-Net [3] on patches of "
        f"{product(network.configuration.get('patch_size', []))} voxels (z, y, x), spacing "
        f"{product(network.configuration.get('spacing', []))} mm, batch size "
        f"{network.configuration.get('batch_size', 'unknown')} ({magnitude(network.numbers.get('parameters'))} parameters)."
        for network in results.networks
        if network.configuration
    ]
    lengths = sorted({len(fold) for round_ in results.rounds for fold in round_.training.values()})
    if lengths:
        iterations = find(results.run.get("configuration", {}), "iterations_per_epoch")
        each = f" of {iterations} iterations" if iterations else ""
        text.append(f"Each training took {' or '.join(map(str, lengths))} epochs{each}.")
    return " ".join(text)


def _selection(results: Results) -> str:
    kept = [
        f"round {round_.number}: {int((round_.selection['decision'] == 'kept').sum())} of {len(round_.selection)}"
        for round_ in results.rounds
        if len(round_.selection)
    ]
    return f"Pseudo-labels were selected by their confidence ({'; '.join(kept)} kept)." if kept else ""


def _evaluation(results: Results) -> str:
    if not results.roles:
        return ""
    rule = find(results.run.get("configuration", {}), "rule") or find(results.run.get("configuration", {}), "rules")
    by = f", rules “{rule}”," if isinstance(rule, str) else ""
    return (
        f"Segmentations were judged by the Dice similarity coefficient and the normalised surface Dice of FLARE22 [4]{by} "
        "with bootstrap 95 % intervals; rounds were compared by scan with the Wilcoxon signed-rank test, "
        "Holm-corrected over organs."
    )


def _software(results: Results) -> str:
    versions = results.run.get("versions", {})
    if not versions:
        return ""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"The workflow ran under Snakemake [5] with {listed}; seed {results.run.get('seed', 'not recorded')}."


def commands(results: Results) -> list[tuple[str, str]]:
    """(what it does, command line) to bring the run to each round, and to make this page again."""
    rounds = [(f"up to and with {round_.name}", f"snakemake round_{round_.number}") for round_ in results.rounds]
    page = f"python workflow/scripts/report.py --results {results.folder} --output {results.folder}/report/report.html"
    return [*rounds, ("this page alone", page)]
