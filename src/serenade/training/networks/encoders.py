"""Pre-trained encoders of speech, layer by layer, so that padding never changes a result.

The layers themselves are those of `transformers`. What comes before them is written here, because
there the published code lets a clip's result depend on its batch: Whisper pads everything to 30 s,
and the first convolution of wav2vec 2.0 is normalised over the padding as well.

References
----------
Baevski et al., "wav2vec 2.0: a framework for self-supervised learning of speech representations",
NeurIPS 2020. Hsu et al., "HuBERT: self-supervised speech representation learning by masked
prediction of hidden units", 2021. Chen et al., "WavLM: large-scale self-supervised pre-training
for full stack speech processing", 2022. Radford et al., "Robust speech recognition via large-scale
weak supervision", 2022.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from serenade.errors import MissingExtraError, RecipeError
from serenade.training.frontend import LogMel, LogMelConfig
from serenade.training.networks.base import frame_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WAVE_FAMILIES = ("wav2vec2", "hubert", "wavlm")
WHISPER_SAMPLES_PER_FRAME = 320


class Encoder(nn.Module, ABC):
    """A pre-trained encoder that is run one layer at a time.

    Attributes
    ----------
    width : int
        Channels of every layer.
    n_layers : int
        Layers as published; the output of the last of them may be normed once more.
    layers : ModuleList
        Those that are kept, from the first; output 0 is what goes into the first.
    """

    width: int
    n_layers: int
    layers: nn.ModuleList

    def keep_layers(self, n_kept: int) -> None:
        """Drop the upper layers.

        Parameters
        ----------
        n_kept : int
            Layers that stay, from the first.
        """
        self.layers = nn.ModuleList([*self.layers[:n_kept]])

    @abstractmethod
    def settings(self) -> Mapping[str, object]:
        """Name what decides the output beside the weights, in JSON types."""

    @abstractmethod
    def enter(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Turn audio into the input of the first layer.

        Parameters
        ----------
        waveform : Tensor of shape (batch, n_samples)
            Zero-padded audio at 16 kHz.
        lengths : Tensor of shape (batch,), int64
            Samples of each waveform.

        Returns
        -------
        x : Tensor of shape (batch, n_frames, width)
            Input of the first layer.
        n_frames : Tensor of shape (batch,), int64
            Valid frames of each.
        """

    @abstractmethod
    def run(self, x: Tensor, n_frames: Tensor, *, first: int, last: int) -> list[Tensor]:
        """Run some of the layers.

        Parameters
        ----------
        x : Tensor of shape (batch, n_frames, width)
            Output of layer `first`.
        n_frames : Tensor of shape (batch,), int64
            Valid frames of each; the others are not attended to.
        first, last : int
            Layers after the first up to the last are run; layer 0 is what :meth:`enter` gives.

        Returns
        -------
        list of Tensor of shape (batch, n_frames, width)
            Outputs of the layers from `first` to `last`; that of `first` is `x`.
        """


