"""What the benchmark of the report calls: it is run seldom, and what it measures changes."""

from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import SimpleITK as sitk

from conftest import ROOT


def test_it_makes_the_volumes_of_a_scan(tmp_path):
    # Beside it the workflow has a script of the same name.
    spec = spec_from_file_location("report_benchmark", ROOT / "benchmarks/report.py")
    benchmark = module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    labels = np.zeros((6, 16, 16), np.uint8)
    labels[2:4, 4:12, 4:12] = 1
    for name, voxels in (("scan", labels.astype(np.int16) * 100), ("truth", labels)):
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(tmp_path / f"{name}.nii.gz"))
    wall_s, cpu_s, what = benchmark.volumes(tmp_path, 2100)
    assert wall_s > 0 and cpu_s > 0 and what.endswith("in steps of 1.0 × 1.0 × 1.0 mm")
