"""Recording to a wav file while sound comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import soundfile

from serenade.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from serenade.types import FloatArray


class WavRecorder:
    """A mono wav file with 16 bits that is whole after every block.

    Parameters
    ----------
    path : Path
        The file; it must not exist.
    sample_rate : int
        Samples per second [Hz].

    Raises
    ------
    UsageError
        If the file exists or cannot be written.
    """

    def __init__(self, path: Path, *, sample_rate: int) -> None:
        try:
            self._file = soundfile.SoundFile(
                path, "x", samplerate=sample_rate, channels=1, format="WAV", subtype="PCM_16"
            )
        except (OSError, soundfile.LibsndfileError) as error:
            raise UsageError(f"{path} cannot be written ({error}); choose another folder") from None

    def write(self, samples: FloatArray) -> None:
        """Add samples.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            What lies beyond full scale is clipped.
        """
        self._file.write(samples.clip(-1.0, 1.0))
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
