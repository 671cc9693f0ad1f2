"""A methods text ready to paste, and the commands that redo each round."""

from collections.abc import Iterable

from noisy_student.report.labelled_organs import partly_labelled, sentence
from noisy_student.report.numbers import count, magnitude, product
from noisy_student.report.paper import CITATION
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.settings import (
    NO_FINE_TUNING,
    RANDOM_WEIGHTS,
    bounds_in_words,
    evaluation_mode,
    first_weights,
    selection_rules,
    targets,
    training_settings,
    voices,
    voxel_confidence,
)
from noisy_student.running import typed
from noisy_student.select.words import in_words
from noisy_student.sets import sizes

REFERENCES = (
    CITATION,
    "Xie et al., Self-training with Noisy Student improves ImageNet classification, CVPR 2020",
    "Isensee et al., nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation, "
    "Nature Methods 18, 203–211, 2021",
    "Ma et al., Unleashing the strengths of unlabelled data in deep learning-assisted pan-cancer abdominal organ "
    "quantification: the FLARE22 challenge, Lancet Digital Health 6, e815–e826, 2024",
    "Mölder et al., Sustainable data analysis with Snakemake, F1000Research 10:33, 2021",
)
SOFT_REFERENCE = "Wang et al., Dice Semimetric Losses: Optimizing the Dice Score with Soft Labels, MICCAI 2023"
VOICES = {
    "final": "the final ones",
    "average": "their exponential moving average over the training (Mean Teacher, Tarvainen and Valpola, NeurIPS 2017)",
    "thirds": "those after a third and two thirds of the epochs (as in ST++, Yang et al., CVPR 2022)",
}


def references(results: Results) -> tuple[str, ...]:
    """What the methods text cites, by number; [6] is of soft targets alone."""
    return (*REFERENCES, SOFT_REFERENCE) if _soft_rounds(results) else REFERENCES


def methods(results: Results) -> str:
    """What was done, with this run's own numbers."""
    networks = [_network(network) for network in results.networks if network.configuration]
    parts = [
        _cohort(results),
        *networks,
        _training(results),
        _labelling(results),
        _selection(results),
        _partly_labelled(results),
        _evaluation(results),
    ]
    return " ".join(part for part in (*parts, _software(results)) if part)


def _cohort(results: Results) -> str:
    counts = results.cases["role"].value_counts()
    number = {role: int(counts.get(role, 0)) for role in ("labelled", "unlabelled", "validation", "test")}
    sets = {role: _sets(names) for role, names in sizes(results.cases).items()}
    students = max(len(results.rounds) - 1, 0)
    origin = from_elsewhere(results)
    labelled = f"{number['labelled']} labelled scans"
    teacher = f"{origin} labelled" if origin else f"a teacher learnt from {labelled} and labelled"
    both = f"these and {labelled}" if origin else "both"
    return (
        f"{count(len(results.organs), 'organ')} {'was' if len(results.organs) == 1 else 'were'} segmented in CT by "
        f"noisy-student training [1, 2]: {teacher} {number['unlabelled']} unlabelled {'scans' if origin else 'ones'}; "
        f"a student learnt from {both} and became the next teacher, {students} time{'' if students == 1 else 's'}. "
        f"{number['validation']} validation{sets.get('validation', '')} and {number['test']} test scans"
        f"{sets.get('test', '')} took no part in training or selection."
    )


def from_elsewhere(results: Results) -> str:
    """The models that round 0 is, with their checksums; empty if it was trained."""
    taken = results.rounds[0].taken if results.rounds else []
    models = "; ".join(f"{model['model']}, SHA-256 {', '.join(model['sha256'].values())}" for model in taken)
    if len(taken) < 2:
        return f"a teacher from elsewhere ({models})" if taken else ""
    how = {"mean": "by their mean", "vote": "by vote"}[results.rounds[0].verdict["together"]]
    return f"{len(taken)} teachers from elsewhere ({models}) together, {how},"


def _sets(names: dict[str, int]) -> str:
    """How many scans each set of a role has, where there are several."""
    return f" ({', '.join(f'{number} “{name}”' for name, number in names.items())})" if len(names) > 1 else ""


def _network(network: Network) -> str:
    plans, numbers = network.configuration, network.numbers
    return (
        f"Network “{network.name}” ({magnitude(numbers.get('parameters'))} parameters) was planned and trained with "
        f"nnU-Net [3] on patches of {product(plans.get('patch_size', []))} voxels (z, y, x) at a spacing of "
        f"{product(plans.get('spacing', []))} mm, batch size {plans.get('batch_size', 'unknown')}."
    )


