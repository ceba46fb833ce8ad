"""Original files with the defects that the corpora really have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.audio.condition import condition
from serenade.audio.decode import decode, decode_blocks, probe
from serenade.audio.quality import measure_quality
from serenade.errors import AudioError
from serenade.types import Conditioning

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

# name: container, sample rate, channels
QUIRKS = {
    "03-01-02-01-01-02-01": ("WAV", 48_000, 2),
    "03-01-05-02-01-01-02": ("WAV", 48_000, 1),
    "03a01Fa": ("WAV", 16_000, 1),
    "1001_IEO_ANG_HI": ("WAV", 16_000, 1),
    "1234_kz_acik": ("WAV", 44_100, 1),
    "DC_a01": ("WAV", 44_100, 1),
    "IC0_anger_1": ("WAV", 24_000, 1),
    "OAF_food_fear": ("WAV", 96_000, 1),
    "OA_bite_neutral": ("WAV", 24_414, 1),
    "YAF_germ_angry": ("AIFF", 24_414, 1),
    "YAF_neat_fear": ("AIFF", 24_414, 1),
}


@pytest.mark.parametrize("name", QUIRKS)
def test_every_quirk_decodes_to_usable_speech(shared_data: Path, name: str) -> None:
    path = shared_data / "quirks" / f"{name}.wav"
    info = probe(path)
    assert (info.container, info.sample_rate, info.channels) == QUIRKS[name]
    waveform = decode(path)
    assert waveform.duration_seconds == pytest.approx(info.duration_seconds, abs=1e-4)
    blocks = [block.samples for block in decode_blocks(path, block_seconds=0.5)]
    np.testing.assert_array_equal(np.concatenate(blocks), waveform.samples)
    quality = measure_quality(waveform)
    assert quality.speech_share > 0.3
    assert quality.snr_db > 15
    assert condition(waveform, Conditioning()).duration_seconds > 0.5


def test_the_silent_clip_decodes_and_is_refused_by_conditioning(shared_data: Path) -> None:
    waveform = decode(shared_data / "quirks" / "1076_MTI_SAD_XX.wav")
    assert measure_quality(waveform).level_dbfs == -math.inf
    with pytest.raises(AudioError, match="holds only silence"):
        condition(waveform, Conditioning())
