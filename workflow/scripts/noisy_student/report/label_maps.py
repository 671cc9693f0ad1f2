"""Where the label maps of each scan lie: its truth, and what every round made of it."""

from pathlib import Path

import pandas as pd

from noisy_student.report.results import Results, Round

TRUTH = "truth"


def label_maps(results: Results) -> dict[str, dict[str, Path]]:
    """Case → title → path of every scan of the case table: the truth first, where it is known, then round by round."""
    known = results.cases["truth"].where(results.cases["truth"].notna(), results.cases["label_map"])
    found = {
        case: {TRUTH: Path(path)} if pd.notna(path) else {}
        for case, path in zip(results.cases["case"], known, strict=True)
    }
    for round_ in results.chain:
        for what, paths in _made(round_).items():
            for case, path in paths.items():
                if case in found:
                    found[case][_title(what, round_)] = path
    return found


def is_of(title: str, round_: Round) -> bool:
    """Whether a title is that of a label map of the round."""
    return title.endswith(_title("", round_))


def _title(what: str, round_: Round) -> str:
    return f"{what}, {round_.name.removesuffix(' (teacher)')}"


def _made(round_: Round) -> dict[str, dict[str, Path]]:
    """What → case → path; of a labelled scan that of the fold that held it out, and what it was filled from."""
    held_out = round_.held_out.drop_duplicates("case")
    return {
        "held out": {
            case: round_.folder / f"model/fold_{fold}/held_out/{case}.nii.gz"
            for case, fold in zip(held_out["case"], held_out["fold"], strict=True)
        },
        "pseudo-label": _in_folder(round_.folder / "pseudo_labels", round_.pseudo_label_scores),
        "prediction": _in_folder(round_.folder / "predictions", round_.scores),
    }


def _in_folder(folder: Path, table: pd.DataFrame) -> dict[str, Path]:
    return {case: folder / f"{case}.nii.gz" for case in table["case"].unique()}
