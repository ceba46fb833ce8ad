"""How long the windows of a timeline should be, and how far apart: accuracy against cost.

    python bench/timeline_windows.py [--models compact default] [--clips 400] [--windows 2:1 3:1.5]

Clips of speakers that the model did not hear (its card names them) are joined to recordings in
three ways: with pauses of 0.5 to 1.2 s, without pauses, and as turns (three clips of one speaker
with one emotion, without pauses between them, then a pause). Recall averaged over emotions,
counted in hops whose middle lies in a clip: of the hop's own prediction, and after smoothing of
the segment that it belongs to. A hop without prediction counts as wrong. Speed: seconds of
recording for each second of processor time on one core, all three recordings together, and how
often a second of speech goes through the model.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serenade.audio.decode import SAMPLE_RATE, decode
from serenade.corpora.collection import scan_collection
from serenade.inference.recognizer import Recognizer
from serenade.inference.timeline import TimelineConfig
from serenade.model.bundle import open_bundle
from serenade.model.store import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.inference.timeline import Part, Timeline
    from serenade.types import FloatArray

ROOT = Path(__file__).resolve().parents[1]
HELD_BACK = "Speakers held back for validation: "
WINDOWS = ("2:0.5", "2:1", "2:2", "3:1", "3:1.5", "3:2", "3:3", "4:1", "4:2", "4:3", "4:4", "6:3")
CLIPS_PER_TURN = 3
PAUSE_SECONDS = (0.5, 1.2)
SEED = 11


@dataclass(frozen=True)
class Span:
    """Where a clip lies in a recording [s], and its emotion."""

    start_seconds: float
    stop_seconds: float
    emotion: str


@dataclass(frozen=True)
class Recording:
    """Joined clips."""

    samples: FloatArray
    spans: list[Span]


def main() -> None:
    """Print the table of each model."""
    arguments = parse_arguments()
    for model in arguments.models:
        chosen = choose_clips(model, arguments.data, n_clips=arguments.clips)
        clips = [(utterance, decode(Path(utterance.path)).samples) for utterance in chosen]
        print_windows(Recognizer.load(model), clips, arguments.windows)


def print_windows(
    recognizer: Recognizer, clips: list[tuple[Utterance, FloatArray]], windows: Sequence[str]
) -> None:
    """Print the table of a model."""
    recordings = {
        "pauses": join(([clip] for clip in clips), pauses=True),
        "no pauses": join(([clip] for clip in clips), pauses=False),
        "turns": join(turns(clips), pauses=True),
    }
    seconds = sum(recording.samples.size for recording in recordings.values()) / SAMPLE_RATE
    print(
        f"{recognizer.model_id}: {len(clips)} clips of speakers that it did not hear;"
        f" {seconds / 60:.0f} minutes in all. Recall by hops, by segments."
    )
    alone = recall(
        [(u.emotion, recognizer.predict(samples, SAMPLE_RATE).emotion) for u, samples in clips]
    )
    print(f"Each clip alone, whole: {alone:.3f}\n")
    print(f"| window, step | {' | '.join(recordings)} | encoded | times real time |")
    print(f"|---|{'---|' * len(recordings)}---|---|")
    for text in windows:
        window_seconds, step_seconds = (float(part) for part in text.split(":"))
        config = TimelineConfig(window_seconds=window_seconds, step_seconds=step_seconds)
        print(f"| {window_seconds:g} s, {step_seconds:g} s |", end="", flush=True)
        started = time.process_time()
        timelines = {
            name: recognizer.timeline(recording.samples, SAMPLE_RATE, config=config)
            for name, recording in recordings.items()
        }
        speed = seconds / (time.process_time() - started)
        for name, timeline in timelines.items():
            spans = recordings[name].spans
            hops = recall(answers(timeline, timeline.hops, spans))
            segments = recall(answers(timeline, timeline.segments, spans))
            print(f" {hops:.3f}, {segments:.3f} |", end="")
        print(f" {window_seconds / step_seconds:.1f} x | {speed:.0f} |", flush=True)
    print()


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", nargs="+", default=["compact", "default"])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--clips", type=int, default=400, help="how many clips are joined")
    parser.add_argument("--windows", nargs="+", default=WINDOWS, help="window:step in seconds")
    return parser.parse_args()


def choose_clips(model: str, data: Path, *, n_clips: int) -> list[Utterance]:
    """Take as many clips of each corpus and emotion of the speakers that the model did not hear."""
    bundle = open_bundle(resolve(model))
    lines = [line for line in bundle.card.splitlines() if line.startswith(HELD_BACK)]
    if not lines:
        raise SystemExit(f"the card of {bundle.spec.model_id} names no speakers that it held back")
    speakers = set(lines[0].removeprefix(HELD_BACK).rstrip(".").split(", "))
    groups: dict[tuple[str, str], list[Utterance]] = {}
    for utterance in scan_collection(data).utterances:
        if utterance.speaker_key in speakers and utterance.emotion in bundle.spec.labels:
            groups.setdefault((utterance.corpus, utterance.emotion), []).append(utterance)
    chance = random.Random(SEED)  # noqa: S311 - a choice of clips, no secret
    per_group = max(1, round(n_clips / len(groups)))
    chosen = [u for group in groups.values() for u in chance.sample(group, len(group))[:per_group]]
    chance.shuffle(chosen)
    return chosen


def turns(
    clips: Sequence[tuple[Utterance, FloatArray]],
) -> Iterator[list[tuple[Utterance, FloatArray]]]:
    """Group clips of one speaker and emotion, in a random order of groups."""
    groups: dict[tuple[str | None, str], list[tuple[Utterance, FloatArray]]] = {}
    for clip in clips:
        groups.setdefault((clip[0].speaker_key, clip[0].emotion), []).append(clip)
    found = [
        group[first : first + CLIPS_PER_TURN]
        for group in groups.values()
        for first in range(0, len(group), CLIPS_PER_TURN)
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311 - an order of clips, no secret
    yield from found


def join(turns: Iterator[list[tuple[Utterance, FloatArray]]], *, pauses: bool) -> Recording:
    """Join clips, with a pause after each turn if wanted."""
    noise = np.random.default_rng(SEED)
    pieces: list[FloatArray] = []
    spans: list[Span] = []
    n_samples = 0
    for turn in turns:
        for utterance, samples in turn:
            start = n_samples
            n_samples += samples.size
            pieces.append(samples)
            spans.append(Span(start / SAMPLE_RATE, n_samples / SAMPLE_RATE, utterance.emotion))
        if pauses:
            n_pause = round(noise.uniform(*PAUSE_SECONDS) * SAMPLE_RATE)
            pieces.append(noise.normal(0.0, 1e-4, n_pause).astype(np.float32))
            n_samples += n_pause
    return Recording(np.concatenate(pieces), spans)


def answers(
    timeline: Timeline, parts: Sequence[Part], spans: Sequence[Span]
) -> list[tuple[str, str | None]]:
    """Give the true and the found emotion of each hop with speech whose middle lies in a clip."""
    stops = np.array([part.stop_seconds for part in parts])
    span_stops = np.array([span.stop_seconds for span in spans])
    found: list[tuple[str, str | None]] = []
    for hop in timeline.hops:
        middle = (hop.start_seconds + hop.stop_seconds) / 2
        span = spans[min(int(np.searchsorted(span_stops, middle, "right")), len(spans) - 1)]
        if not hop.is_speech or not span.start_seconds <= middle < span.stop_seconds:
            continue
        prediction = parts[min(int(np.searchsorted(stops, middle, "right")), len(parts) - 1)]
        judged = prediction.prediction
        found.append((span.emotion, None if judged is None else judged.emotion))
    return found


def recall(pairs: Sequence[tuple[str, str | None]]) -> float:
    """Average the recall of the emotions that there are."""
    return float(
        np.mean(
            [
                np.mean([found == true for true, found in pairs if true == emotion])
                for emotion in sorted({true for true, _ in pairs})
            ]
        )
    )


if __name__ == "__main__":
    main()
