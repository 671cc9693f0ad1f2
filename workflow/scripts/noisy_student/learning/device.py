"""Where a network runs."""

import torch

from noisy_student.errors import InputError


def choose_device(wish: str, threads: int) -> torch.device:
    """The configured device (`auto`: a GPU if there is one), with `threads` CPU threads."""
    torch.set_num_threads(threads)
    if wish == "cuda" and not torch.cuda.is_available():
        raise InputError("a CUDA GPU (`device: cuda`)", "none visible to torch", "set `device: auto`, or free the GPU")
    return torch.device("cuda" if torch.cuda.is_available() and wish != "cpu" else "cpu")
