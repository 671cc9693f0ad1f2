"""How unlabelled scans were labelled, which of the labels were kept, and how label maps were made at all."""

from collections.abc import Mapping
from typing import Any

from noisy_student.report.held_out_table import largest_pieces
from noisy_student.report.methods.training import trained
from noisy_student.report.numbers import and_
from noisy_student.report.results import Results, Round
from noisy_student.report.settings import (
    bounds_in_words,
    rounds_in_words,
    selection_rules,
    targets,
    voices,
    voxel_confidence,
)
from noisy_student.select.words import in_words

VOICES = {
    "final": "the final ones",
    "average": "their exponential moving average over the training (Mean Teacher, Tarvainen and Valpola, NeurIPS 2017)",
    "thirds": "those after a third and two thirds of the epochs (as in ST++, Yang et al., CVPR 2022)",
}
WINDOWS = {
    "everywhere": "over the whole scan",
    "on_body": "at windows that hold a part of the body, and background elsewhere",
    "in_box_of_body": "over the smallest box around the body, and background elsewhere",
}

PRECISIONS = {
    "auto": "bfloat16 where the processor computes it, else in float32",
    "bfloat16": "bfloat16, on processors without it in float32",
    "float32": "float32",
}


def pseudo_labels(results: Results) -> str:
    """With which weights, by which rules, with which targets; nothing where no student learns from any."""
    students = [round_ for round_ in results.rounds if round_.number and round_.repeats is None]
    if not students:
        return _voices(results)
    parts = [_voices(results), _selection(results, students), _unsure(results, students), _soft(results, students)]
    return " ".join(filter(None, parts))


def _voices(results: Results) -> str:
    """The weights of the models that label; those of the last round do so for a student to be deployed alone."""
    labelling = results.rounds if results.deployed else results.rounds[:-1]
    own = {r.number: voices(results.run, r.number) for r in labelling if not r.taken and r.repeats is None}
    said = {number: and_(VOICES[voice] for voice in names) for number, names in own.items()}
    if not said:
        return ""
    return (
        f"Unlabelled scans were labelled by the mean prediction of these weights of each fold: {rounds_in_words(said)}."
    )


def _selection(results: Results, students: list[Round]) -> str:
    rules = {
        round_.number: "; ".join(map(in_words, selection_rules(results.run, round_.number))) or "all"
        for round_ in students
    }
    kept = {round_.number: round_.share_kept for round_ in students if round_.share_kept}
    counted = f" ({rounds_in_words(kept, always=True)})" if kept else ""
    return f"Pseudo-labels were kept by these rules: {rounds_in_words(rules)}{counted}."


def _unsure(results: Results, students: list[Round]) -> str:
    """Which voxels of the kept pseudo-labels had no part in the loss."""
    least = {round_.number: voxel_confidence(results.run, round_.number) for round_ in students}
    words = {number: bounds_in_words(one) for number, one in least.items()}
    if not any(words.values()):
        return "All their voxels had part in the loss."
    said = rounds_in_words({number: text or "none" for number, text in words.items()})
    text = f"Voxels of whose label the teacher was not sure had no part in the loss: {said}."
    if any("surface_mm" in least[number] for number, own in words.items() if own):
        text += (
            " Near an organ unsure background stayed in the loss where the organ was its second most probable class "
            "and no smaller than its median in the labelled scans."
        )
    return text


def soft_rounds(results: Results) -> list[int]:
    """The students that learned from soft targets, an online teacher's among them."""
    students = [r.number for r in results.rounds if r.number and r.repeats is None]
    return [number for number in students if targets(results.run, number) in ("soft", "online")]


def _soft(results: Results, students: list[Round]) -> str:
    """How the students of soft targets learned."""
    rounds = soft_rounds(results)
    if not rounds:
        return "Targets of pseudo-labelled scans were hard."
    online = [number for number in rounds if targets(results.run, number) == "online"]
    which = "all rounds" if len(rounds) == len(students) else f"round {and_(map(str, rounds))}, and hard in the others"
    is_filled = any(round_.filled for round_ in students if round_.number in rounds)
    but = ", but for what a teacher filled in, which was soft" if is_filled else ""
    return (
        f"Targets of pseudo-labelled scans were soft in {which}: of each voxel the teacher’s two most probable "
        f"classes, by the share of the first, learned with soft cross-entropy and soft Dice [6]. Hand labels were "
        f"hard{but}.{_online(online, rounds)}"
    )


