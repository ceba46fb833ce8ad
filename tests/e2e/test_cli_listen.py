"""``serenade listen`` with a made-up microphone."""

from __future__ import annotations

import io
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tone

from serenade.audio import capture
from serenade.audio.capture import Device
from serenade.cli import voice
from serenade.errors import AudioError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from serenade.types import FloatArray

    Serenade = Callable[..., Any]

RATE = 16000
HEADSET = Device(3, "USB Headset", channels=1, sample_rate=RATE, is_default=True)


def speech() -> FloatArray:
    """A second of quiet, two seconds of sadness, a second of quiet, two seconds of anger."""
    noise = np.random.default_rng(2).normal(0, 1e-3, 7 * RATE).astype(np.float32)
    noise[RATE : 3 * RATE] += tone(TONES_HZ["sadness"], seconds=2.0)
    noise[4 * RATE : 6 * RATE] += tone(TONES_HZ["anger"], seconds=2.0)
    return noise


class FakeMicrophone:
    """Plays the speech; then is unplugged, interrupted by Ctrl-C, or closed."""

    ending: Exception | KeyboardInterrupt | signal.Signals | None = None
    n_closed = 0
    n_gaps = 0

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.sample_rate = device.sample_rate

    def blocks(self) -> Iterator[FloatArray]:
        yield from np.split(speech(), range(1600, 7 * RATE, 1600))
        if isinstance(self.ending, signal.Signals):
            signal.raise_signal(self.ending)
        elif self.ending is not None:
            raise self.ending

    def close(self) -> None:
        type(self).n_closed += 1


@pytest.fixture(autouse=True)
def microphone(monkeypatch: pytest.MonkeyPatch) -> type[FakeMicrophone]:
    monkeypatch.setattr(capture, "list_devices", lambda: [HEADSET])
    monkeypatch.setattr(capture, "Microphone", FakeMicrophone)
    monkeypatch.setattr(FakeMicrophone, "ending", None)
    monkeypatch.setattr(FakeMicrophone, "n_closed", 0)
    return FakeMicrophone


def test_devices_are_listed(serenade: Serenade) -> None:
    result = serenade("listen", "--list-devices")
    assert result.code == 0
    assert result.out.split() == ["*", "3", "16000", "Hz", "USB", "Headset"]


def test_segments_scroll_by(serenade: Serenade, tiny_bundle: Path) -> None:
    result = serenade("listen", "--model", tiny_bundle)
    assert result.code == 0
    lines = result.out.splitlines()
    assert ["sadness" in line for line in lines] == [False, True, False, False, False]
    assert "anger" in lines[3]
    assert "\x1b" not in result.out


def test_jsonl_tells_every_event(serenade: Serenade, tiny_bundle: Path) -> None:
    result = serenade("listen", "--model", tiny_bundle, "--format", "jsonl")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert {event["event"] for event in events} == {"reading", "hop", "opened", "closed"}
    closed = [event.get("emotion") for event in events if event["event"] == "closed"]
    assert closed == [None, "sadness", None, "anger", None]


def test_seconds_end_the_session_to_the_sample(
    serenade: Serenade, tiny_bundle: Path, tmp_path: Path
) -> None:
    result = serenade("listen", "--model", tiny_bundle, "--seconds", 2.55, "--save", tmp_path)
    assert result.code == 0
    [wav] = tmp_path.glob("*.wav")
    assert soundfile.info(wav).frames == round(2.55 * RATE)


def test_recording_and_timeline_are_saved(
    serenade: Serenade, tiny_bundle: Path, tmp_path: Path
) -> None:
    result = serenade("listen", "--model", tiny_bundle, "--save", tmp_path / "new")
    [wav] = (tmp_path / "new").glob("*.wav")
    assert f"saved {wav}" in result.err
    np.testing.assert_allclose(soundfile.read(wav)[0], speech(), atol=1e-4)
    timeline = json.loads(wav.with_suffix(".json").read_text())
    assert timeline["path"] == wav.name
    assert [segment.get("emotion") for segment in timeline["segments"]] == [
        *(None, "sadness", None, "anger", None)
    ]
    again = serenade("predict", wav, "--timeline", "--model", tiny_bundle, "--format", "json")
    assert len(json.loads(again.out)["hops"]) == len(timeline["hops"])


