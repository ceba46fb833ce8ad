"""Linear probe of a frozen pre-trained encoder, layer by layer, on speakers it was not fitted on.

    OMP_NUM_THREADS=1 python bench/probe.py --manifest all.jsonl --folds emobox.csv \
        --encoder ../shared/pretrained/whisper-base-encoder --write

For every layer: mean and deviation of its output over time, standardised, and a logistic regression
(C = 0.01, balanced) on the other speakers of the same corpus; mean of the unweighted average recall
over folds. *Adapted*: each speaker's values standardised with that speaker's own clips, without
labels. RAVDESS is divided by the published folds of EmoBox, a corpus of few speakers by leaving out
one at a time. A corpus where a fold's speakers did not act every emotion has a second row, in which
such an emotion counts as missed where it is answered, as scikit-learn's ``recall_score`` counts.

Clips are trimmed 40 dB below their loudest 10 ms but for 50 ms at either end, cut to 8 s and
brought to one level. Whisper hears silence after each clip, as in a padded batch and in its own
training; its outputs there do not count. The statistics are cached; ``--write`` puts the table
between the markers of docs/benchmarks-probe.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional

from serenade.corpora.manifest import read_manifest
from serenade.evaluation.clips import utterance_waveform
from serenade.evaluation.confusion import confusion_matrix, unweighted_average_recall
from serenade.evaluation.protocols import make_folds
from serenade.training.cache import cached_arrays
from serenade.training.networks.backbone import layer_statistics
from serenade.training.networks.encoders import (
    WHISPER_SAMPLES_PER_FRAME,
    Encoder,
    WhisperEncoder,
    load_encoder,
)
from serenade.training.vectors import LabelledVectors, adapt_to_speakers, label_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serenade.corpora.manifest import Utterance
    from serenade.types import FloatArray

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks-probe.md"
BEGIN, END = "<!-- bench/probe.py: begin -->", "<!-- bench/probe.py: end -->"
MAX_SECONDS = 8.0
SAMPLE_RATE = 16_000
FRAME = SAMPLE_RATE // 100
TRIM_BELOW_DB = 40.0
MARGIN_SECONDS = 0.05
"""Kept on either side of what is not silence."""
LEVEL = 0.05
"""Root mean square of every clip as a whole."""
SILENCE = 8_000
"""Samples of silence that Whisper hears after each clip; half a second."""
INVERSE_PENALTY = 0.01
PROTOCOLS = {
    "RAVDESS": "emobox",
    "SAVEE": "loso",
    "EMO-DB": "loso",
    "TESS": "loso",
    "CREMA-D": "speaker-kfold",
}
"""Corpora and how their speakers are divided."""
N_GROUPS = 3
"""For ``speaker-kfold``."""


@dataclass(frozen=True)
class Recall:
    """UAR over the emotions that were acted, and over those that were acted or answered."""

    acted: float
    answered: float


@dataclass(frozen=True)
class Row:
    """One corpus: UAR of every column, as it is and speaker-adapted."""

    corpus: str
    folds: str
    independent: list[Recall]
    adapted: list[Recall]


def main() -> None:
    """Measure, print and write."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    encoder = load_encoder(arguments.encoder, max_seconds=10.0)
    chosen = [[number] for number in range(encoder.n_layers + 1)]
    chosen.append(list(range(encoder.n_layers // 3, encoder.n_layers)))
    utterances = read_manifest(arguments.manifest)
    rows = []
    for corpus in arguments.corpora:
        started = time.perf_counter()
        part = [utterance for utterance in utterances if utterance.corpus == corpus]
        rows.append(measure(encoder, part, chosen, arguments))
        seconds = time.perf_counter() - started
        print(f"{corpus}: {seconds:.0f} s", file=sys.stderr, flush=True)
    text = table(rows, chosen)
    print(text)
    if arguments.write:
        write(text, Path(arguments.encoder).name, arguments.precision)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--manifest", type=Path, required=True, help="all utterances")
    parser.add_argument("--encoder", required=True, help="folder or hub name of the encoder")
    parser.add_argument("--corpora", nargs="+", choices=[*PROTOCOLS], default=[*PROTOCOLS])
    parser.add_argument("--folds", type=Path, help="EmoBox's folds, for RAVDESS")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="fp32")
    parser.add_argument("--cache", type=Path, default=ROOT / "cache" / "probe")
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.name}")
    return parser.parse_args()


def measure(
    encoder: Encoder,
    part: Sequence[Utterance],
    chosen: Sequence[Sequence[int]],
    arguments: argparse.Namespace,
) -> Row:
    """Probe all columns on one corpus."""
    statistics, usable = statistics_of(encoder, part, arguments)
    corpus = usable[0].corpus
    protocol = PROTOCOLS[corpus]
    folds = make_folds(protocol, usable, n_folds=N_GROUPS, folds_path=arguments.folds).folds
    tested = [{utterance.id for utterance in fold.test} for fold in folds]
    masks = [np.array([each.id in ids for each in usable]) for ids in tested]
    independent, adapted = [], []
    for layers in chosen:
        data = label_vectors(statistics[:, layers].reshape(len(usable), -1), usable)
        independent.append(probe(data, masks))
        adapted.append(probe(adapt_to_speakers(data), masks))
        print(
            f"  {corpus} {layers}: {cell(independent[-1].acted, adapted[-1].acted)}",
            file=sys.stderr,
            flush=True,
        )
    return Row(corpus, f"{protocol}, {len(masks)} folds", independent, adapted)


def statistics_of(
    encoder: Encoder, part: Sequence[Utterance], arguments: argparse.Namespace
) -> tuple[FloatArray, list[Utterance]]:
    """Give (clips, layers, 2 * width) and the clips, from the cache where they are there."""
    settings = {
        "probe": str(Path(arguments.encoder).name),
        "encoder": dict(encoder.settings()),
        "precision": arguments.precision,
        "clips": [TRIM_BELOW_DB, MARGIN_SECONDS, MAX_SECONDS, LEVEL, SILENCE],
    }

    def compute(utterance: Utterance) -> FloatArray:
        samples = prepare(utterance_waveform(utterance, None).samples)
        with torch.inference_mode():
            x, n_frames = enter(encoder, torch.from_numpy(samples)[None])
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16"):
                outputs = encoder.run(x, n_frames, first=0, last=encoder.n_layers)
            return layer_statistics([x.float() for x in outputs], n_frames)[0].numpy()

    arrays, failed = cached_arrays(part, compute, settings, folder=arguments.cache)
    bad = {utterance.id for utterance, _ in failed}
    return np.stack(arrays), [utterance for utterance in part if utterance.id not in bad]


def prepare(samples: FloatArray) -> FloatArray:
    """Trim silence from the ends of a clip, cut it to the longest, and set its level."""
    clip = samples.astype(np.float64)
    clip -= clip.mean()
    n_frames = clip.size // FRAME
    powers = np.square(clip[: n_frames * FRAME]).reshape(n_frames, FRAME).mean(axis=1)
    loud = np.flatnonzero(powers >= powers.max() * 10.0 ** (-TRIM_BELOW_DB / 10.0))
    margin = round(MARGIN_SECONDS * SAMPLE_RATE)
    start, stop = max(0, int(loud[0]) * FRAME - margin), (int(loud[-1]) + 1) * FRAME + margin
    clip = clip[start:stop][: round(MAX_SECONDS * SAMPLE_RATE)]
    clip *= LEVEL / np.sqrt(np.square(clip).mean())
    return clip.astype(np.float32)


def enter(encoder: Encoder, waveform: Tensor) -> tuple[Tensor, Tensor]:
    """Turn one clip of shape (1, n_samples) into the input of the first layer and its length."""
    length = torch.tensor([waveform.shape[1]])
    if not isinstance(encoder, WhisperEncoder):
        return encoder.enter(waveform, length)
    x, _ = encoder.enter(functional.pad(waveform, (0, SILENCE)), length + SILENCE)
    n_frames = (length + WHISPER_SAMPLES_PER_FRAME - 1) // WHISPER_SAMPLES_PER_FRAME
    return x[:, : int(n_frames)], n_frames


def probe(data: LabelledVectors, tests: Sequence[npt.NDArray[np.bool_]]) -> Recall:
    """Mean over folds of the unweighted average recall; a fold is a mark on its test clips."""
    acted, answered = [], []
    for test in tests:
        classifier = make_pipeline(
            StandardScaler(),
            LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=1000),
        )
        classifier.fit(data.vectors[~test], data.true[~test])
        answers = classifier.predict(data.vectors[test])
        confusion = confusion_matrix(data.true[test], answers, n_labels=len(data.labels))
        acted.append(float(unweighted_average_recall(confusion)))
        counted = recall_score(data.true[test], answers, average="macro", zero_division=0)
        answered.append(float(counted))
    return Recall(float(np.mean(acted)), float(np.mean(answered)))