class WaveEncoder(Encoder):
    """wav2vec 2.0, HuBERT or WavLM: convolutions on the waveform, then the layers.

    Parameters
    ----------
    model : Module
        ``Wav2Vec2Model``, ``HubertModel`` or ``WavLMModel``.
    normalise : bool
        Whether the encoder was trained on waveforms of zero mean and unit variance.
    """

    def __init__(self, model: nn.Module, *, normalise: bool) -> None:
        super().__init__()
        config: Any = model.config
        inner: Any = model.encoder
        self.width = config.hidden_size
        self.family = str(config.model_type)
        self.normalise = normalise
        self.kernels = [
            (int(kernel), int(stride))
            for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True)
        ]
        # In this form every layer is normed before, and the last output once more.
        self.norm_last = bool(config.do_stable_layer_norm)
        self.convolutions: Any = model.feature_extractor.conv_layers  # type: ignore[union-attr]
        self.project: Any = model.feature_projection
        self.positions: Any = inner.pos_conv_embed
        self.norm: Any = inner.layer_norm
        self.layers = inner.layers
        self.n_layers = len(self.layers)
        _bake_weight_norm(self.positions.conv)

    def settings(self) -> Mapping[str, object]:
        """See the base class."""
        return {"family": self.family, "normalise": self.normalise}

    def enter(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; 50 frames a second."""
        x = _unit_variance(waveform, lengths) if self.normalise else waveform
        x = x[:, None]
        n_frames = lengths
        for convolution, (kernel, stride) in zip(self.convolutions, self.kernels, strict=True):
            n_frames = torch.div(n_frames - kernel, stride, rounding_mode="floor") + 1
            norm = getattr(convolution, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):
                mask = frame_mask(n_frames, (x.shape[2] - kernel) // stride + 1)
                x = convolution.activation(_normalise_channels(convolution.conv(x), mask, norm))
            else:
                x = convolution(x)
        projected = self.project(x.transpose(1, 2))
        x = projected[0] if isinstance(projected, tuple) else projected
        n_frames = n_frames.clamp(min=1)
        x = x * frame_mask(n_frames, x.shape[1])[:, :, None]
        x = x + self.positions(x)
        return (x if self.norm_last else self.norm(x)), n_frames

    def run(self, x: Tensor, n_frames: Tensor, *, first: int, last: int) -> list[Tensor]:
        """See the base class."""
        mask = frame_mask(n_frames, x.shape[1])
        outputs = [x]
        if self.family == "wavlm":
            bias = self._position_bias(x)
            with warnings.catch_warnings():  # transformers gives torch masks of two types
                warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
                for layer in self.layers[first:last]:
                    x, _ = layer(x, attention_mask=mask.long(), position_bias=bias)
                    outputs.append(x)
        else:
            for layer in self.layers[first:last]:
                x = _tensor(layer(x, attention_mask=mask[:, None, None, :]))
                outputs.append(x)
        if self.norm_last and first < last == self.n_layers:
            outputs[-1] = self.norm(outputs[-1])
        return outputs

    def _position_bias(self, x: Tensor) -> Tensor:
        """Bias of relative positions, which the first layer holds for all of them."""
        batch, n_frames, _ = x.shape
        attention: Any = self.layers[0].attention
        bias: Tensor = attention.compute_bias(n_frames, n_frames)
        return bias.repeat(batch, 1, 1)


class WhisperEncoder(Encoder):
    """The encoder of Whisper, on clips of their own length.

    Parameters
    ----------
    model : Module
        ``transformers`` ``WhisperEncoder``.
    max_seconds : float
        Longest clip [s]; position embeddings beyond it are dropped.

    Raises
    ------
    RecipeError
        If the encoder has no positions for clips of that length.
    """

    def __init__(self, model: nn.Module, *, max_seconds: float) -> None:
        super().__init__()
        config: Any = model.config
        longest = config.max_source_positions * WHISPER_SAMPLES_PER_FRAME / 16_000
        if max_seconds > longest:
            raise RecipeError(
                f"network.max_seconds {max_seconds} is more than the {longest:g} s that this"
                " encoder takes"
            )
        self.width = config.d_model
        self.front_end = LogMel(LogMelConfig(n_mels=config.num_mel_bins, scale="whisper"))
        self.conv1: Any = model.conv1
        self.conv2: Any = model.conv2
        n_positions = round(max_seconds * 16_000) // WHISPER_SAMPLES_PER_FRAME + 1
        positions: Any = model.embed_positions
        self.positions = nn.Parameter(
            positions.weight[:n_positions].detach().clone(), requires_grad=False
        )
        self.layers = model.layers  # type: ignore[assignment]
        self.n_layers = len(self.layers)
        self.norm: Any = model.layer_norm

    def settings(self) -> Mapping[str, object]:
        """See the base class."""
        return {"family": "whisper", "log_mel": asdict(self.front_end.config)}

    def enter(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class; 50 frames a second."""
        mel = self.front_end(waveform, lengths)
        n_mel_frames = self.front_end.n_frames(lengths)
        mel = mel * frame_mask(n_mel_frames, mel.shape[2])[:, None, :]
        x = functional.gelu(self.conv1(mel))
        x = x * frame_mask(n_mel_frames, x.shape[2])[:, None, :]
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        return x + self.positions[: x.shape[1]], (n_mel_frames + 1) // 2

    def run(self, x: Tensor, n_frames: Tensor, *, first: int, last: int) -> list[Tensor]:
        """See the base class."""
        mask = frame_mask(n_frames, x.shape[1])[:, None, None, :]
        outputs = [x]
        for layer in self.layers[first:last]:
            x = _tensor(layer(x, attention_mask=mask))
            outputs.append(x)
        if first < last == self.n_layers:
            outputs[-1] = self.norm(outputs[-1])
        return outputs


def load_encoder(source: str, *, max_seconds: float) -> Encoder:
    """Load a pre-trained encoder through `transformers`.

    Parameters
    ----------
    source : str
        Folder in the layout of `transformers`, or name on the Hugging Face hub. Only weights in
        safetensors are read.
    max_seconds : float
        Longest clip that it must take [s].

    Returns
    -------
    Encoder
        In evaluation mode, 32-bit.

    Raises
    ------
    MissingExtraError
        If `transformers` is not installed.
    RecipeError
        If there is no such encoder, or it is of a family that is not known here.
    """
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise MissingExtraError("backbones", "A pre-trained backbone") from error
    try:
        with _quiet():
            encoder = _open(source, transformers, max_seconds=max_seconds)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"network.initial_weights {source!r} cannot be loaded; give a folder with config.json"
            f" and model.safetensors, or a hub name ({_first_sentence(error)})"
        ) from error
    return encoder.eval()