def test_disappearing_device_keeps_what_was_recorded(
    serenade: Serenade, tiny_bundle: Path, tmp_path: Path, microphone: type[FakeMicrophone]
) -> None:
    microphone.ending = AudioError("device 'USB Headset' has disappeared; plug it in again")
    result = serenade("listen", "--model", tiny_bundle, "--save", tmp_path)
    assert result.code == 1
    assert "error: device 'USB Headset' has disappeared" in result.err
    assert "Traceback" not in result.err
    [wav] = tmp_path.glob("*.wav")
    assert soundfile.info(wav).frames == 7 * RATE
    assert len(json.loads(wav.with_suffix(".json").read_text())["segments"]) == 5
    assert microphone.n_closed == 1


def test_ctrl_c_ends_well(
    serenade: Serenade, tiny_bundle: Path, microphone: type[FakeMicrophone]
) -> None:
    microphone.ending = KeyboardInterrupt()
    result = serenade("listen", "--model", tiny_bundle)
    assert result.code == 0
    assert len(result.out.splitlines()) == 5
    assert microphone.n_closed == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_that_ends_the_process_saves_first(
    serenade: Serenade,
    tiny_bundle: Path,
    tmp_path: Path,
    microphone: type[FakeMicrophone],
    number: signal.Signals,
) -> None:
    microphone.ending = number
    before = signal.getsignal(number)
    result = serenade("listen", "--model", tiny_bundle, "--save", tmp_path)
    assert result.code == 0
    [wav] = tmp_path.glob("*.wav")
    assert f"saved {wav}" in result.err
    assert len(json.loads(wav.with_suffix(".json").read_text())["segments"]) == 5
    assert signal.getsignal(number) is before


def test_lost_sound_is_told(
    serenade: Serenade,
    tiny_bundle: Path,
    microphone: type[FakeMicrophone],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(microphone, "n_gaps", 3)
    assert "sound was lost 3 times" in serenade("listen", "--model", tiny_bundle).err


def test_terminal_shows_level_and_bars(
    serenade: Serenade, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    serenade("listen", "--model", tiny_bundle)
    shown = terminal.getvalue()
    assert "dB" in shown
    assert "sadness" in shown
    assert "█" in shown
    # every line of the moment is taken away again, so that only the segments are left
    screen: list[str] = []
    for line in shown.split("\n")[:-1]:
        n_up = line.count("\x1b[1A")
        screen = screen[: len(screen) - n_up]
        screen.append(line.replace("\x1b[1A\x1b[2K", ""))
    assert len(screen) == 5


def test_words_are_written_down(
    serenade: Serenade, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []

    class FakeTranscriber(voice.Transcriber):
        def __init__(self, *, sample_rate: int) -> None:
            self._pending = []
            self._worker = ThreadPoolExecutor(max_workers=1)

        def write_down(self, samples: FloatArray) -> str:
            lengths.append(samples.size)
            return "good morning"

    monkeypatch.setattr(voice, "Transcriber", FakeTranscriber)
    result = serenade("listen", "--model", tiny_bundle, "--transcribe", "--format", "jsonl")
    events = [json.loads(line) for line in result.out.splitlines()]
    said = [event for event in events if event["event"] == "transcript"]
    assert [event["text"] for event in said] == ["good morning"] * 2
    spans = [round((event["stop_s"] - event["start_s"]) * RATE) for event in said]
    assert lengths == spans


def test_each_emotion_is_said(
    serenade: Serenade, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class FakeSpeaker:
        def say(self, text: str) -> None:
            said.append(text)

        def close(self) -> None:
            said.append("(end)")

    monkeypatch.setattr(voice, "Speaker", FakeSpeaker)
    serenade("listen", "--model", tiny_bundle, "--speak")
    assert said == ["sadness", "anger", "(end)"]


@pytest.mark.parametrize(
    ("option", "module"), [("--transcribe", "speech_recognition"), ("--speak", "pyttsx3")]
)
def test_missing_extra_names_its_install_line(
    serenade: Serenade,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    module: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = serenade("listen", "--model", tiny_bundle, option)
    assert result.code == 2
    assert 'pip install "serenade[voice]"' in result.err


def test_without_sounddevice_the_extra_is_named(
    serenade: Serenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> list[Device]:
        raise MissingExtraError("mic", "Listening to a microphone")

    monkeypatch.setattr(capture, "list_devices", refuse)
    result = serenade("listen")
    assert result.code == 2
    assert 'pip install "serenade[mic]"' in result.err
