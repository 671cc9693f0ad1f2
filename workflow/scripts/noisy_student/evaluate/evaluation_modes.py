"""The three ways to judge a label map: the challenge's two, digit for digit, and a corrected one."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mode:
    """What the modes differ in.

    `nsd_zero_below_dsc`: an organ whose DSC is lower gets NSD 0.
    `closed_z_range`: z-limited organs keep the truth's top slice, and z is the axis nearest the patient's long one.
    `missing_scores_zero`: a case without a prediction scores 0; otherwise its scores are empty.
    `digits`: DSC and NSD are rounded to so many; None keeps them whole.
    """

    name: str
    nsd_zero_below_dsc: float = 0.0
    closed_z_range: bool = False
    missing_scores_zero: bool = False
    digits: int | None = 4

    def rounded(self, score: float) -> float:
        """Round as the official tools do, on numpy's floats: 0.00625 gives 0.0062, where Python's own gives 0.0063."""
        return score if self.digits is None else float(np.round(np.float64(score), self.digits))


# Source of the rules: the challenge's evaluation code, FLARE22 (June 2022) and FLARE23 (2024).
MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (
        Mode("flare22"),
        Mode("flare23plus", nsd_zero_below_dsc=0.2),
        Mode("strict", closed_z_range=True, missing_scores_zero=True, digits=None),
    )
}
