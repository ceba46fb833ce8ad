"""Capture: sound from a microphone.

Blocks come from a thread of the sound system through a queue, so that nothing is lost while others
are worked on.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from serenade.audio.limits import HIGHEST_RATE, LOWEST_RATE
from serenade.errors import AudioError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from serenade.types import FloatArray

BLOCK_SECONDS = 0.1
"""Length of the blocks [s]."""

_MOST_CHANNELS = 2
"""Of what has more, only the first ones are taken: virtual devices offer a hundred."""

PATIENCE_SECONDS = 3.0
"""A device that gives nothing for so long has disappeared [s]."""


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone or another input.

    Parameters
    ----------
    index : int
        Its number.
    name : str
        Its name.
    channels : int
        Number of channels, 1 or more.
    sample_rate : int
        The rate that it prefers [Hz].
    is_default : bool
        Whether it is taken where none is chosen.
    """

    index: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


class AudioInput(Protocol):
    """Where live sound comes from."""

    @property
    def name(self) -> str:
        """How the input is called."""

    @property
    def sample_rate(self) -> int:
        """Samples per second [Hz]."""

    @property
    def n_gaps(self) -> int:
        """How often sound was lost because nobody took it in time."""

    def blocks(self) -> Iterator[FloatArray]:
        """Give blocks of shape (n_samples,) as they come, until the input is closed.

        Raises
        ------
        AudioError
            If the device disappears.
        """

    def close(self) -> None:
        """Give the device back; more than once does no harm."""


def list_devices() -> list[Device]:
    """List the inputs that the sound system knows.

    Returns
    -------
    list of Device
        May be empty.

    Raises
    ------
    MissingExtraError
        If sounddevice is not installed.
    AudioError
        If the sound system cannot be reached.
    """
    sounddevice = _sounddevice()
    try:
        found = list(sounddevice.query_devices())
        default = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise AudioError(f"the sound system cannot be reached ({error})") from None
    return [
        Device(
            index=index,
            name=str(entry["name"]),
            channels=int(entry["max_input_channels"]),
            sample_rate=round(entry["default_samplerate"]),
            is_default=index == default,
        )
        for index, entry in enumerate(found)
        if entry["max_input_channels"] > 0
    ]


def choose_device(devices: list[Device], wanted: str | None) -> Device:
    """Choose an input.

    Parameters
    ----------
    devices : list of Device
        All there are.
    wanted : str or None
        A number or a part of a name, in any case; ``None`` for the default input.

    Returns
    -------
    Device
        The only one that fits.

    Raises
    ------
    AudioError
        If there is no input at all.
    UsageError
        If none or several fit.
    """
    if not devices:
        raise AudioError("no microphone was found; plug one in and check the sound settings")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    fitting = [
        device
        for device in devices
        if str(device.index) == wanted or wanted.lower() in device.name.lower()
    ]
    exact = [device for device in fitting if wanted in (str(device.index), device.name)]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    names = ", ".join(f"{device.index} ({device.name})" for device in fitting or devices)
    problem = "several devices fit" if fitting else "no device fits"
    raise UsageError(f"{problem} {wanted!r}; choose one of {names}")


class Microphone:
    """A device that is being listened to; channels are averaged.

    Parameters
    ----------
    device : Device
        Which one.

    Raises
    ------
    MissingExtraError
        If sounddevice is not installed.
    AudioError
        If the device cannot be opened.
    """

    def __init__(self, device: Device) -> None:
        sounddevice = _sounddevice()
        self._device = device
        self._rate = min(max(device.sample_rate, LOWEST_RATE), HIGHEST_RATE)
        # None says that the device has stopped
        self._blocks: queue.SimpleQueue[FloatArray | None] = queue.SimpleQueue()
        self._is_closed = False
        self._n_gaps = 0
        try:
            self._stream = sounddevice.InputStream(
                device=device.index,
                samplerate=self._rate,
                channels=min(device.channels, _MOST_CHANNELS),
                blocksize=round(BLOCK_SECONDS * self._rate),
                dtype="float32",
                callback=self._receive,
                finished_callback=lambda: self._blocks.put(None),
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise AudioError(
                f"device {device.name!r} cannot be opened ({error}); is another program using it?"
            ) from None

    @property
    def name(self) -> str:
        """How the input is called."""
        return self._device.name

    @property
    def sample_rate(self) -> int:
        """Samples per second [Hz]."""
        return self._rate

    @property
    def n_gaps(self) -> int:
        """How often sound was lost because nobody took it in time."""
        return self._n_gaps

    def blocks(self) -> Iterator[FloatArray]:
        """Give blocks as they come, until the microphone is closed.

        Yields
        ------
        ndarray of shape (n_samples,), float32
            Amplitudes.

        Raises
        ------
        AudioError
            If the device disappears.
        """
        while not self._is_closed:
            try:
                block = self._blocks.get(timeout=PATIENCE_SECONDS)
            except queue.Empty:
                block = None
            if block is not None:
                yield block
            elif not self._is_closed:
                raise AudioError(f"device {self.name!r} has disappeared; plug it in again")

    def close(self) -> None:
        """Give the device back; more than once does no harm."""
        if not self._is_closed:
            self._is_closed = True
            self._stream.close(ignore_errors=True)

    def _receive(self, samples: FloatArray, n_frames: int, time: object, status: Any) -> None:  # noqa: ANN401, ARG002 - PortAudio calls it so
        self._n_gaps += bool(status.input_overflow)
        # the sound system uses its memory again after this call, the mean is a copy
        self._blocks.put(samples.mean(axis=1, dtype=np.float32))


def _sounddevice() -> ModuleType | Any:  # noqa: ANN401 - sounddevice has no type stubs
    try:
        import sounddevice
    except ImportError:
        raise MissingExtraError("mic", "Listening to a microphone") from None
    except OSError:
        raise AudioError(
            "the PortAudio library was not found; install it, on Debian with"
            " `apt install libportaudio2`"
        ) from None
    return sounddevice