def _training(results: Results) -> str:
    trained = [round_ for round_ in results.rounds if round_.training]
    lengths = sorted({len(fold) for round_ in trained for fold in round_.training.values()})
    if not lengths:
        return ""
    settings = training_settings(results.run, trained[-1].number)
    steps = {training_settings(results.run, round_.number).get("iterations_per_epoch") for round_ in trained}
    each = f" of {' or '.join(map(str, sorted(steps)))} iterations" if None not in steps else ""
    fraction = settings.get("labelled_fraction")
    drawn = f" A student drew hand-labelled scans {fraction:.0%} of the time." if fraction else ""
    ways = {"draw_by_confidence": "confident scans", "draw_rare_organs": "scans with organs that few of them have"}
    if favoured := [words for name, words in ways.items() if settings.get(name)]:
        drawn += f" Of pseudo-labelled scans it drew {_and(favoured)} more often."
    took = f"Each training took {' or '.join(map(str, lengths))} epochs{each}."
    return took + _first_weights(results) + _noise(results) + drawn + _fine_tuning(results)


def _first_weights(results: Results) -> str:
    """What the trainings began with that did not begin from scratch."""
    words = {round_.number: first_weights(results.run, round_.number) for round_ in results.rounds}
    said = [f"round {number} ({own})" for number, own in words.items() if own and own != RANDOM_WEIGHTS]
    return f" First weights were not random in {', '.join(said)}." if said else ""


def _noise(results: Results) -> str:
    """What made learning harder; nothing where it was not recorded."""
    kinds = dict.fromkeys(
        training_settings(results.run, round_.number).get("noise", "") for round_ in results.rounds if not round_.taken
    )
    return f" Noise in training: {' or '.join(kinds)}." if all(kinds) else ""


def _fine_tuning(results: Results) -> str:
    """The last epochs of the rounds whose training ends on hand labels."""
    words = {
        round_.number: training_settings(results.run, round_.number).get("fine_tuning", NO_FINE_TUNING)
        for round_ in results.rounds
        if not round_.taken
    }
    said = "; ".join(f"round {number}: {own}" for number, own in words.items() if own != NO_FINE_TUNING)
    return f" Trainings ended with epochs on hand-labelled scans alone ({said})." if said else ""


def _labelling(results: Results) -> str:
    """With which weights the unlabelled scans were labelled, where they were not the final ones alone."""
    rounds_of: dict[tuple[str, ...], list[int]] = {}
    for round_ in results.rounds[:-1]:
        if not round_.taken:
            rounds_of.setdefault(tuple(voices(results.run, round_.number)), []).append(round_.number)
    if not rounds_of.keys() - {(), ("final",)}:
        return ""
    each = [
        (f"of round {_and(map(str, numbers))} " if len(rounds_of) > 1 else "") + _and(VOICES[voice] for voice in own)
        for own, numbers in rounds_of.items()
    ]
    return f"Unlabelled scans were labelled by the mean prediction of these weights of each fold: {'; '.join(each)}."


