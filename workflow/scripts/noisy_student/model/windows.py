"""nnU-Net's Gaussian sliding window over one scan: the blended logits of one network.

Positions, weights and arithmetic are nnU-Net's, and so are the logits, with torch on a CPU bit for bit. Images are
(channel, z, y, x), logits (class, z, y, x).
"""

from collections.abc import Sequence

import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window

from noisy_student.model.backend import Network

# Of background that no window covers, beside 0 for the others: a softmax of 1, also as the sum of many passes.
CERTAIN = 50
# The weights' largest value: lower ones would lose digits in half precision.
WEIGHT_SCALE = 10


class Windows:
    """The windows of one scan, over which any number of networks are run."""

    def __init__(
        self,
        image: torch.Tensor,
        patch_size_zyx: Sequence[int],
        step_size: float,
        classes: int,
        device: torch.device,
        body: torch.Tensor | None = None,
    ) -> None:
        """`image` (channel, z, y, x) is padded to at least one patch; logits are blended where it lies.

        With a mask `body` (z, y, x) windows without a voxel of it are left out: what no window covers is background.
        """
        self.image, self.inside = pad_nd_image(image, patch_size_zyx, "constant", {"value": 0}, True, None)
        self.classes, self.device = classes, device
        starts = compute_steps_for_sliding_window(self.image.shape[1:], patch_size_zyx, step_size)
        self.places = [
            tuple(slice(start, start + size) for start, size in zip((z, y, x), patch_size_zyx, strict=True))
            for z in starts[0]
            for y in starts[1]
            for x in starts[2]
        ]
        if body is not None:
            body, _ = pad_nd_image(body, patch_size_zyx, "constant", {"value": 0}, True, None)
            self.places = [place for place in self.places if body[place].any()]
        self.weights = compute_gaussian(
            tuple(patch_size_zyx), value_scaling_factor=WEIGHT_SCALE, device=self.image.device
        )
        self.weight_sums = torch.zeros(self.image.shape[1:], dtype=torch.half, device=self.image.device)
        for place in self.places:
            self.weight_sums[place] += self.weights
        self.uncovered = self.weight_sums == 0 if body is not None else None

    def of_most_contrast(self, count: int) -> list[torch.Tensor]:
        """The windows (1, channel, z, y, x) in which intensities vary most, at most so many."""
        return sorted(map(self._at, self.places), key=lambda window: float(window.std()))[-count:]

    def _at(self, place: tuple[slice, ...]) -> torch.Tensor:
        return self.image[(slice(None), *place)][None].to(self.device, non_blocking=True)

    @torch.inference_mode()
    def logits(self, network: Network, mirrored_axes: tuple[int, ...] = ()) -> torch.Tensor:
        """Blended logits in half precision, of each window mirrored along spatial axes (0: z) and mirrored back."""
        blended = torch.zeros((self.classes, *self.weight_sums.shape), dtype=torch.half, device=self.image.device)
        axes = [axis + 2 for axis in mirrored_axes]
        # A flip copies, along no axis too.
        windows = (torch.flip(self._at(place), axes) if axes else self._at(place) for place in self.places)
        for place, predicted in zip(self.places, network(windows), strict=True):
            predicted = (torch.flip(predicted, axes) if axes else predicted)[0].to(blended.device)
            # Class by class, so that what is in between stays in a processor's cache.
            for logits, added in zip(blended, predicted, strict=True):
                logits[place] += added * self.weights
        blended /= self.weight_sums
        if self.uncovered is not None:
            blended[:, self.uncovered] = background(self.classes, blended)[:, None]
        # Class by class: the mask of all at once would take half as much memory again.
        if any(map(self._overflows, blended)):
            raise OverflowError("the network's logits are beyond the range of half precision")
        return blended[(slice(None), *self.inside[1:])]

    def _overflows(self, logits: torch.Tensor) -> bool:
        """Whether a class's logits are infinite, or no numbers in some windows: in all, the network has diverged."""
        if torch.isfinite(logits).all():
            return False
        looked_at = logits.numel() if self.uncovered is None else logits.numel() - int(self.uncovered.sum())
        return bool(torch.isinf(logits).any()) or int(torch.isnan(logits).sum()) < looked_at


def background(classes: int, like: torch.Tensor) -> torch.Tensor:
    """Logits (class) of a voxel at which no network has looked: background for certain."""
    logits = torch.zeros(classes, dtype=like.dtype, device=like.device)
    logits[0] = CERTAIN
    return logits
