"""Muon for the matrices inside the layers, Adam for embeddings and gains."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from .model import Model

MATRIX_RATE, OTHER_RATE = 0.02, 0.006
MOMENTUM, WEIGHT_DECAY, NEWTON_STEPS = 0.95, 0.02, 5


def _orthogonal(gradients: Tensor) -> Tensor:
    """The nearest orthogonal matrices, by Newton-Schulz steps; gradients: (matrices, rows, columns)."""
    x = gradients.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(NEWTON_STEPS):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).float()


class Optimiser:
    """One step for the whole model; rates fall with the given factor."""

    def __init__(self, model: Model) -> None:
        self.matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and not name.startswith("embedding")]
        inside = {id(p) for p in self.matrices}
        others = [p for p in model.parameters() if id(p) not in inside]
        self.adam = torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.groups: dict[torch.Size, list[int]] = defaultdict(list)
        for index, matrix in enumerate(self.matrices):
            self.groups[matrix.shape].append(index)

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Applies the gradients and clears them; factor scales both learning rates."""
        for group in self.adam.param_groups:
            group["lr"] = OTHER_RATE * factor
        self.adam.step()
        self.adam.zero_grad()
        for shape, indices in self.groups.items():
            updates = []
            for index in indices:
                gradient = self.matrices[index].grad
                assert gradient is not None
                self.momenta[index].lerp_(gradient, 1 - MOMENTUM)
                updates.append(gradient.lerp(self.momenta[index], MOMENTUM))
            scale = max(1.0, shape[0] / shape[1]) ** 0.5
            rate = MATRIX_RATE * factor
            for index, update in zip(indices, _orthogonal(torch.stack(updates)) * scale, strict=True):
                self.matrices[index].mul_(1 - rate * WEIGHT_DECAY).add_(update, alpha=-rate)
                self.matrices[index].grad = None
