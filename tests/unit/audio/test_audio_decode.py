"""Decoding: every format, whole and in blocks, by content."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from serenade.audio.decode import SAMPLE_RATE, AudioSource, decode, decode_blocks, probe
from serenade.errors import AudioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed import WriteableBuffer

LOSSLESS = [
    ("WAV", "PCM_U8", 2**-7),
    ("WAV", "PCM_16", 2**-15),
    ("WAV", "PCM_24", 2**-23),
    ("WAV", "PCM_32", 2**-23),
    ("WAV", "FLOAT", 1e-7),
    ("WAV", "DOUBLE", 1e-7),
    ("WAVEX", "PCM_16", 2**-15),
    ("RF64", "PCM_16", 2**-15),
    ("AIFF", "PCM_16", 2**-15),
    ("FLAC", "PCM_16", 2**-15),
]
LOSSY = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]


def tone(
    seconds: float = 1.0, rate: int = SAMPLE_RATE, hertz: float = 440.0, amplitude: float = 0.5
) -> npt.NDArray[np.float64]:
    time = np.arange(round(seconds * rate)) / rate
    return amplitude * np.sin(2 * np.pi * hertz * time)


def encode(
    samples: npt.NDArray[np.float64],
    rate: int = SAMPLE_RATE,
    container: str = "WAV",
    encoding: str = "PCM_16",
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=encoding)
    return buffer.getvalue()


def wav_bytes(
    payload: bytes,
    *,
    channels: int = 1,
    rate: int = SAMPLE_RATE,
    riff_size: int | None = None,
    data_size: int | None = None,
) -> bytes:
    """A 16-bit wav file with whatever its header is to claim."""
    data_size = len(payload) if data_size is None else data_size
    riff_size = 36 + len(payload) if riff_size is None else riff_size
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    head = b"RIFF" + struct.pack("<I", riff_size) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", data_size) + payload


@pytest.mark.parametrize(("container", "encoding", "tolerance"), LOSSLESS)
def test_lossless_formats_give_the_samples(container: str, encoding: str, tolerance: float) -> None:
    samples = tone()
    waveform = decode(encode(samples, container=container, encoding=encoding))
    assert waveform.sample_rate == SAMPLE_RATE
    assert waveform.samples.dtype == np.float32
    np.testing.assert_allclose(waveform.samples, samples, atol=1.01 * tolerance)


@pytest.mark.parametrize(("container", "encoding"), LOSSY)
def test_lossy_formats_give_the_sound(container: str, encoding: str) -> None:
    samples = tone(2.0)
    decoded = decode(encode(samples, container=container, encoding=encoding)).samples
    assert decoded.size == samples.size
    spectrum = np.abs(np.fft.rfft(decoded * np.hanning(decoded.size)))
    assert np.argmax(spectrum) / 2.0 == 440.0
    assert np.sqrt(np.mean(decoded**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize(
    ("container", "encoding"),
    [("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")],
)
@pytest.mark.parametrize("name", ["voice.wav", "voice.raw", "voice.mp3", "voice"])
def test_the_extension_does_not_matter(
    tmp_path: Path, container: str, encoding: str, name: str
) -> None:
    content = encode(tone(), container=container, encoding=encoding)
    path = tmp_path / name
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path).samples, decode(content).samples)
    assert probe(path).container == container


@pytest.mark.parametrize("as_source", [str, lambda path: path, lambda path: path.read_bytes()])
def test_paths_and_bytes_are_the_same_source(
    tmp_path: Path, as_source: Callable[[Path], AudioSource]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode(tone()))
    assert decode(as_source(path)).samples.size == SAMPLE_RATE


def test_streams_are_sources_seekable_or_not() -> None:
    content = encode(tone())

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = io.BytesIO(content)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: WriteableBuffer) -> int:
            return self.rest.readinto(buffer)

    expected = decode(content).samples
    np.testing.assert_array_equal(decode(io.BytesIO(content)).samples, expected)
    np.testing.assert_array_equal(decode(io.BufferedReader(Pipe())).samples, expected)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_414, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_becomes_16_khz_with_the_same_tone(rate: int) -> None:
    waveform = decode(encode(tone(2.0, rate), rate, encoding="FLOAT"))
    assert waveform.sample_rate == SAMPLE_RATE
    assert abs(waveform.samples.size - 2 * SAMPLE_RATE) <= 1
    middle = slice(SAMPLE_RATE // 2, -SAMPLE_RATE // 2)
    np.testing.assert_allclose(waveform.samples[middle], tone(2.0)[middle], atol=2e-4)


@pytest.mark.parametrize("rate", [4_000, 7_999, 192_001, 384_000])
def test_other_rates_are_refused(rate: int) -> None:
    with pytest.raises(
        AudioError, match=f"sample rate of {rate} Hz; allowed are .* 8000 to 192000"
    ):
        decode(encode(tone(rate=rate), rate))


def test_channels_are_averaged() -> None:
    left, right = tone(hertz=300), tone(hertz=1000)
    stereo = encode(np.stack([left, right], axis=1), encoding="FLOAT")
    np.testing.assert_allclose(decode(stereo).samples, (left + right) / 2, atol=1e-6)


def test_one_channel_can_be_chosen() -> None:
    channels = [tone(hertz=300), tone(hertz=500), tone(hertz=700)]
    content = encode(np.stack(channels, axis=1), encoding="FLOAT")
    for index, channel in enumerate(channels):
        np.testing.assert_allclose(decode(content, channel=index).samples, channel, atol=1e-6)
    with pytest.raises(AudioError, match="has no channel 3; choose one from 0 to 2"):
        decode(content, channel=3)


def test_many_channels_are_averaged() -> None:
    content = encode(np.tile(tone(0.1)[:, None], (1, 32)), encoding="FLOAT")
    np.testing.assert_allclose(decode(content).samples, tone(0.1), atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("block_seconds", [0.01, 0.37, 1.0, 30.0])
def test_blocks_put_together_equal_the_whole(rate: int, block_seconds: float) -> None:
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, round(2.3 * rate)), rate)
    blocks = list(decode_blocks(content, block_seconds=block_seconds))
    whole = decode(content).samples
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), whole)
    sizes = [block.samples.size for block in blocks]
    assert sizes[:-1] == [round(block_seconds * SAMPLE_RATE)] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= round(block_seconds * SAMPLE_RATE)


def test_max_seconds_reads_no_further() -> None:
    content = encode(tone(5.0))
    whole = decode(content).samples
    np.testing.assert_array_equal(decode(content, max_seconds=1.25).samples, whole[:20_000])
    assert decode(content, max_seconds=60.0).samples.size == whole.size


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_lengths_must_be_positive(seconds: float) -> None:
    with pytest.raises(UsageError, match="max_seconds"):
        decode(encode(tone()), max_seconds=seconds)
    with pytest.raises(UsageError, match="block_seconds"):
        next(decode_blocks(encode(tone()), block_seconds=seconds))


def test_probe_tells_the_header() -> None:
    info = probe(encode(np.zeros((24_000, 2)), 48_000, "FLAC", "PCM_24"))
    assert (info.sample_rate, info.channels, info.n_frames) == (48_000, 2, 24_000)
    assert info.duration_seconds == 0.5
    assert (info.container, info.encoding) == ("FLAC", "PCM_24")


def test_all_zeros_decode() -> None:
    assert not decode(encode(np.zeros(1600))).samples.any()


def test_a_wav_from_a_pipe_has_no_length_and_decodes() -> None:
    payload = (tone() * 32767).astype("<i2").tobytes()
    for riff_size, data_size in [(0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF024, 0x7FFFF000)]:
        content = wav_bytes(payload, riff_size=riff_size, data_size=data_size)
        assert decode(content).samples.size == SAMPLE_RATE


def test_a_wav_with_a_miscounted_header_decodes() -> None:
    payload = (tone() * 32767).astype("<i2").tobytes()
    assert decode(wav_bytes(payload, data_size=len(payload) + 44)).samples.size == SAMPLE_RATE