def table(rows: Sequence[Row], chosen: Sequence[Sequence[int]]) -> str:
    """Lay out the rows."""
    names = [
        f"layer {layers[0]}" if len(layers) == 1 else f"{layers[0]} to {layers[-1]} together"
        for layers in chosen
    ]
    lines = []
    for row in rows:
        pairs = list(zip(row.independent, row.adapted, strict=True))
        acted = [cell(own.acted, adapted.acted) for own, adapted in pairs]
        answered = [cell(own.answered, adapted.answered) for own, adapted in pairs]
        lines.append(f"| {row.corpus} | {row.folds} | {' | '.join(acted)} |")
        if answered != acted:
            lines.append(f"| | the same, as `recall_score` counts | {' | '.join(answered)} |")
    head = f"| corpus | folds | {' | '.join(names)} |\n|{'---|' * (2 + len(names))}\n"
    return head + "\n".join(lines) + "\n"


def cell(independent: float, adapted: float) -> str:
    """Write two figures as one cell."""
    return f"{100 * independent:.1f} / {100 * adapted:.1f}"


def write(text: str, encoder: str, precision: str) -> None:
    """Put the table between the markers of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    said = f"`{encoder}`, layers in {precision}; speaker-independent / speaker-adapted, UAR in %.\n"
    PAGE.write_text(f"{before}{BEGIN}\n\n{said}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