def _online(online: list[int], soft: list[int]) -> str:
    """What the teacher of the rounds `online` was; `soft` are all with soft targets."""
    if not online:
        return ""
    which = "" if online == soft else f" in round {and_(map(str, online))}"
    return (
        f" The teacher of these targets{which} learned along: with each step the exponential moving average of the "
        "student’s weights (Mean Teacher, Tarvainen and Valpola, NeurIPS 2017) labelled the patches of pseudo-labelled "
        "scans as they were before the noise (weak and strong views as in FixMatch, Sohn et al., NeurIPS 2020)."
    )


def inference(results: Results) -> str:
    """Sliding window, folds and mirroring, as for pseudo-labels, held-out, validation and test scans."""
    configuration = results.run["configuration"]
    own = configuration["prediction"]
    return (
        "Label maps are nnU-Net’s: the class of the highest mean logit over a sliding window with Gaussian weights, "
        f"{WINDOWS[own['windows']]}, in steps of {own['step_size']:g} of the patch; the mean over {_folds(results)}; "
        f"{mirroring(own['mirroring'], configuration['training']['mirror_axes'])}. Logits were resampled to "
        f"the scan’s own grid before a class was chosen. {_computation(own)} Held-out, validation and test scans were "
        f"labelled with the final weights.{_of_taken(results)}"
    )


def _of_taken(results: Results) -> str:
    """How models from elsewhere label, whose folds and axes are their own."""
    taken = results.rounds[0].taken if results.rounds else []
    if not taken:
        return ""
    mirrors = results.run["configuration"]["prediction"]["mirroring"]
    mirrored = "over copies mirrored along the axes of its own training, but never left-right"
    copies = mirrored if mirrors else "without mirroring"
    each = "each model from elsewhere" if len(taken) > 1 else "the model from elsewhere"
    return f" Folds and mirroring of round 0 are not these: {each} labelled with all of its folds, {copies}."


def _computation(prediction: Mapping[str, Any]) -> str:
    """What computed the networks; a record of a run before there was a choice does not say it."""
    backend = prediction.get("backend", "torch")
    if backend == "torch":
        return "Networks ran in float32 on CPUs, under automatic mixed precision on GPUs, both in torch."
    gpus = "" if backend == "openvino" else "; on GPUs networks ran in torch under automatic mixed precision"
    return (
        f"On CPUs OpenVINO computed the networks in {PRECISIONS[prediction['precision']]}, once it had given "
        "the classes of torch in two windows (but for 1 of 100,000 voxels in float32, 1 of 1000 in bfloat16), else "
        f"torch in float32{gpus}."
    )


def _folds(results: Results) -> str:
    folds = results.run["configuration"]["training"]["folds"]
    if len(folds) == 1 or not trained(results):
        return "the one fold that was trained"
    return f"the {len(folds)} folds (of a held-out scan, the fold that held it out alone)"


def mirroring(mirrors: bool, axes: list[str]) -> str:
    """Over which copies of a scan a network's predictions are averaged."""
    if not mirrors:
        return "no mirroring"
    return f"the mean over copies mirrored along {and_(axes)}" if axes else "no mirroring, for training had none"


def postprocessing(results: Results) -> str:
    """What largest pieces were kept of, and where."""
    own = results.run["configuration"]["postprocessing"]
    applied = [words for key, words in (("predictions", "validation and test predictions"),
                                        ("pseudo_labels", "pseudo-labels")) if own[key]]  # fmt: skip
    if not applied:
        return "None was applied, to predictions or to pseudo-labels."
    found = {round_.number: and_(largest_pieces(results, round_)) for round_ in results.rounds if round_.postprocessing}
    known = [rounds_in_words(found)] if found else []
    if results.deployed and results.deployed.postprocessing:
        known.append(f"for the student made to be deployed: {and_(largest_pieces(results, results.deployed))}")
    return (
        "nnU-Net’s component analysis found out on the held-out labelled scans of which organs the largest piece alone "
        f"is better: {'; '.join(known) or 'not known yet'}. It was applied to {and_(applied)}"
        f"{', and to nothing that a model from elsewhere labelled' if results.rounds[0].taken else ''}."
    )
