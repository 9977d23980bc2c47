"""Features of a network that learned from ImageNet, for photographs in Inception's place."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ganfp.features.perceptual import BATCH, load_trunk
from ganfp.images import to_float

SIDE = 128  # pixels that smaller images are enlarged to: such networks look for shapes of many pixels


@torch.inference_mode()
def imagenet_features(images: np.ndarray, weights: str | Path, device: str | torch.device = "cpu") -> np.ndarray:
    """Mean over all positions of a trunk's last layer, float32 (N, D), of uint8 images (N, 3, R, R).

    ``weights`` is a file that :func:`ganfp.features.perceptual.load_trunk` reads.
    """
    trunk, parts = load_trunk(weights, device), []
    for start in range(0, len(images), BATCH):
        x = to_float(images[start : start + BATCH], device)
        if x.shape[-1] < SIDE:
            x = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        parts.append(trunk.layers(x)[-1].mean(dim=(2, 3)))
    if not parts:
        raise ValueError("images is empty: there is nothing to look at")
    return torch.cat(parts).float().cpu().numpy()
