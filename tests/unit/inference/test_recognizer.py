"""Recognizer: one recording in, one prediction out."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.tiny_bundle import TONES_HZ, tiny_spec, tone, write_tiny_bundle

from serenade.audio.decode import decode_blocks
from serenade.errors import AudioError, ModelError, UsageError
from serenade.inference.recognizer import Recognizer
from serenade.model.bundle import open_bundle
from serenade.model.scorer import open_scorer
from serenade.types import Conditioning, Waveform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.inference.batch import Outcome

NO_SOUND = np.zeros(9, np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> Recognizer:
    return Recognizer.load(folder)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(3000.0, seconds=1.0), 16000)
    return path


@pytest.mark.parametrize("emotion", TONES_HZ)
def test_a_tone_is_heard_as_its_emotion(recognizer: Recognizer, emotion: str) -> None:
    prediction = recognizer.predict(tone(TONES_HZ[emotion], seconds=1.0), 16000)
    assert prediction.emotion == emotion
    assert prediction.confidence == max(prediction.probabilities.values())
    assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
    assert tuple(prediction.probabilities) == recognizer.labels == tuple(TONES_HZ)
    assert prediction.model == recognizer.model_id == "tiny 1.0.0"
    assert prediction.duration_seconds == 1.0
    expected = np.sin(np.pi * TONES_HZ[emotion] / 16000)
    assert prediction.intensity == pytest.approx(expected, rel=0.1)


def test_every_kind_of_source_gives_the_same(recognizer: Recognizer, clip: Path) -> None:
    samples, _ = soundfile.read(clip, dtype="float32")
    expected = recognizer.predict(clip)
    with clip.open("rb") as file:
        assert recognizer.predict(file) == expected
    assert recognizer.predict(str(clip)) == expected
    assert recognizer.predict(clip.read_bytes()) == expected
    assert recognizer.predict(io.BytesIO(clip.read_bytes())) == expected
    assert recognizer.predict(samples, 16000) == expected
    assert recognizer.predict(np.stack([samples, samples], axis=1), 16000) == expected
    assert recognizer.predict(Waveform(samples, 16000)) == expected


def test_other_sample_rates_are_resampled(recognizer: Recognizer) -> None:
    t = np.arange(48000) / 48000
    prediction = recognizer.predict(np.sin(2 * np.pi * 3000.0 * t), 48000)
    assert prediction.emotion == "happiness"
    assert prediction.duration_seconds == pytest.approx(1.0)


def test_the_sample_rate_is_for_arrays_alone(recognizer: Recognizer, clip: Path) -> None:
    with pytest.raises(UsageError, match="an array needs sample_rate"):
        recognizer.predict(tone(200.0, seconds=1.0))
    with pytest.raises(UsageError, match="sample_rate is only for an array"):
        recognizer.predict(clip, 16000)


def test_a_long_recording_is_the_average_of_its_windows(recognizer: Recognizer) -> None:
    sound = np.concatenate([tone(200.0, seconds=3.0), tone(3000.0, seconds=3.0)])
    whole = recognizer.predict(sound, 16000)
    assert whole.duration_seconds == 6.0
    windows = [
        recognizer.predict(sound[start : start + 32000], 16000) for start in range(0, 64001, 16000)
    ]
    expected = np.mean([list(w.probabilities.values()) for w in windows], axis=0)
    np.testing.assert_allclose(list(whole.probabilities.values()), expected, atol=0.02)


def test_silent_windows_have_no_say(recognizer: Recognizer) -> None:
    sound = np.concatenate([np.zeros(16000 * 8, np.float32), tone(3000.0, seconds=2.0)])
    prediction = recognizer.predict(sound, 16000)
    assert prediction.emotion == "happiness"
    assert prediction.confidence > 0.9


def test_memory_does_not_grow_with_length(recognizer: Recognizer, tmp_path: Path) -> None:
    def peak_bytes(minutes: int) -> int:
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 16000, 1) as file:
            for _ in range(6 * minutes):
                file.write(tone(200.0, seconds=10.0))
        gc.collect()
        tracemalloc.start()
        recognizer.predict(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    recognizer.predict(tone(200.0, seconds=1.0), 16000)
    assert peak_bytes(8) < 2 * peak_bytes(2)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (tone(200.0, seconds=0.02), r"lasts only 0\.020 s; the model needs 0\.1 s or more"),
        (np.zeros(16000, np.float32), "the array holds only silence"),
        (np.full(16000, 0.5, np.float32), "the array holds only silence"),
        (np.full(16000, np.nan, np.float32), "NaN"),
        (np.zeros(0, np.float32), "the array is empty"),
    ],
)
def test_audio_that_cannot_be_judged_is_an_error(
    recognizer: Recognizer, samples: np.ndarray, message: str
) -> None:
    with pytest.raises(AudioError, match=message):
        recognizer.predict(samples, 16000)


def test_a_click_in_silence_is_too_short_to_judge(recognizer: Recognizer) -> None:
    sound = np.zeros(16000, np.float32)
    sound[:10] = 0.5
    with pytest.raises(AudioError, match=r"less than 0\.1 s of sound"):
        recognizer.predict(sound, 16000)


def test_an_unsure_model_abstains(tmp_path: Path) -> None:
    unsure = Recognizer.load(write_tiny_bundle(tmp_path / "tiny", tiny_spec(abstain_below=0.999)))
    prediction = unsure.predict(tone(600.0, seconds=1.0), 16000)
    assert prediction.abstained
    sure = Recognizer.load(write_tiny_bundle(tmp_path / "sure", tiny_spec(abstain_below=0.0)))
    assert not sure.predict(tone(600.0, seconds=1.0), 16000).abstained


def test_the_temperature_softens(tmp_path: Path) -> None:
    soft = Recognizer.load(write_tiny_bundle(tmp_path / "soft", tiny_spec(temperature=5.0)))
    hard = Recognizer.load(write_tiny_bundle(tmp_path / "hard", tiny_spec(temperature=0.5)))
    sound = tone(600.0, seconds=1.0)
    assert soft.predict(sound, 16000).confidence < hard.predict(sound, 16000).confidence


def test_the_conditioning_of_the_bundle_is_applied(tmp_path: Path) -> None:
    offset = tone(6000.0, seconds=1.0, amplitude=0.1) + np.float32(0.8)
    plain = tiny_spec(conditioning=Conditioning(False, None, 0.0, None))
    with_offset = Recognizer.load(write_tiny_bundle(tmp_path / "plain", plain))
    without = Recognizer.load(write_tiny_bundle(tmp_path / "usual"))
    assert with_offset.predict(offset, 16000).emotion != "anger"
    assert without.predict(offset, 16000).emotion == "anger"


def test_the_level_does_not_matter(recognizer: Recognizer) -> None:
    loud = recognizer.predict(tone(800.0, seconds=1.0, amplitude=0.5), 16000)
    quiet = recognizer.predict(tone(800.0, seconds=1.0, amplitude=0.005), 16000)
    np.testing.assert_allclose(
        list(loud.probabilities.values()), list(quiet.probabilities.values()), atol=1e-4
    )


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (np.clip(tone(200.0, seconds=1.0, amplitude=3.0), -1, 1), "clipping"),
        (tone(200.0, seconds=1.0, amplitude=0.0005), "too_quiet"),
        (tone(200.0, seconds=0.3), "too_short"),
    ],
)
def test_hard_recordings_are_judged_with_a_warning(
    recognizer: Recognizer, samples: np.ndarray, code: str
) -> None:
    assert code in recognizer.predict(samples, 16000).warnings


def test_noise_without_speech_is_said(recognizer: Recognizer) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 32000)
    assert "no_speech" in recognizer.predict(noise, 16000).warnings


def test_threads_may_share_one(recognizer: Recognizer) -> None:
    sounds = [tone(f, seconds=0.5) for f in TONES_HZ.values()] * 4
    expected = [recognizer.predict(sound, 16000) for sound in sounds]
    found: dict[int, object] = {}

    def work(i: int) -> None:
        found[i] = recognizer.predict(sounds[i], 16000)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(sounds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(len(sounds))] == expected


@pytest.mark.parametrize(
    "count", [0, 1025, pytest.param(10**5000, id="huge"), "2", None, 1.5, float("nan")]
)
def test_threads_and_workers_are_whole_numbers(
    recognizer: Recognizer, folder: Path, count: int
) -> None:
    with pytest.raises(UsageError, match="threads must be a whole number from 1 to 1024, got"):
        Recognizer.load(folder, threads=count)
    with pytest.raises(UsageError, match="workers must be a whole number from 1 to 1024, got"):
        recognizer.predict_many([], workers=count)


def test_an_unknown_model_is_an_error() -> None:
    with pytest.raises(ModelError, match="there is no model 'huge'"):
        Recognizer.load("huge")


@pytest.mark.parametrize("name", [5, b"compact", 1.0, ["compact"]])
def test_what_cannot_name_a_model_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match="must be given by its name or the path of its folder"):
        Recognizer.load(name)


def test_a_configuration_is_a_timeline_config(recognizer: Recognizer, clip: Path) -> None:
    for config in ("x", {}, {"hop_seconds": 1.0}):
        with pytest.raises(UsageError, match="config must be a TimelineConfig, got"):
            recognizer.stream(16000, config=config)  # type: ignore[arg-type]  # on purpose
        with pytest.raises(UsageError, match="config must be a TimelineConfig, got"):
            recognizer.timeline(clip, config=config)  # type: ignore[arg-type]  # on purpose


def test_copies_open_the_same_model_from_any_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    bundle = open_bundle(Path(folder.name))
    recognizer = Recognizer(bundle, open_scorer(bundle, threads=2), threads=2)
    monkeypatch.chdir(tmp_path)
    sound = Waveform(tone(3000.0, seconds=1.0), 16000)
    expected = recognizer.predict(sound)
    assert copy.deepcopy(recognizer).predict(sound) == expected
    again: Recognizer = pickle.loads(pickle.dumps(recognizer))
    assert again.predict(sound) == expected
    assert again.__reduce__()[1] == (folder,)
    assert [o.prediction for o in recognizer.predict_many([sound], workers=2)] == [expected]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_gives_an_outcome_for_each_in_order(
    recognizer: Recognizer, tmp_path: Path, workers: int
) -> None:
    paths = []
    for i in range(12):
        path = tmp_path / f"{i}.wav"
        if i % 4 == 3:
            path.write_bytes(b"no audio")
        else:
            soundfile.write(path, tone(list(TONES_HZ.values())[i % 4], seconds=0.5), 16000)
        paths.append(path)
    outcomes = list(recognizer.predict_many(iter(paths), workers=workers))
    assert [outcome.path for outcome in outcomes] == [str(path) for path in paths]
    for i, outcome in enumerate(outcomes):
        if i % 4 == 3:
            assert outcome.prediction is None
            assert isinstance(outcome.error, AudioError)
        else:
            assert outcome.error is None
            assert outcome.prediction == recognizer.predict(paths[i])


def test_a_batch_takes_bytes_and_waveforms(recognizer: Recognizer, clip: Path) -> None:
    waveform = Waveform(tone(3000.0, seconds=1.0), 16000)
    first, second = recognizer.predict_many([clip.read_bytes(), waveform], workers=2)
    assert first.path == second.path == "-"
    assert first.prediction is not None
    assert second.prediction is not None
    assert first.prediction.emotion == second.prediction.emotion == "happiness"


@pytest.mark.parametrize(
    "source",
    ["a.wav", b"RIFF", Path("a.wav"), Waveform(NO_SOUND, 16000), NO_SOUND, io.BytesIO(), None],
    ids=lambda source: type(source).__name__,
)
def test_one_recording_is_no_list_of_recordings(recognizer: Recognizer, source: object) -> None:
    message = f"must be a list of recordings, not a {type(source).__name__}; for one use predict"
    for workers in (1, 2):
        with pytest.raises(UsageError, match=message):
            recognizer.predict_many(source, workers=workers)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(UsageError, match=message):
        recognizer.speaker_reference(source)  # type: ignore[arg-type]  # on purpose


def test_an_array_of_paths_is_a_list(recognizer: Recognizer, clip: Path) -> None:
    for paths in (np.array([str(clip)]), np.array([clip])):
        (outcome,) = recognizer.predict_many(paths)
        assert outcome.prediction == recognizer.predict(clip)


def test_all_kinds_of_sources_become_the_same_in_one_process_and_in_several(
    recognizer: Recognizer, clip: Path
) -> None:
    content = clip.read_bytes()

    def outcomes(workers: int) -> list[Outcome]:
        with os.scandir(os.fsencode(clip.parent)) as entries, clip.open("rb") as file:
            sources: list[object] = [bytearray(content), memoryview(content), io.BytesIO(content)]
            sources += [file, io.BytesIO(b"no audio"), io.StringIO(), None, *entries]
            return list(recognizer.predict_many(sources, workers=workers))  # type: ignore[arg-type]

    one, several = outcomes(1), outcomes(2)
    expected = recognizer.predict(clip)
    assert [o.prediction for o in one] == [expected] * 4 + [None] * 3 + [expected]
    assert [o.path for o in one] == ["-"] * 7 + [str(clip)]
    assert [(o.path, o.prediction, str(o.error)) for o in several] == [
        (o.path, o.prediction, str(o.error)) for o in one
    ]


def test_what_cannot_go_to_a_worker_costs_only_itself(recognizer: Recognizer, clip: Path) -> None:
    stuck = Waveform(lambda: 0, 16000)  # type: ignore[arg-type]  # on purpose
    first, second, third = recognizer.predict_many([clip, stuck, clip], workers=2)
    assert first.prediction == third.prediction == recognizer.predict(clip)
    assert isinstance(second.error, AudioError)
    assert "a Waveform cannot be sent to a worker process" in str(second.error)


@pytest.mark.parametrize("workers", [1, 2])
def test_sources_that_fail_to_come_cost_no_outcome_of_those_before(
    recognizer: Recognizer, clip: Path, workers: int
) -> None:
    def sources() -> Iterator[Path]:
        yield from (clip, clip, clip)
        raise LookupError("no more")

    outcomes = recognizer.predict_many(sources(), workers=workers)
    assert [next(outcomes).path for _ in range(3)] == [str(clip)] * 3
    with pytest.raises(LookupError, match="no more"):
        next(outcomes)


def test_too_little_memory_for_one_recording_costs_only_itself(
    recognizer: Recognizer, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode_small(source: Path | str, *, channel: int | None) -> Iterator[Waveform]:
        if source == "large.wav":
            raise MemoryError
        return decode_blocks(source, channel=channel)

    monkeypatch.setattr("serenade.inference.recognizer.decode_blocks", decode_small)
    first, second = recognizer.predict_many(["large.wav", clip])
    assert first.prediction is None
    assert isinstance(first.error, AudioError)
    assert "'large.wav' is too much for the memory; try it alone" in str(first.error)
    assert second.prediction is not None
