"""Networks, how they were trained, and what a student had to hold up to."""

from collections.abc import Iterable
from typing import Any

from noisy_student.report.labelled_organs import partly_labelled
from noisy_student.report.learned_scans import folds_in_words
from noisy_student.report.numbers import and_, count, magnitude, product
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.settings import (
    NO_FINE_TUNING,
    OPTIMIZERS,
    fine_tuning_in_words,
    first_weights,
    network_of,
    noise_in_words,
    rounds_in_words,
    seed_of,
    training_settings,
)
from noisy_student.train.collapse import FOUND_DSC, LOST_DSC

ENCODERS = {
    "plain": "nnU-Net’s plain U-Net",
    "residual": "nnU-Net with a residual encoder",
    "residual_m": "nnU-Net’s residual encoder preset M",
    "residual_l": "nnU-Net’s residual encoder preset L",
}
POLICIES = {
    "keep": "did not label, and its teacher labelled on",
    "stop": "ended the run",
    "retrain": "had its fold trained once more with another seed; if the better of both was still behind, its teacher "
    "labelled on",
}
CHOSEN = "nnU-Net’s choice"


def networks(results: Results) -> str:
    """Each network that a round has: what was set, and what nnU-Net chose from the labelled scans."""
    described = results.run["configuration"]["networks"]
    rounds_of: dict[str, list[int]] = {}
    for round_ in trained(results):
        rounds_of.setdefault(network_of(results.run, round_.number), []).append(round_.number)
    plans = {network.name: network for network in results.networks}
    whose = {name: f"round{'s' * (len(own) > 1)} {and_(map(str, own))}" for name, own in rounds_of.items()}
    return " ".join(network_in_words(name, described[name], plans.get(name), own) for name, own in whose.items())


def network_in_words(name: str, own: dict[str, Any], planned: Network | None, whose: str) -> str:
    """A network as it is configured and planned, and whose it is."""
    plans = planned.configuration if planned else {}
    patch = _set_or_chosen(own["patch_size_zyx"], plans.get("patch_size"))
    spacing = _set_or_chosen(own["spacing_mm_zyx"], plans.get("spacing"))
    batch = _set_or_chosen(own["batch_size"], plans.get("batch_size"))
    blocks = "convolutions" if own["encoder"] == "plain" else "residual blocks"
    features = f"features doubling from {own['base_features']} to at most {own['max_features']}"
    stages = plans.get("architecture", {}).get("arch_kwargs", {}).get("n_stages", own["stages"])
    in_stages = f"{stages} stages{'' if own['stages'] else f' ({CHOSEN})'}" if stages else f"stages by {CHOSEN}"
    encoder, decoder = _blocks(own["encoder_blocks"], stages), _blocks(own["decoder_blocks"], stages and stages - 1)
    parameters = f", {magnitude(planned.numbers.get('parameters'))} parameters" if planned else ""
    return (
        f"“{name}” ({whose}) is {ENCODERS[own['encoder']]} [3]: "
        f"{in_stages}, {features}, {blocks} a stage: {encoder} in the encoder, {decoder} in the decoder{parameters}; "
        f"patches of {patch} voxels and a spacing of {spacing} mm (z, y, x); {batch} patches a batch."
    )


def _set_or_chosen(own: Any, planned: Any) -> str:
    if own is not None:
        return product(own) if isinstance(own, list) else str(own)
    shown = product([round(value, 3) for value in planned]) if isinstance(planned, list) else planned
    return f"{shown} ({CHOSEN})" if planned else f"({CHOSEN})"


def _blocks(numbers: list[int] | None, stages: int | None) -> str:
    return "/".join(map(str, numbers[:stages])) if numbers else CHOSEN


def trained(results: Results) -> list[Round]:
    """The rounds that are neither a model from elsewhere nor, after the end of all rounds, the last one's again."""
    return [
        round_
        for round_ in results.rounds
        if not round_.taken and round_.repeats is None and network_of(results.run, round_.number)
    ]


def training(results: Results) -> str:
    """Folds, first weights, steps, optimizer, loss, noise and draws: of the rounds, or of what alone was trained."""
    rounds = trained(results)
    alone = [results.deployed] if results.deployed and not rounds else []
    own = {round_.number: training_settings(results.run, round_.number) for round_ in rounds or alone}
    first = {r.number: first_weights(results.run, r.number, r.took_weights) for r in rounds or alone}
    if not own:
        return ""
    settings = next(iter(own.values()))
    if alone:
        settings["folds"] = settings["folds"][:1]
    parts = [
        _folds(results, settings),
        f"Seed of weights and batches: {rounds_in_words({n: str(seed_of(results.run, n)) for n in own})}.",
        f"First weights: {rounds_in_words(first)}.",
        f"Length: {rounds_in_words({n: length(one) for n, one in own.items()})}.",
        f"Optimizer: {OPTIMIZERS[settings['optimizer']]}, weight decay {settings['weight_decay']:g}, learning rate "
        f"from {rounds_in_words({n: format(one['learning_rate'], 'g') for n, one in own.items()})}, falling as "
        "(1 − epoch / epochs)^0.9.",
        _loss(results),
        f"Noise: {rounds_in_words({n: noise_in_words(one['noise']) for n, one in own.items()})}.",
        _mirroring(own),
        _draws(settings) if len(results.chain) > 1 else "",
        _fine_tuning(results, own),
        _unfinished(own, results),
    ]
    return " ".join(filter(None, parts))


