"""LSTM layers that honour the lengths of the clips of a batch, and export to ONNX.

``pack_padded_sequence`` does not export. A forward LSTM does not need it: what comes after the end
of a clip cannot change what came before. A backward LSTM is a forward one over the clip turned
round within its own length.

In an export each layer is written as ONNX's own operator. The exporter would come to the same, but
only after following every step of the clip that it is shown, which takes half a minute a layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Lstm(nn.Module):
    """Layers of long short-term memory, forwards or in both directions.

    Parameters
    ----------
    n_in : int
        Features of a step.
    width : int
        Units of each layer and direction.
    depth : int
        Layers.
    dropout : float
        Between layers, in [0, 1).
    both : bool
        Whether each layer also runs backwards.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997.
    Schuster and Paliwal, "Bidirectional recurrent neural networks", IEEE Trans. Signal Process.
    45(11), 1997.
    """

    def __init__(self, n_in: int, *, width: int, depth: int, dropout: float, both: bool) -> None:
        super().__init__()
        self.n_out = 2 * width if both else width
        sizes = [n_in, *[self.n_out] * (depth - 1)]
        self.forwards = nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(
            nn.LSTM(size, width, batch_first=True) for size in (sizes if both else [])
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, n_steps: Tensor) -> tuple[Tensor, Tensor]:
        """Run all layers.

        Parameters
        ----------
        x : Tensor of shape (batch, n_steps, n_in)
            Sequences.
        n_steps : Tensor of shape (batch,), int64
            Valid steps of each.

        Returns
        -------
        outputs : Tensor of shape (batch, n_steps, n_out)
            Of the last layer at every step; meaningless beyond the valid steps.
        last : Tensor of shape (batch, n_out)
            Of the last layer when it has heard all of the clip: each direction at its own end.
        """
        ends = (n_steps - 1)[:, None]
        order = (ends - torch.arange(x.shape[1], device=x.device)[None, :]).clamp(min=0)
        last = x[:, 0]
        for number, layer in enumerate(self.forwards):
            if number > 0:
                x = self.dropout(x)
            ahead = _run(layer, x)
            last = _steps(ahead, ends)[:, 0]
            if len(self.backwards) > 0:
                turned = _run(self.backwards[number], _steps(x, order))
                last = torch.cat([last, _steps(turned, ends)[:, 0]], dim=1)
                ahead = torch.cat([ahead, _steps(turned, order)], dim=2)
            x = ahead
        return x, last


def _run(layer: nn.Module, x: Tensor) -> Tensor:
    """Give the outputs of one LSTM layer at every step: (batch, n_steps, width)."""
    if not torch.onnx.is_in_onnx_export():
        outputs: Tensor = layer(x)[0]
        return outputs
    gates = {name: _onnx_gates(values) for name, values in layer.named_parameters()}
    bias = torch.cat([gates["bias_ih_l0"], gates["bias_hh_l0"]])
    weights = (gates["weight_ih_l0"], gates["weight_hh_l0"], bias)
    width = weights[1].shape[1]
    # With an axis for the direction in the weights and, as the second, in the outputs.
    written = torch.onnx.ops.symbolic(
        "::LSTM",
        (x.transpose(0, 1), *(values[None] for values in weights)),
        {"hidden_size": width},
        dtype=x.dtype,
        shape=(x.shape[1], 1, x.shape[0], width),
    )
    return written[:, 0].transpose(0, 1)


def _onnx_gates(values: Tensor) -> Tensor:
    """Put the gates into the order of ONNX: input, output, forget, cell."""
    width = values.shape[0] // 4  # torch has input, forget, cell, output
    return torch.cat([values[:width], values[3 * width :], values[width : 3 * width]])


def _steps(x: Tensor, order: Tensor) -> Tensor:
    """Pick steps of every clip by their numbers: (batch, n_picked, n_features)."""
    return x.gather(1, order[:, :, None].expand(-1, -1, x.shape[2]))