def _and(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _selection(results: Results) -> str:
    kept = [
        f"{int((round_.selection['decision'] == 'kept').sum())} of {len(round_.selection)} in round {round_.number}"
        for round_ in _selected(results)
    ]
    if not kept:
        return ""
    rounds_of: dict[str, list[int]] = {}
    for round_ in _selected(results):
        rules = [in_words(rule) for rule in selection_rules(results.run, round_.number)]
        rounds_of.setdefault("; ".join(rules) or "all", []).append(round_.number)
    several = len(rounds_of) > 1
    each = [f"in round {_and(map(str, own))} {rules}" if several else rules for rules, own in rounds_of.items()]
    kept_by = f"Pseudo-labels were kept by these rules: {'; '.join(each)} ({', '.join(kept)})."
    return kept_by + _unsure(results) + _soft(results)


def _unsure(results: Results) -> str:
    """Which voxels of the kept pseudo-labels had no part in the loss."""
    least = {round_.number: voxel_confidence(results.run, round_.number) for round_ in _selected(results)}
    words = {number: said for number, one in least.items() if (said := bounds_in_words(one))}
    if not words:
        return ""
    bounds = "; ".join(f"round {number}: {said}" for number, said in words.items())
    text = f" Voxels of whose label the teacher was not sure had no part in the loss ({bounds})."
    if any("surface_mm" in least[number] for number in words):
        text += (
            " Near an organ unsure background stayed in the loss where the organ was its second most probable class "
            "and no smaller than its median in the labelled scans."
        )
    return text


def _soft(results: Results) -> str:
    """How the students of soft targets learned."""
    rounds = _soft_rounds(results)
    if not rounds:
        return ""
    which = f"round{'s' if len(rounds) > 1 else ''} {', '.join(map(str, rounds))}"
    is_filled = any(round_.filled for round_ in results.rounds if round_.number in rounds)
    but = ", but for what a teacher filled in, which was soft" if is_filled else ""
    return (
        f" In {which} the targets of pseudo-labelled scans were soft: of each voxel the teacher’s two most probable "
        "classes, by the share of the first, learned with soft cross-entropy and soft Dice [6]. "
        f"Hand labels were hard{but}."
    )


def _soft_rounds(results: Results) -> list[int]:
    return [round_.number for round_ in _selected(results) if targets(results.run, round_.number) == "soft"]


def _selected(results: Results) -> list[Round]:
    return [round_ for round_ in results.rounds if len(round_.selection)]


def _partly_labelled(results: Results) -> str:
    """How scans with only some organs labelled were learned from, and in how many the teacher filled in others."""
    partly = partly_labelled(results)
    if not partly or not any(round_.training for round_ in results.rounds):
        return ""
    labelled = int((results.cases["role"] == "labelled").sum())
    marginal = (
        f"In {partly} of {labelled} labelled scans only some organs are labelled: a voxel of their background may be "
        "background or any other organ, and was learned with the summed probability of these in cross-entropy (the "
        "marginal loss of Shi et al., Medical Image Analysis 2021) and left out of these organs’ Dice."
    )
    filled = [
        f"{round_.filled} of {len(round_.filling)} in round {round_.number}"
        for round_ in results.rounds
        if round_.filled
    ]
    if not filled:
        return marginal
    return (
        f"{marginal} In this background, and nowhere else, students learned the teacher’s labels of the other organs, "
        f"in the scans whose labels the rules for pseudo-labels kept ({', '.join(filled)})."
    )


def _evaluation(results: Results) -> str:
    if not results.roles:
        return ""
    mode = evaluation_mode(results.run)
    return (
        "Segmentations were judged by the Dice similarity coefficient and the normalised surface Dice of FLARE22 [4]"
        f"{f' under its rules “{mode}”' if mode else ''}, with bootstrap 95 % intervals over cases; rounds were "
        f"compared case by case with the Wilcoxon signed-rank test, Holm-corrected over organs.{_apart(results)} "
        f"{sentence(results)}"
    ).strip()


def _apart(results: Results) -> str:
    if not any(judged.name for judged in results.sets):
        return ""
    pooled = any(judged.pooled for judged in results.sets)
    return " Each set of scans was judged on its own" + (", and the sets of a role pooled." if pooled else ".")


def _software(results: Results) -> str:
    versions = results.run.get("versions", {})
    if not versions:
        return ""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"The workflow ran under Snakemake [5] with {listed}; seed {results.run.get('seed', 'not recorded')}."


def citation(results: Results) -> str:
    """The workflow as it is cited, with the version and commit of this run; [1] and [3] are of `REFERENCES`."""
    version = results.run.get("versions", {}).get("flare-noisy-student", "")
    commit = str(results.run.get("git_commit") or "").rstrip("+")
    name = " ".join(part for part in ("flare-noisy-student", version) if part) + (
        f", commit {commit}" if commit else ""
    )
    return (
        f"The flare-noisy-student developers, {name}: noisy-student training for CT organ segmentation as one "
        "reproducible workflow. Cite with it nnU-Net [3] and the method’s paper [1]."
    )


def commands(results: Results) -> list[tuple[str, str]]:
    """(what it does, command line) to bring the run to each round, to redo one, and to make this page again."""
    run, folder = results.folder.absolute().parent, results.folder.name
    last = results.rounds[-1].number if results.rounds else 0
    table = f"{folder}/round_{last}/{'selection' if last else 'scores'}.tsv"
    page = ("--results", folder, "--output", f"{folder}/report/report.html")
    what = "select again and all that follows" if last else "evaluate again"
    lines = {f"up to and with {each.name}": typed.snakemake(run, f"round_{each.number}") for each in results.rounds} | {
        f"round {last}: {what}": typed.snakemake(run, f"round_{last}", "-R", table),
        "this page alone": typed.python(run, "workflow/scripts/report.py", *page),
    }
    return [(purpose, typed.in_folder(run, command)) for purpose, command in lines.items()]
