"""The supervised contrastive loss: points of one class together, and apart from all others."""

import torch
import torch.nn.functional as F
from torch import Tensor


def contrastive(points: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The supervised contrastive loss of points (N, D) of any length: the mean over those that share their label.

    For each, minus the mean over its equals of the log-probability to choose that one among all others, by a softmax
    of cosines over the temperature (Khosla et al. 2020, Equation 2).
    """
    points = F.normalize(points.float(), dim=1)
    itself = torch.eye(len(points), dtype=torch.bool, device=points.device)
    logits = (points @ points.T / temperature).masked_fill(itself, -torch.inf)
    chosen = logits.log_softmax(dim=1).masked_fill(itself, 0.0)
    equal = (labels[:, None] == labels) & ~itself
    count = equal.sum(dim=1)
    return -((chosen * equal).sum(dim=1) / count.clamp(min=1)).sum() / (count > 0).sum().clamp(min=1)
