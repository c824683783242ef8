"""Muon for the matrices inside the layers, Adam for embeddings and gains."""

from __future__ import annotations

from collections import defaultdict

import torch
import torch.distributed as distributed
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
    return x.mT if tall else x


class Optimiser:
    """One step for the whole model; rates fall with the given factor. Workers share the work on the matrices."""

    def __init__(self, model: Model) -> None:
        self.matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and not name.startswith("embedding")]
        inside = {id(p) for p in self.matrices}
        others = [p for p in model.parameters() if id(p) not in inside]
        self.adam = torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        rank, workers = (
            (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
        )
        by_shape: dict[torch.Size, list[int]] = defaultdict(list)
        for index, matrix in enumerate(self.matrices):
            by_shape[matrix.shape].append(index)
        # Dealt out one after another over all shapes, so that no worker has more than one matrix too many.
        mine = set([index for indices in by_shape.values() for index in indices][rank::workers])
        self.groups = {shape: [index for index in indices if index in mine] for shape, indices in by_shape.items()}
        self.workers = workers
        self.flat = torch.zeros(sum(matrix.numel() for matrix in self.matrices), dtype=torch.bfloat16)
        sizes = [matrix.numel() for matrix in self.matrices]
        self.updates = [
            part.view_as(matrix) for part, matrix in zip(self.flat.split(sizes), self.matrices, strict=True)
        ]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Applies the gradients and clears them; factor scales both learning rates."""
        for group in self.adam.param_groups:
            group["lr"] = OTHER_RATE * factor
        self.adam.step()
        self.adam.zero_grad()
        directions = []
        for matrix, momentum in zip(self.matrices, self.momenta, strict=True):
            assert matrix.grad is not None
            momentum.lerp_(matrix.grad, 1 - MOMENTUM)
            directions.append(matrix.grad.lerp_(momentum, MOMENTUM))
            matrix.grad = None
        self.flat.zero_()
        for indices in self.groups.values():
            if indices:
                for index, update in zip(
                    indices, _orthogonal(torch.stack([directions[i] for i in indices])), strict=True
                ):
                    self.updates[index].copy_(update)
        if self.workers > 1:
            distributed.all_reduce(self.flat)  # each matrix comes from one worker; the others add zeros
        rate = MATRIX_RATE * factor
        for matrix, update in zip(self.matrices, self.updates, strict=True):
            scale = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
            matrix.mul_(1 - rate * WEIGHT_DECAY).add_(update, alpha=-rate * scale)
