from __future__ import annotations

import numpy as np
import pytest

from serenade.audio.codec import CONTAINERS, MEDIA_TYPES, encode
from serenade.audio.decode import decode
from serenade.errors import UsageError
from serenade.types import Waveform


def make_tone(*, seconds: float = 1.0, rate: int = 16_000) -> Waveform:
    time = np.arange(round(seconds * rate)) / rate
    return Waveform((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate)


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_lossless_file_gives_the_samples_back(container: str) -> None:
    tone = make_tone()
    back = decode(encode(tone, container))
    np.testing.assert_allclose(back.samples, tone.samples, atol=1 / 32_000)


@pytest.mark.parametrize(("container", "kbits"), [("mp3", 32.0), ("opus", 24.0)])
def test_lossy_file_sounds_alike(container: str, kbits: float) -> None:
    tone = make_tone()
    back = decode(encode(tone, container, kbits_per_second=kbits))
    spectrum = np.abs(np.fft.rfft(back.samples[2000:14000]))
    peak_hz = spectrum.argmax() * 16_000 / 12_000
    assert peak_hz == pytest.approx(440, abs=3)
    assert back.duration_seconds == pytest.approx(1.0, abs=0.12)
    assert np.abs(back.samples).max() == pytest.approx(0.3, rel=0.15)


@pytest.mark.parametrize(
    ("container", "kbits"), [("mp3", 16.0), ("mp3", 64.0), ("opus", 12.0), ("opus", 32.0)]
)
def test_bit_rate_is_about_what_was_asked_for(container: str, kbits: float) -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=160_000).astype(np.float32)
    content = encode(Waveform(noise, 16_000), container, kbits_per_second=kbits)
    assert len(content) * 8 / 10_000 == pytest.approx(kbits, rel=0.25)


def test_what_lies_beyond_full_scale_is_clipped_not_wrapped() -> None:
    loud = Waveform(np.array([2.0, -2.0, 0.5] * 1000, dtype=np.float32), 16_000)
    back = decode(encode(loud, "wav")).samples
    np.testing.assert_allclose(back[:3], [1.0, -1.0, 0.5], atol=1e-4)


@pytest.mark.parametrize(
    ("container", "kbits", "rate", "message"),
    [
        ("webm", None, 16_000, "unknown container 'webm'; allowed are wav, flac, mp3, opus"),
        ("wav", 32.0, 16_000, "wav has no bit rate"),
        ("mp3", None, 16_000, "needs a bit rate from 8 to 160"),
        ("mp3", 320.0, 16_000, "needs a bit rate from 8 to 160"),
        ("opus", 2.0, 16_000, "needs a bit rate from 6 to 256"),
        ("opus", 16.0, 44_100, "opus cannot hold 44100 Hz"),
        ("mp3", 16.0, 96_000, "mp3 cannot hold 96000 Hz"),
    ],
)
def test_wrong_request_is_one_clear_error(
    container: str, kbits: float | None, rate: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        encode(make_tone(rate=rate), container, kbits_per_second=kbits)


def test_every_format_has_a_media_type() -> None:
    assert set(CONTAINERS) == set(MEDIA_TYPES)
