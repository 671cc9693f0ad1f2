"""The modules that the workflow's scripts share.

Numerical libraries read these settings once, when they are loaded; every script imports this package first.
"""

import os

__version__ = "0.1.0"

# Waiting threads must sleep: on busy cores, spinning ones cost a multiple of the work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# nnU-Net's own worker processes: scripts bring their own parallelism, so one is enough.
os.environ.setdefault("nnUNet_def_n_proc", "1")
os.environ.setdefault("MPLBACKEND", "agg")
