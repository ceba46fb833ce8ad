"""Getting to know a speaker from recordings of their speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.errors import AudioError
from serenade.inference.judge import empty_reference
from serenade.inference.windows import cut_windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serenade.inference.judge import WindowJudge
    from serenade.model.adaptation import SpeakerReference
    from serenade.types import FloatArray


def hear_speaker(
    judge: WindowJudge, recordings: Iterable[Iterable[FloatArray]], *, denoise: bool
) -> SpeakerReference:
    """Hear recordings of one speaker, long ones window by window.

    Parameters
    ----------
    judge : WindowJudge
        The model.
    recordings : iterable of iterable of ndarray of shape (n,), float32
        The blocks of each, at the rate of the model.
    denoise : bool
        Reduce noise before.

    Returns
    -------
    SpeakerReference
        What is known of the speaker.

    Raises
    ------
    UsageError
        If the model does not adapt to speakers.
    AudioError
        If a recording cannot be read, or all hold only silence.
    """
    reference = empty_reference(judge.spec)
    rate = judge.spec.sample_rate
    size = round(judge.spec.windowing.max_seconds * rate)
    for blocks in recordings:
        heard_until = 0
        for window in cut_windows(blocks, size=size, hop=size):
            n_new = window.start + window.samples.size - heard_until
            heard_until += n_new
            score = judge.score(window.samples, denoise=denoise)
            if score is not None and score.embedding is not None:
                reference = reference.with_clip(
                    score.embedding, seconds=n_new / rate, weight=n_new / window.samples.size
                )
    if reference.n_clips == 0:
        raise AudioError(
            "the recordings of the speaker hold nothing that the model can hear; give at least one"
            f" with {judge.spec.windowing.min_seconds:g} s of speech"
        )
    return reference
