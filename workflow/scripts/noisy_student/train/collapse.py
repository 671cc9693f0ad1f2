"""Has a student collapsed? Judged on the hand-labelled scans that neither it nor its teacher learned from."""

import pandas as pd

from noisy_student.intervals import mean_interval

# An organ counts as found by a network whose mean DSC is at least the one, as lost by one below the other.
FOUND_DSC, LOST_DSC = 0.2, 0.1


def shortcomings(student: pd.DataFrame, teacher: pd.DataFrame, noise_band: float) -> list[str]:
    """Why a student should not label in its teacher's place; nothing if it may.

    Both tables are `held_out.tsv` of the same folds. An organ counts in the scans that show it; one that is labelled in
    none of them says nothing. A student has lost an organ that its teacher finds (mean DSC at
    least 0.2) if its own mean is below 0.1. It has fallen behind if its mean DSC is lower by more than `noise_band`,
    and the bootstrap interval of the difference over scans (where there are two or more) is below zero.
    """
    both = pd.concat({"student": _by_case(student), "teacher": _by_case(teacher)}, axis=1, join="inner")
    organs = both.mean()
    found = [
        f"{organ}: mean DSC {mean:.2f}, its teacher's {organs['teacher'][organ]:.2f}"
        for organ, mean in organs["student"].items()
        if mean < LOST_DSC and organs["teacher"][organ] >= FOUND_DSC
    ]
    difference = _difference(student, teacher)
    high = mean_interval(difference.to_numpy()[:, None])[1]
    if difference.mean() < -noise_band and not high >= 0:
        found.append(f"mean DSC {-difference.mean():.3f} behind its teacher's, more than the noise of {noise_band:g}")
    return found


def gain(student: pd.DataFrame, teacher: pd.DataFrame) -> float:
    """How much higher the student's mean DSC is, per scan over organs, then over scans."""
    return float(_difference(student, teacher).mean())


def _difference(student: pd.DataFrame, teacher: pd.DataFrame) -> pd.Series:
    """How much higher the student's DSC is in each scan of both, mean over organs."""
    return (_by_case(student) - _by_case(teacher)).mean(axis=1).dropna()


def _by_case(held_out: pd.DataFrame) -> pd.DataFrame:
    """DSC with cases as rows and organs as columns."""
    return held_out.pivot(index="case", columns="organ", values="DSC").astype(float)
