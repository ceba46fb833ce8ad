from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance
from serenade.errors import AudioError, EvaluationError, SerenadeError
from serenade.evaluation.readings import choose_labelling
from serenade.evaluation.robustness import ConditionResult, choose_clips, stress
from serenade.types import Prediction, Waveform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from serenade.model.adaptation import SpeakerReference

PITCH_HZ = {"neutral": 300, "happiness": 600, "sadness": 1200, "anger": 2400}


@dataclass
class Outcome:
    prediction: Prediction | None
    error: SerenadeError | None


class PitchRecognizer:
    """Tells the four emotions of the made-up corpus by the strongest of four pitches."""

    labels = tuple(PITCH_HZ)
    model_id = "pitch-1"
    adapts_to_speakers = False

    def predict(
        self, source: str | Path | Waveform, *, reference: SpeakerReference | None = None
    ) -> Prediction:
        raise NotImplementedError

    def speaker_reference(self, sources: Iterable[str | Path | Waveform]) -> SpeakerReference:
        raise NotImplementedError

    def predict_many(
        self, sources: Iterable[str | Path | Waveform], *, workers: int
    ) -> Iterator[Outcome]:
        for waveform in sources:
            assert isinstance(waveform, Waveform)
            if waveform.duration_seconds < 0.6:
                yield Outcome(None, AudioError("too short"))
                continue
            spectrum = np.abs(np.fft.rfft(waveform.samples))
            bins = [round(hz * waveform.duration_seconds) for hz in PITCH_HZ.values()]
            energy = np.array([spectrum[b - 2 : b + 3].max() for b in bins])
            chances = energy / energy.sum()
            best = int(chances.argmax())
            probabilities = dict(zip(self.labels, chances.tolist(), strict=True))
            yield Outcome(
                Prediction(
                    self.labels[best],
                    float(chances[best]),
                    probabilities,
                    False,
                    None,
                    waveform.duration_seconds,
                    self.model_id,
                ),
                None,
            )


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    made = []
    time = np.arange(24_000) / 16_000
    for speaker in range(3):
        for emotion, hz in PITCH_HZ.items():
            path = tmp_path / f"{emotion}_{speaker}.wav"
            soundfile.write(path, 0.05 * np.sin(2 * np.pi * hz * time + speaker), 16_000)
            made.append(
                Utterance(
                    id=path.stem, path=str(path), emotion=emotion, speaker=f"{speaker}", corpus="c"
                )
            )
    return made


def run(clips: list[Utterance], **options: Path) -> dict[str, ConditionResult]:
    results = stress(
        PitchRecognizer(),
        clips,
        labelling=choose_labelling("corpus", clips),
        seed=1,
        noise_folder=options.get("noise"),
        response_folder=options.get("rooms"),
    )
    return {result.name: result for result in results}


def test_harmless_conditions_change_nothing_and_babble_hurts_no_less_when_loud(
    clips: list[Utterance],
) -> None:
    results = run(clips)
    assert results["clean"].uar.value == 1.0
    assert results["clean"].drop.value == 0.0
    for harmless in ("gain +20 dB", "gain -20 dB", "telephone, 8 kHz", "white noise 20 dB"):
        assert results[harmless].uar.value == 1.0, harmless
    assert results["babble 0 dB"].uar.value <= results["babble 20 dB"].uar.value


def test_refused_clips_count_as_wrong_and_are_told(clips: list[Utterance]) -> None:
    cut = run(clips)["cut to 0.5 s"]
    assert (cut.n_refused, cut.n_clips) == (12, 12)
    assert cut.uar.value == 0.0
    assert cut.drop.value == -1.0


def test_real_noise_and_rooms_are_used_where_given(clips: list[Utterance], tmp_path: Path) -> None:
    folder = tmp_path / "given" / "deep"
    folder.mkdir(parents=True)
    soundfile.write(
        folder / "hum.wav", 0.1 * np.sin(2 * np.pi * 1200 * np.arange(8000) / 16_000), 16_000
    )
    results = run(clips, noise=tmp_path / "given", rooms=tmp_path / "given")
    assert results["real noise 20 dB"].uar.value == 1.0
    assert results["real noise 0 dB"].uar.value < 1.0
    assert "recorded room" in results
    assert "made-up room, 0.6 s" not in results
    assert "real noise 0 dB" not in run(clips)


def test_same_seed_gives_the_same_results(clips: list[Utterance]) -> None:
    assert run(clips) == run(clips)


def test_some_clips_are_chosen_alike_from_every_emotion(utterances: list[Utterance]) -> None:
    chosen = choose_clips(utterances, max_clips=40, seed=0)
    counts = {u.emotion: 0 for u in chosen}
    for utterance in chosen:
        counts[utterance.emotion] += 1
    assert counts == dict.fromkeys(("neutral", "happiness", "sadness", "anger"), 10)
    assert chosen == choose_clips(utterances, max_clips=40, seed=0)
    assert chosen != choose_clips(utterances, max_clips=40, seed=1)


def test_folder_without_audio_is_one_clear_error(clips: list[Utterance], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(EvaluationError, match="holds no audio"):
        run(clips, noise=empty)


def test_no_readable_clip_is_one_clear_error(utterances: list[Utterance]) -> None:
    with pytest.raises(EvaluationError, match="no readable clip"):
        run(utterances)
