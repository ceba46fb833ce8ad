"""A machine without a loudspeaker says so before anything is predicted."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from serenade.audio.playback import check_loudspeaker
from serenade.cli.voice import Speaker
from serenade.errors import AudioError


class _PortAudioError(Exception):
    pass


def _sounddevice(outputs: list[int], *, fails: bool = False) -> SimpleNamespace:
    def query_devices() -> list[dict[str, int]]:
        if fails:
            raise _PortAudioError("no host")
        return [{"max_output_channels": n} for n in outputs]

    return SimpleNamespace(query_devices=query_devices, PortAudioError=_PortAudioError)


def test_an_output_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", _sounddevice([0, 2]))
    check_loudspeaker()


@pytest.mark.parametrize(
    ("outputs", "fails", "message"),
    [
        ([], False, "no loudspeaker was found; plug one in"),
        ([0], False, "no loudspeaker was found"),
        ([2], True, r"the sound system cannot be reached \(no host\)"),
    ],
)
def test_without_an_output_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, outputs: list[int], fails: bool, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", _sounddevice(outputs, fails=fails))
    monkeypatch.setitem(sys.modules, "pyttsx3", SimpleNamespace(init=object))
    with pytest.raises(AudioError, match=message):
        Speaker()


def test_where_nobody_can_be_asked_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    check_loudspeaker()
