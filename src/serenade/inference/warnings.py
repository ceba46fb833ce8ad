"""When the quality of a recording is worth a warning.

The limits leave at least nine of ten clips of each acted corpus without a warning of noise or
quietness; CREMA-D has the noisiest clips and RAVDESS the quietest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serenade.types import Quality

CLIPPING_SHARE = 0.001
"""More clipped samples than this is "clipping"."""

QUIET_BELOW_DBFS = -60.0
"""A lower level is "too_quiet" [dB relative to full scale]."""

SPEECH_SHARE = 0.1
"""Less voice activity than this is "no_speech"."""

NOISY_BELOW_DB = 5.0
"""A lower signal-to-noise ratio is "noisy" [dB]."""


def find_warnings(quality: Quality, *, sure_from_seconds: float) -> tuple[str, ...]:
    """Give the codes of :data:`serenade.types.WARNINGS` that apply to a recording.

    Parameters
    ----------
    quality : Quality
        Measured on the recording before conditioning.
    sure_from_seconds : float
        Length from which the model is sure about its judgement [s].

    Returns
    -------
    tuple of str
        In the order of :data:`serenade.types.WARNINGS`.
    """
    found = {
        "clipping": quality.clipping_share > CLIPPING_SHARE,
        "too_quiet": quality.level_dbfs < QUIET_BELOW_DBFS,
        "no_speech": quality.speech_share < SPEECH_SHARE,
        "too_short": quality.duration_seconds < sure_from_seconds,
        "noisy": quality.snr_db < NOISY_BELOW_DB,
    }
    return tuple(code for code, applies in found.items() if applies)
