"""PCM: samples that arrive as bytes, cut anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

ENCODINGS: Mapping[str, str] = {"s16le": "<i2", "f32le": "<f4"}
"""Names of sample formats and numpy's names of them."""


class PcmReader:
    """Turns bytes into samples; a sample may be spread over two pieces.

    Parameters
    ----------
    encoding : str
        One of :data:`ENCODINGS`.
    """

    def __init__(self, encoding: str) -> None:
        self._dtype = np.dtype(ENCODINGS[encoding])
        self._rest = b""

    def read(self, piece: bytes) -> npt.NDArray[np.generic]:
        """Take the next bytes.

        Parameters
        ----------
        piece : bytes
            Of any length.

        Returns
        -------
        ndarray of shape (n_samples,), int16 or float32
            All whole samples.
        """
        content = self._rest + piece
        n_whole = len(content) - len(content) % self._dtype.itemsize
        self._rest = content[n_whole:]
        samples = np.frombuffer(content[:n_whole], self._dtype)
        return samples.astype(self._dtype.newbyteorder("="))
