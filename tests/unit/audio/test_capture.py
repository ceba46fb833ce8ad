"""Sound from a microphone, with a made-up sound system."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from serenade.audio import capture
from serenade.audio.capture import Device, Microphone, choose_device, list_devices
from serenade.errors import AudioError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

BUILT_IN = Device(0, "Built-in Microphone", channels=2, sample_rate=48000, is_default=False)
HEADSET = Device(2, "USB Headset", channels=1, sample_rate=16000, is_default=True)
SECOND_HEADSET = Device(3, "USB Headset Pro", channels=1, sample_rate=44100, is_default=False)


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeStream:
    """Gives blocks from another thread, then says that it has finished or nothing more at all."""

    blocks: list[np.ndarray] = []  # noqa: RUF012 - set by each test
    finishes = True
    overflows = False

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.is_closed = False

    def start(self) -> None:
        threading.Thread(target=self._play).start()

    def close(self, *, ignore_errors: bool) -> None:
        self.is_closed = True

    def _play(self) -> None:
        callback: Callable[..., None] = self.options["callback"]
        for block in self.blocks:
            buffer = block.copy()
            callback(buffer, len(buffer), None, SimpleNamespace(input_overflow=self.overflows))
            buffer[:] = np.nan  # the sound system uses its memory again
        if self.finishes:
            self.options["finished_callback"]()


@pytest.fixture
def sound_system(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    entries = [
        {"name": "Built-in Microphone", "max_input_channels": 2, "default_samplerate": 48000.0},
        {"name": "Loudspeaker", "max_input_channels": 0, "default_samplerate": 48000.0},
        {"name": "USB Headset", "max_input_channels": 1, "default_samplerate": 16000.0},
    ]
    module = SimpleNamespace(
        PortAudioError=PortAudioError,
        InputStream=FakeStream,
        default=SimpleNamespace(device=[2, 1]),
        query_devices=lambda: entries,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(capture, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(FakeStream, "blocks", [])
    monkeypatch.setattr(FakeStream, "finishes", True)
    return module


def test_only_inputs_are_listed(sound_system: SimpleNamespace) -> None:
    assert list_devices() == [BUILT_IN, HEADSET]


def test_default_device_is_taken() -> None:
    assert choose_device([BUILT_IN, HEADSET], None) is HEADSET


def test_first_device_is_taken_without_a_default() -> None:
    assert choose_device([BUILT_IN, SECOND_HEADSET], None) is BUILT_IN


@pytest.mark.parametrize(
    ("wanted", "device"), [("0", BUILT_IN), ("built", BUILT_IN), ("USB Headset", HEADSET)]
)
def test_device_is_chosen_by_number_or_name(wanted: str, device: Device) -> None:
    assert choose_device([BUILT_IN, HEADSET, SECOND_HEADSET], wanted) is device


def test_ambiguous_name_lists_what_fits() -> None:
    with pytest.raises(UsageError, match=r"several devices fit 'usb'; .* 2 \(USB Headset\), 3"):
        choose_device([BUILT_IN, HEADSET, SECOND_HEADSET], "usb")


def test_unknown_name_lists_all() -> None:
    with pytest.raises(UsageError, match=r"no device fits 'phone 7'; choose one of 0 \(Built-in"):
        choose_device([BUILT_IN, HEADSET], "phone 7")


def test_no_microphone_is_one_clear_error() -> None:
    with pytest.raises(AudioError, match="no microphone was found"):
        choose_device([], None)


def test_channels_are_averaged(sound_system: SimpleNamespace) -> None:
    FakeStream.blocks = [np.array([[0.5, 0.1], [-0.5, 0.1]], np.float32)]
    blocks = Microphone(BUILT_IN).blocks()
    np.testing.assert_allclose(next(blocks), [0.3, -0.2], atol=1e-7)


@pytest.mark.parametrize("finishes", [True, False])
def test_disappearing_device_gives_its_last_blocks_then_one_clear_error(
    sound_system: SimpleNamespace, finishes: bool
) -> None:
    FakeStream.blocks = [np.full((160, 1), value, np.float32) for value in (0.1, 0.2)]
    FakeStream.finishes = finishes
    blocks = Microphone(HEADSET).blocks()
    assert [float(next(blocks)[0]) for _ in range(2)] == pytest.approx([0.1, 0.2])
    with pytest.raises(AudioError, match="device 'USB Headset' has disappeared"):
        next(blocks)


def test_lost_sound_is_counted(
    sound_system: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeStream.blocks = [np.zeros((160, 1), np.float32)] * 2
    monkeypatch.setattr(FakeStream, "overflows", True)
    microphone = Microphone(HEADSET)
    with pytest.raises(AudioError):
        list(microphone.blocks())
    assert microphone.n_gaps == 2


def test_closed_microphone_ends_without_error(sound_system: SimpleNamespace) -> None:
    microphone = Microphone(HEADSET)
    microphone.close()
    microphone.close()
    assert list(microphone.blocks()) == []


def test_busy_device_is_one_clear_error(
    sound_system: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: FakeStream) -> None:
        raise PortAudioError("Device unavailable")

    monkeypatch.setattr(FakeStream, "start", refuse)
    with pytest.raises(AudioError, match=r"'USB Headset' cannot be opened.*another program"):
        Microphone(HEADSET)


def test_missing_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r'pip install "serenade\[mic\]"'):
        list_devices()
