"""Nothing but the network's forward passes in torch over preprocessed scans: forward_alone.py CHECKPOINT THREADS CASE…

Prints their number, and wall and CPU seconds without start-up and reading, as JSON.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow/scripts"))

import torch

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.model.device import choose_device
from noisy_student.model.model_folder import read_model
from noisy_student.model.predictor import Predictor
from noisy_student.model.windows import Windows
from noisy_student.plan.preprocessing import ARRAY, read_array, with_suffix


@torch.inference_mode()
def main() -> None:
    """Run the network on every window of every case."""
    checkpoint, threads, *cases = sys.argv[1:]
    device = choose_device("cpu", int(threads))
    predictor = Predictor(read_model([Path(checkpoint)]), Prediction(backend="torch"), device)
    passes, wall_s, cpu_s = 0, 0.0, 0.0
    for case in cases:
        image = torch.from_numpy(read_array(with_suffix(Path(case), ARRAY)))
        windows = Windows(image, predictor.plan.configuration.patch_size, 0.5, predictor.plan.classes, device)
        network = predictor.networks(windows)[0]
        start, cpu_start = time.perf_counter(), time.process_time()
        for _ in network(windows.image[(slice(None), *place)][None] for place in windows.places):
            pass
        wall_s, cpu_s = wall_s + time.perf_counter() - start, cpu_s + time.process_time() - cpu_start
        passes += len(windows.places)
    print(json.dumps({"passes": passes, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main()
