"""OpenVINO without its reports. The only place that imports it.

As soon as it is imported it reports its use to its makers over the internet, unless the module that does so cannot be
imported.
"""

import sys

sys.modules["openvino_telemetry"] = None

import openvino  # noqa: E402
import openvino.opset13  # noqa: E402

__all__ = ["openvino"]
