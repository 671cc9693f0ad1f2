"""How label maps were judged, and what labelling costs."""

from noisy_student.evaluate.evaluation_modes import MODES, Mode
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.intervals import RESAMPLES
from noisy_student.report.efficiency_table import measured_on
from noisy_student.report.labelled_organs import sentence
from noisy_student.report.numbers import and_, count
from noisy_student.report.pseudo_label_calibration import BIN_PERCENT, OF_A_VOTE, is_vote
from noisy_student.report.results import Results


def evaluation(results: Results) -> str:
    """Measures, rules and tolerances, intervals and tests."""
    own = results.run["configuration"]["evaluation"]
    return " ".join(
        filter(
            None,
            [
                "Segmentations were judged by the Dice similarity coefficient (DSC) and the normalised surface Dice "
                f"(NSD) [4] under the rules “{own['mode']}”: {_rules(MODES[own['mode']])}.",
                f"Tolerances of the NSD: {_tolerances(results)}.{_limited(results)}",
                "A mean over organs is taken for each organ over scans, then over organs, with a percentile bootstrap "
                f"95 % interval over scans ({RESAMPLES} resamples). {_compared(results)}",
                _apart(results, own["pool_sets"]),
                sentence(results),
                calibration(results),
            ],
        )
    )


def _compared(results: Results) -> str:
    """Which rounds were compared and how; what has too few scans for it."""
    pairs = ["each with the one before and with round 0"] if len(results.rounds) > 1 else []
    pairs += ["the student that was made to be deployed with the round that taught it"] if results.deployed else []
    if not pairs:
        return f"With fewer than {FEWEST_CASES} scans there is no interval."
    return (
        f"Rounds were compared scan by scan, {and_(pairs)}, by the two-sided Wilcoxon signed-rank test: one test of "
        "the scans’ means over organs, not corrected for the number of rounds, measures and sets, and one for each "
        f"organ, Holm-corrected over the organs. With fewer than {FEWEST_CASES} scans there is neither an interval nor "
        "a p-value."
    )


def calibration(results: Results) -> str:
    """What was measured of the teachers' probabilities, where the truth of unlabelled scans is known."""
    if not any(len(round_.pseudo_label_calibration) for round_ in results.rounds):
        return ""
    voted = f" {OF_A_VOTE}" if any(is_vote(results, round_) for round_ in results.rounds if round_.number) else ""
    return (
        "Calibration of the teachers’ probabilities was measured voxel by voxel on the unlabelled scans whose truth is "
        "known, on the grid of the student’s network, as expected calibration error (Guo et al., On calibration of "
        f"modern neural networks, ICML 2017) over {100 // BIN_PERCENT} bins: the probability of the most probable "
        "class of the mean logits (in whole per cent, rounded down) against the share of voxels whose label is right, "
        "apart for voxels labelled as an organ and as background; voxels on which folds or mirrored copies differ were "
        f"counted apart.{voted}"
    )


def _rules(mode: Mode) -> str:
    empty = "an organ that neither truth nor prediction has scores 1, one that only one of both has 0"
    low = f"NSD is 0 where DSC is below {mode.nsd_zero_below_dsc:g}" if mode.nsd_zero_below_dsc else ""
    slices = "z-limited organs keep the truth’s top slice" if mode.closed_z_range else (
        "z-limited organs are judged without the truth’s top slice, as in the challenge’s code"
    )  # fmt: skip
    missing = "a scan without a prediction scores 0" if mode.missing_scores_zero else ""
    digits = f"scores are rounded to {mode.digits} digits" if mode.digits else "scores are not rounded"
    return "; ".join(filter(None, [empty, low, slices, missing, digits]))


def _tolerances(results: Results) -> str:
    by_mm: dict[float, list[str]] = {}
    for organ in results.organs:
        by_mm.setdefault(organ.tolerance_mm, []).append(organ.name)
    return "; ".join(f"{mm:g} mm for {and_(names)}" for mm, names in sorted(by_mm.items()))


def _limited(results: Results) -> str:
    names = [organ.name for organ in results.organs if organ.z_limited]
    return f" Judged within the slices of the truth alone (z-limited): {and_(names)}." if names else ""


def _apart(results: Results, pool_sets: bool) -> str:
    pooled = ", and the sets of a role pooled" if pool_sets else ""
    if any(judged.name for judged in results.sets):
        return f"Each set of scans was judged on its own{pooled}."
    return f"Several sets of a role would have been judged each on its own{pooled}." if pool_sets else ""


def efficiency(results: Results) -> str:
    """On how many scans what was measured; before any was, on how many it is to be."""
    measured = max((len(round_.efficiency) for round_ in results.chain), default=0)
    scans = measured or results.run["configuration"]["efficiency"]["scans"]
    return (
        "Running time, memory and CPU use were measured as in the challenge, each scan in a fresh process, in a job of "
        f"its own{_on_machines(results)}, once for each round on the first {count(scans, 'test scan')} "
        "(validation scans where there is no test scan)."
    )


def _on_machines(results: Results) -> str:
    names = measured_on(results.chain)
    return f" on {and_(names)}" if names else ""
