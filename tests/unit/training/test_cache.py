"""The state cache: computed once, rebuilt only where something changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from serenade.corpora.manifest import Utterance, read_manifest
from serenade.evaluation.clips import utterance_waveform
from serenade.training import cache as cache_module
from serenade.training.cache import cached_states, silent_progress
from serenade.training.run import TrainingRun, new_network, train
from serenade.types import Conditioning, Waveform

if TYPE_CHECKING:
    from serenade.training.networks.base import SpeechNetwork
    from serenade.training.recipe import Recipe


@pytest.fixture
def network(toy_recipe: Recipe) -> SpeechNetwork:
    return new_network(toy_recipe).eval()


def test_a_second_reading_decodes_nothing_and_gives_the_same(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances = read_manifest(toy_manifest)[:3]
    first, _ = cached_states(network, utterances, Conditioning(), max_seconds=2.0, folder=tmp_path)
    monkeypatch.setattr(cache_module, "utterance_waveform", None)
    again, _ = cached_states(network, utterances, Conditioning(), max_seconds=2.0, folder=tmp_path)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_change_of_conditioning_or_front_end_is_never_served_from_old_entries(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(toy_manifest)[:1]
    loud, _ = cached_states(network, utterances, Conditioning(), max_seconds=2.0, folder=tmp_path)
    quiet, _ = cached_states(
        network, utterances, Conditioning(level_dbfs=-46.0), max_seconds=2.0, folder=tmp_path
    )
    difference = loud[0].astype(np.float32) - quiet[0].astype(np.float32)
    assert np.median(difference) == pytest.approx(20.0, abs=0.1)


def test_unusable_audio_is_named_and_the_rest_goes_on(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path
) -> None:
    good = read_manifest(toy_manifest)[:2]
    bad = replace(good[0], id="gone", path=str(tmp_path / "gone.wav"))
    states, failed = cached_states(
        network, [good[0], bad, good[1]], Conditioning(), max_seconds=2.0, folder=tmp_path
    )
    assert len(states) == 2
    assert [utterance.id for utterance, _ in failed] == ["gone"]


def test_a_damaged_entry_is_computed_anew_and_mended(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path, decoded: list[str]
) -> None:
    utterances = read_manifest(toy_manifest)[:5]

    def read() -> list[np.ndarray]:
        decoded.clear()
        states, failed = cached_states(
            network, utterances, Conditioning(), max_seconds=2.0, folder=tmp_path
        )
        assert failed == []
        return states

    first = read()
    entries = sorted(tmp_path.rglob("*.npy"))
    whole = entries[1].read_bytes()
    entries[0].write_bytes(b"")
    entries[1].write_bytes(whole[:-7])
    entries[2].write_bytes(b"no array at all")
    entries[3].write_bytes(b"PK\x03\x04 and no archive")
    with entries[4].open("wb") as archive:
        np.savez(archive, first[0])
    again = read()
    assert len(decoded) == 5
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    read()
    assert decoded == []


def test_part_of_a_file_is_its_own_entry(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path
) -> None:
    whole = read_manifest(toy_manifest)[0]
    part = replace(whole, start_seconds=0.1, stop_seconds=0.3)
    states, _ = cached_states(
        network, [whole, part], Conditioning(), max_seconds=2.0, folder=tmp_path
    )
    assert states[1].shape[1] == 20
    assert states[0].shape[1] > 30


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that the cache decodes, in order."""
    names: list[str] = []

    def noting(utterance: Utterance, root: Path | None) -> Waveform:
        names.append(Path(utterance.path).name)
        return utterance_waveform(utterance, root)

    monkeypatch.setattr(cache_module, "utterance_waveform", noting)
    return names


def test_only_what_changed_is_decoded_again(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path, decoded: list[str]
) -> None:
    utterances = []
    for utterance in read_manifest(toy_manifest)[:4]:
        copy = tmp_path / Path(utterance.path).name
        copy.write_bytes(Path(utterance.path).read_bytes())
        utterances.append(replace(utterance, path=str(copy)))

    def read() -> list[str]:
        decoded.clear()
        cached_states(
            network, utterances, Conditioning(), max_seconds=2.0, folder=tmp_path / "cache"
        )
        return decoded

    assert read() == [Path(utterance.path).name for utterance in utterances]
    assert read() == []
    changed = Path(utterances[2].path)
    soundfile.write(changed, 0.5 * soundfile.read(changed)[0], 16_000)
    assert read() == [changed.name]
    changed.rename(tmp_path / "renamed.wav")
    utterances[2] = replace(utterances[2], path=str(tmp_path / "renamed.wav"))
    assert read() == []


def test_a_longer_limit_rebuilds_every_entry_and_keeps_the_old_ones(
    network: SpeechNetwork, toy_manifest: Path, tmp_path: Path, decoded: list[str]
) -> None:
    utterances = read_manifest(toy_manifest)[:2]
    for max_seconds in (2.0, 3.0, 2.0):
        cached_states(network, utterances, Conditioning(), max_seconds=max_seconds, folder=tmp_path)
    assert len(decoded) == 4


def test_no_epoch_of_a_training_run_decodes_and_a_second_run_none_at_all(
    toy_recipe: Recipe, toy_manifest: Path, tmp_path: Path, decoded: list[str]
) -> None:
    utterances = read_manifest(toy_manifest)
    decoded_at_epoch: list[int] = []
    for name in ("first", "second"):
        run = TrainingRun(folder=tmp_path / name, noise=None, cache=tmp_path / "cache")
        train(
            toy_recipe,
            utterances,
            run,
            threads=1,
            on_epoch=lambda *_: decoded_at_epoch.append(len(decoded)),
            progress=silent_progress,
        )
    n_epochs = toy_recipe.optimiser.epochs
    assert decoded_at_epoch == [len(utterances)] * (2 * n_epochs)
