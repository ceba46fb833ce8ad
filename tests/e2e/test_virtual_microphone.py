"""``serenade listen`` at a virtual device of the real sound system (ALSA), where there is one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

SYSTEM_CONFIGURATION = Path("/usr/share/alsa/alsa.conf")

CONFIGURATION = """
<{system}>
pcm.tape {{
  type file
  slave.pcm {{ type null }}
  file /dev/null
  infile {tape}
  format raw
}}
pcm.serenade_tape {{
  type plug
  slave {{ pcm tape  rate 16000  channels 1  format S16_LE }}
  hint {{ show on description "A tape for tests" }}
}}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A sound system whose device plays bursts of an angry tone, faster than real time."""
    if not SYSTEM_CONFIGURATION.exists():
        pytest.skip(f"needs ALSA: {SYSTEM_CONFIGURATION} is absent (apt install libasound2-data)")
    try:
        import sounddevice  # noqa: F401 - asked for only
    except (ImportError, OSError):
        pytest.skip("needs sounddevice and PortAudio (apt install libportaudio2)")
    burst = np.concatenate([np.zeros(12000, np.float32), tone(TONES_HZ["anger"], seconds=1.5)])
    tape = tmp_path / "tape.raw"
    np.rint(np.tile(burst, 60) * 32767).astype("<i2").tofile(tape)
    configuration = tmp_path / "asound.conf"
    configuration.write_text(CONFIGURATION.format(system=SYSTEM_CONFIGURATION, tape=tape))
    return os.environ | {"ALSA_CONFIG_PATH": str(configuration)}


def test_virtual_device_is_heard_and_recorded(
    environment: dict[str, str], tiny_bundle: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "serenade", "listen", "--device", "serenade_tape"]
    options = ["--seconds", "8", "--model", str(tiny_bundle), "--save", str(tmp_path / "saved")]
    done = subprocess.run(
        [*command, *options],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "anger" in done.stdout
    [wav] = (tmp_path / "saved").glob("*.wav")
    samples, rate = soundfile.read(wav)
    assert (rate, samples.size) == (16000, 8 * 16000)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.01)
    assert json.loads(wav.with_suffix(".json").read_text())["duration_s"] == 8.0


def test_sigterm_saves_the_timeline(
    environment: dict[str, str], tiny_bundle: Path, tmp_path: Path
) -> None:
    process = _listen(environment, tiny_bundle, tmp_path)
    for _ in range(600):
        if any(wav.stat().st_size > 32000 for wav in tmp_path.glob("saved/*.wav")):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 0, messages
    _assert_saved(tmp_path / "saved")


def test_reader_that_goes_away_leaves_the_timeline(
    environment: dict[str, str], tiny_bundle: Path, tmp_path: Path
) -> None:
    process = _listen(environment, tiny_bundle, tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    process.communicate(timeout=60)
    _assert_saved(tmp_path / "saved")


def _listen(environment: dict[str, str], model: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "serenade", "listen", "--device", "serenade_tape"]
    options = ["--format", "jsonl", "--model", str(model), "--save", str(folder / "saved")]
    return subprocess.Popen(
        [*command, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _assert_saved(folder: Path) -> None:
    [wav] = folder.glob("*.wav")
    timeline = json.loads(wav.with_suffix(".json").read_text())
    assert timeline["duration_s"] == pytest.approx(soundfile.info(wav).duration, abs=1e-6)
