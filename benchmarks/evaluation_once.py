"""One measurement of the evaluation: evaluation_once.py ours|plain TRUTH PREDICTION. Prints JSON."""

import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
KIB_PER_GB = 1e9 / 1024


def ours(truth: Path, prediction: Path) -> list[tuple[float, float]]:
    """(DSC, NSD) of the 13 organs by the product."""
    return [(row.DSC, row.NSD) for row in score_case("case", truth, prediction, MODES["flare22"]).rows]


def plain(truth: Path, prediction: Path) -> list[tuple[float, float]]:
    """(DSC, NSD) of the 13 organs by the official formulas on whole volumes."""
    image = sitk.ReadImage(str(truth))
    maps = sitk.GetArrayFromImage(image).T, sitk.GetArrayFromImage(sitk.ReadImage(str(prediction))).T
    scores = plain_scores(*maps, image.GetSpacing())
    return [(float(round(dsc, 4)), float(round(nsd, 4))) for dsc, nsd in scores]


if __name__ == "__main__":
    way, *paths = sys.argv[1:]
    if way == "ours":
        sys.path.insert(0, str(ROOT / "workflow/scripts"))
        from noisy_student.evaluate.case_scores import score_case
        from noisy_student.evaluate.evaluation_modes import MODES
    else:
        sys.path.insert(0, str(ROOT / "tests"))
        import SimpleITK as sitk

        from plain_evaluation import plain_scores
    start, cpu_start = time.perf_counter(), time.process_time()
    scores = {"ours": ours, "plain": plain}[way](*map(Path, paths))
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "peak_gb": peak_gb, "scores": scores}))
