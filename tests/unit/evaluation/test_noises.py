"""Which noises are learnt from and which judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serenade.evaluation.noises import noise_paths

if TYPE_CHECKING:
    from pathlib import Path


def _folder(path: Path, names: list[str]) -> Path:
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return path


def test_no_noise_both_is_learnt_and_judges(tmp_path: Path) -> None:
    names = [f"rain/{n}-{take}.wav" for n in range(50) for take in "AB"]
    folder = _folder(tmp_path, [*names, "notes.txt"])
    learnt, judging = noise_paths(folder, "train"), noise_paths(folder, "test")
    assert sorted(learnt + judging) == sorted(folder / name for name in names)
    assert len(judging) == 20  # a fifth of the sources, both files of each
    sources = [{path.stem.split("-")[0] for path in part} for part in (learnt, judging)]
    assert not sources[0] & sources[1]


def test_the_choice_depends_on_the_names_alone(tmp_path: Path) -> None:
    names = [f"{n}.flac" for n in range(20)]
    here = _folder(tmp_path / "here", names)
    there = _folder(tmp_path / "there", list(reversed(names)))
    chosen = [[path.name for path in noise_paths(folder, "test")] for folder in (here, there)]
    assert chosen[0] == chosen[1] != []


def test_a_single_source_serves_both_and_an_empty_folder_none(tmp_path: Path) -> None:
    folder = _folder(tmp_path, ["hum-1.wav", "hum-2.wav"])
    assert noise_paths(folder, "train") == noise_paths(folder, "test") != []
    (tmp_path / "empty").mkdir()
    assert noise_paths(tmp_path / "empty", "train") == []
