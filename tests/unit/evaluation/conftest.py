"""A made-up corpus and a recogniser that reads the truth off the file name, with errors."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serenade.corpora.manifest import Utterance
from serenade.errors import AudioError, SerenadeError
from serenade.model.adaptation import Adaptation, SpeakerReference
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ADAPTATION = Adaptation(n_embedding=1, prior_clips=1.0, prior_clips_deviation=1.0)
EMOTIONS = ("neutral", "happiness", "sadness", "anger")


@dataclass
class Outcome:
    path: str
    prediction: Prediction | None
    error: SerenadeError | None


@dataclass
class FakeRecognizer:
    """Right in about `skill` of the clips; which ones depends on the name of the file alone."""

    skill: float = 0.7
    labels: tuple[str, ...] = (*EMOTIONS, "calm", "fear")
    model_id: str = "fake-1.0"
    broken: frozenset[str] = frozenset()
    judged: list[str] = field(default_factory=list)
    stop_after: int | None = None
    adapts_to_speakers: bool = False
    heard: list[str] = field(default_factory=list)

    def speaker_reference(self, sources: Sequence[str | Path | Waveform]) -> SpeakerReference:
        reference = SpeakerReference.empty(self.model_id, ADAPTATION)
        for source in sources:
            name = source if isinstance(source, Waveform) else Path(source).stem
            if name in self.broken:
                raise AudioError(f"{source}: cannot be decoded")
            self.heard.append(str(name))
            # of what the reference holds, only the number of clips is looked at
            reference = reference.with_clip(np.zeros(1, np.float32), seconds=1.0)
        return reference

    def predict(
        self, source: str | Path | Waveform, *, reference: SpeakerReference | None = None
    ) -> Prediction:
        """Judge; each clip of the reference makes it a little better."""
        if reference is not None:
            knowing = replace(self, skill=self.skill + 0.02 * reference.n_clips)
            return replace(knowing.predict(source), adapted_to=reference.heard)
        if isinstance(source, Waveform):
            level = float(np.sqrt(np.mean(np.square(source.samples, dtype=np.float64))))
            return self._prediction(f"{level:.6f}", duration=source.duration_seconds)
        name = Path(source).stem
        if name in self.broken:
            raise AudioError(f"{source}: cannot be decoded")
        return self._prediction(name, duration=1.0 + len(name) % 3)

    def predict_many(self, paths: Sequence[str | Path], *, workers: int) -> Iterator[Outcome]:
        for path in paths:
            if self.stop_after is not None and len(self.judged) >= self.stop_after:
                raise KeyboardInterrupt
            self.judged.append(Path(path).stem)
            try:
                yield Outcome(str(path), self.predict(path), None)
            except SerenadeError as error:
                yield Outcome(str(path), None, error)

    def _prediction(self, name: str, *, duration: float) -> Prediction:
        rng = np.random.default_rng(zlib.crc32(f"{self.model_id}/{name}".encode()))
        logits = rng.normal(size=len(self.labels))
        emotion = name.split("_")[0]
        if emotion in self.labels and rng.random() < self.skill:
            logits[self.labels.index(emotion)] += 3.0
        chances = np.exp(logits) / np.exp(logits).sum()
        best = int(chances.argmax())
        return Prediction(
            emotion=self.labels[best],
            confidence=float(chances[best]),
            probabilities=dict(zip(self.labels, chances.tolist(), strict=True)),
            abstained=bool(chances[best] < 0.4),
            intensity=None,
            duration_seconds=duration,
            model=self.model_id,
        )


@pytest.fixture
def fake_recognizer() -> Callable[..., FakeRecognizer]:
    return FakeRecognizer


@pytest.fixture
def utterances() -> list[Utterance]:
    """Two corpora, ten speakers, four emotions, five clips each."""
    return [
        Utterance(
            id=f"{corpus}/{emotion}_{speaker}_{take}",
            path=f"{corpus}/{emotion}_{speaker}_{take}.wav",
            emotion=emotion,
            speaker=f"{speaker}",
            corpus=corpus,
            sex="female" if speaker % 2 else "male",
            language="en" if corpus == "ONE" else "de",
            intensity="strong" if take == 0 else "normal",
            age=20 + speaker * 6,
        )
        for corpus, speakers in (("ONE", range(6)), ("TWO", range(6, 10)))
        for speaker in speakers
        for emotion in EMOTIONS
        for take in range(5)
    ]
