"""Pre-trained encoders with random weights, small enough to be made in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers

if TYPE_CHECKING:
    from pathlib import Path

WAVE: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8, 8, 8, 8, 8, 8),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
STABLE: dict[str, Any] = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
"""What the large models have in common."""

ENCODERS: dict[str, tuple[str, dict[str, Any]]] = {
    "wav2vec2-base": ("Wav2Vec2", WAVE),
    "wav2vec2-large": ("Wav2Vec2", WAVE | STABLE),
    "hubert-base": ("Hubert", WAVE),
    "hubert-large": ("Hubert", WAVE | STABLE),
    "wavlm-base": ("WavLM", WAVE),
    "wavlm-large": ("WavLM", WAVE | STABLE),
    "whisper": (
        "Whisper",
        {
            "d_model": 24,
            "encoder_layers": 3,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "vocab_size": 8,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
    ),
}
"""Class prefix in `transformers` and configuration, by the published model that it is like."""


def write_encoder(name: str, folder: Path) -> Path:
    """Save one of the encoders in the layout of the hub."""
    prefix, options = ENCODERS[name]
    torch.manual_seed(1)
    config = getattr(transformers, f"{prefix}Config")(**options)
    model = getattr(transformers, f"{prefix}Model")(config)
    with torch.no_grad():
        for parameter in model.parameters():  # as far from zero as trained weights are
            if parameter.ndim > 1:
                parameter.mul_(3.0)
    model.save_pretrained(folder)
    return folder