def _open(source: str, transformers: Any, *, max_seconds: float) -> Encoder:  # noqa: ANN401 - a module
    config = transformers.AutoConfig.from_pretrained(source)
    if config.model_type in WAVE_FAMILIES:
        attention = "eager" if config.model_type == "wavlm" else "sdpa"
        model = _load(transformers.AutoModel, source, attention)
        return WaveEncoder(model, normalise=_wants_unit_variance(source))
    if config.model_type == "whisper":
        return WhisperEncoder(_load_whisper(source, config), max_seconds=max_seconds)
    raise RecipeError(
        f"network.initial_weights {source!r} is a {config.model_type!r} model; known are"
        f" {', '.join(WAVE_FAMILIES)} and whisper"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep `transformers` from drawing a bar over tensors that are loaded in a moment."""
    from transformers.utils import logging as their_logging

    logging: Any = their_logging  # without types
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _load(kind: Any, source: str, attention: str) -> Any:  # noqa: ANN401 - transformers has no types
    """Load a whole model; a tensor that is missing would stay random without a word."""
    model, report = kind.from_pretrained(
        source,
        use_safetensors=True,
        output_loading_info=True,
        dtype=torch.float32,
        attn_implementation=attention,
    )
    # Masked positions in pre-training; not used here, and left out of some checkpoints.
    missing = set(report["missing_keys"]) - {"masked_spec_embed"}
    if missing:
        raise RecipeError(
            f"network.initial_weights {source!r} lacks the tensor {min(missing)!r}; give the"
            " weights of the whole encoder"
        )
    return model


def _load_whisper(source: str, config: Any) -> Any:  # noqa: ANN401 - as above
    """Load the encoder, alone or out of a whole model."""
    from transformers.models.whisper import modeling_whisper as whisper

    if (config.architectures or [""])[0] == "WhisperEncoder":
        return _load(whisper.WhisperEncoder, source, "sdpa")
    return _load(whisper.WhisperModel, source, "sdpa").encoder


def _wants_unit_variance(source: str) -> bool:
    """Read from ``preprocessor_config.json``; as wav2vec 2.0 where there is none."""
    from transformers import Wav2Vec2FeatureExtractor

    try:
        return bool(Wav2Vec2FeatureExtractor.from_pretrained(source).do_normalize)
    except OSError:
        return True


def _first_sentence(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _tensor(output: Any) -> Tensor:  # noqa: ANN401 - a tensor, or a tuple before transformers 5
    tensor: Tensor = output[0] if isinstance(output, tuple) else output
    return tensor


def _bake_weight_norm(convolution: nn.Module) -> None:
    """Keep the product of direction and length alone; the convolution is never trained."""
    if nn.utils.parametrize.is_parametrized(convolution, "weight"):
        nn.utils.parametrize.remove_parametrizations(convolution, "weight")


def _unit_variance(waveform: Tensor, lengths: Tensor) -> Tensor:
    """Zero mean and unit variance over the samples of each clip; zero beyond."""
    mask = frame_mask(lengths, waveform.shape[1])
    count = lengths[:, None].to(waveform.dtype)
    mean = (waveform * mask).sum(1, keepdim=True) / count
    centred = (waveform - mean) * mask
    variance = centred.square().sum(1, keepdim=True) / count
    return centred / torch.sqrt(variance + 1e-7)


def _normalise_channels(x: Tensor, mask: Tensor, norm: nn.GroupNorm) -> Tensor:
    """Group normalisation with one channel a group, over the valid frames of each clip."""
    valid = mask[:, None, :]
    count = valid.sum(2, keepdim=True).clamp(min=1)
    mean = (x * valid).sum(2, keepdim=True) / count
    variance = ((x - mean) * valid).square().sum(2, keepdim=True) / count
    scaled = (x - mean) / torch.sqrt(variance + norm.eps)
    return scaled * norm.weight[:, None] + norm.bias[:, None]
