"""Recording to a wav file while sound comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.audio.recorder import WavRecorder
from serenade.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_file_is_whole_after_every_block(tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "a.wav", sample_rate=44100)
    recorder.write(np.full(100, 0.25, np.float32))
    samples, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 44100
    np.testing.assert_allclose(samples, 0.25, atol=1e-4)
    recorder.write(np.full(50, 3.0, np.float32))
    recorder.close()
    assert soundfile.read(tmp_path / "a.wav")[0][100:].max() == pytest.approx(1.0, abs=1e-4)


def test_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("precious")
    with pytest.raises(UsageError, match="cannot be written"):
        WavRecorder(tmp_path / "a.wav", sample_rate=16000)
    assert (tmp_path / "a.wav").read_text() == "precious"