def _folds(results: Results, settings: dict[str, Any]) -> str:
    folds, splits = settings["folds"], settings["splits"]
    which = "all folds" if len(folds) == splits else f"fold{'s' * (len(folds) > 1)} {and_(map(str, folds))}"
    learned = "; ".join(
        f"in round {round_.number} {said}" for round_ in trained(results) if (said := folds_in_words(results, round_))
    )
    return (
        f"The labelled scans were dealt at random into {splits} parts, the same in all rounds. Of the {splits} folds "
        f"{which} {'was' if len(folds) == 1 else 'were'} trained; "
        "each held its own part out, to validate on and to be judged by, and learned from the other labelled scans"
        f"{_and_pseudo_labels(results)}. {learned and f'Scans learned from: {learned}.'}"
    ).strip()


def _and_pseudo_labels(results: Results) -> str:
    """From when on folds learned from pseudo-labels, too: of a teacher alone they did not."""
    if not trained(results):
        return " and from the kept pseudo-labels"
    return " and, from round 1 on, from the kept pseudo-labels" if len(results.rounds) > 1 else ""


def length(settings: dict[str, Any]) -> str:
    """How long a training is."""
    return f"{count(settings['epochs'], 'epoch')} of {count(settings['iterations_per_epoch'], 'step')}"


def _loss(results: Results) -> str:
    marginal = ", marginal where not all organs are labelled" if partly_labelled(results) else ""
    return f"Loss: the sum of Dice loss and cross-entropy with deep supervision, as in nnU-Net{marginal}."


def _mirroring(own: dict[int, dict[str, Any]]) -> str:
    """Without augmentation no patch is mirrored."""
    axes = {n: one["mirror_axes"] if one["noise"]["augmentation"] != "none" else [] for n, one in own.items()}
    said = {n: f"mirrored at random along {and_(names)}" if names else "not mirrored" for n, names in axes.items()}
    return f"Patches were {rounds_in_words(said)}, and never left-right."


def _draws(settings: dict[str, Any]) -> str:
    fraction = settings["labelled_fraction"]
    drawn = f"hand-labelled scans {fraction:.4g} of the time" if fraction else "each scan as often as any other"
    ways = {
        "draw_by_confidence": "scans of which the teacher was surer",
        "draw_rare_organs": "scans with organs that few of them have",
    }
    favoured = [words for name, words in ways.items() if settings[name]]
    more = f", and of pseudo-labelled scans more often {and_(favoured)}" if favoured else ""
    return f"A student drew {drawn}{more}."


def _fine_tuning(results: Results, rounds: Iterable[int]) -> str:
    """The last epochs of the rounds whose training ends on hand labels."""
    said = {number: fine_tuning_in_words(results.run, number) for number in rounds}
    if set(said.values()) == {NO_FINE_TUNING}:
        return ""
    return f"Epochs at the end on hand-labelled scans alone: {rounds_in_words(said)}."


def _unfinished(own: dict[int, dict[str, Any]], results: Results) -> str:
    """What the logs have of trainings that are not as long as they were to be."""
    logged = {
        round_.number: and_(str(len(log)) for log in round_.training.values())
        for round_ in trained(results)
        if {len(log) for log in round_.training.values()} - {own[round_.number]["epochs"]}
    }
    return f"Epochs logged so far: {rounds_in_words(logged, always=True)}." if logged else ""


def collapse(results: Results) -> str:
    """What makes a student label or not, what ends the rounds early, and whether that came to pass."""
    if len(results.rounds) < 2:
        return ""
    configuration = results.run["configuration"]
    own, stop = configuration["collapse"], configuration["stop"]
    said = [
        "On the labelled scans that its folds held out a student had collapsed if it lost an organ (mean DSC below "
        f"{LOST_DSC:g}, its teacher’s at least {FOUND_DSC:g}), or if its mean DSC was more than {own['noise_band']:g} "
        "lower than its teacher’s and, where it held out two scans or more, the bootstrap interval of the difference "
        f"was below 0. A student that had collapsed {POLICIES[own['policy']]}. {_collapsed(results)}",
        _stop(results, stop, own["noise_band"]),
    ]
    return " ".join(said)


def _collapsed(results: Results) -> str:
    judged = [r for r in results.rounds if r.number and r.verdict]
    collapsed = [f"{r.number} ({'; '.join(r.verdict['reasons'])})" for r in judged if r.verdict["reasons"]]
    unknown = [str(r.number) for r in judged if "not_compared" in r.verdict]
    seeds = {r.number: and_(map(str, r.verdict["seeds"])) for r in judged if _is_retrained(results, r)}
    said = []
    if collapsed:
        said.append(f"This took effect in round {and_(collapsed)}.")
    elif len(unknown) < len(judged):
        said.append(f"No student{' that counts' if seeds else ''} had collapsed.")
    if seeds:
        said.append(f"A training was repeated; the seeds of those that count: {rounds_in_words(seeds, always=True)}.")
    if unknown:
        said.append(
            f"Round {and_(unknown)} was not judged, for {results.rounds[int(unknown[0])].verdict['not_compared']}."
        )
    return " ".join(said)


def _is_retrained(results: Results, round_: Round) -> bool:
    return not {*round_.verdict.get("seeds", [])} <= {seed_of(results.run, round_.number)}


def _stop(results: Results, stop: dict[str, Any], noise_band: float) -> str:
    rules = []
    if stop["without_gain"]:
        rules.append(f"a student gained no more than {noise_band:g} in mean DSC over its teacher on these scans")
    if stop["disagreement_below"] is not None:
        rules.append(f"the rounds' pseudo-labels disagreed by less than {stop['disagreement_below']:g}")
    if not rules:
        return "No rule ended the rounds early."
    ended = next((round_ for round_ in results.rounds if round_.verdict.get("stopped")), None)
    came = (
        f"They ended after round {ended.number}: {ended.verdict['stopped']}" if ended else "This did not come to pass"
    )
    return f"The rounds would end early where {' or '.join(rules)}. {came}."
