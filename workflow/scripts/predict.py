"""Label one shard of the scans with a trained model, scoring while labelling.

Used for a round's pseudo-labels and for its validation and test predictions. A case that is whole, and of this
very model, is not done again.
"""

import argparse
import hashlib
import json
from pathlib import Path

import pandas as pd

from noisy_student.command import run
from noisy_student.files import sha256
from noisy_student.learning.device import choose_device
from noisy_student.learning.label_files import LabelFiles
from noisy_student.learning.predictor import Predictor
from noisy_student.learning.scores import SCORES
from noisy_student.parallel import with_progress
from noisy_student.shards import shard_of
from noisy_student.tables import read_table, write_table


def identity(checkpoints: list[Path], step_size: float, mirroring: bool) -> str:
    """What a label map and its scores depend on besides the scan, as a checksum."""
    parts = [*map(sha256, checkpoints), json.dumps([step_size, mirroring, list(SCORES)])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def main() -> None:
    """Read the arguments and label."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="final checkpoints of the model's folds")
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--preprocessed", type=Path, required=True, help="index of the preprocessed scans")
    parser.add_argument("--roles", nargs="+", required=True)
    parser.add_argument("--step-size", type=float, default=0.5)
    parser.add_argument("--mirroring", action="store_true", help="average over mirrored scans, never left-right")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shard", type=int, required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the label maps are made")
    parser.add_argument("--output", type=Path, required=True, help="table of scores per case and organ")
    arguments = parser.parse_args()

    table = read_table(arguments.cases, ["case", "role", "orientation", "sha256"])
    cases = shard_of(table[table.role.isin(arguments.roles)], arguments.shard, arguments.shards)
    scans = read_table(arguments.converted, ["case", "image"]).set_index("case").image
    preprocessed = read_table(arguments.preprocessed, ["case", "preprocessed"]).set_index("case").preprocessed
    model = identity(arguments.checkpoints, arguments.step_size, arguments.mirroring)
    device = choose_device(arguments.device, arguments.threads)
    predictor: Predictor | None = None
    tables = [pd.DataFrame(columns=["case", *SCORES, "model", "scan"])]
    for row in with_progress(cases.itertuples(), len(cases), "labelling"):
        files = LabelFiles(arguments.folder, row.case)
        made_from = f"model {model}, scan {row.sha256}"
        scores = files.read(made_from)
        if scores is None:
            predictor = predictor or Predictor(arguments.checkpoints, arguments.step_size, arguments.mirroring, device)
            labelled = predictor.label(Path(preprocessed[row.case]))
            files.write(labelled, Path(scans[row.case]), row.orientation, made_from)
            scores = labelled.scores
        tables.append(scores.assign(case=row.case, model=model, scan=row.sha256))
    write_table(pd.concat(tables[1:] or tables), arguments.output)


if __name__ == "__main__":
    run(main)
