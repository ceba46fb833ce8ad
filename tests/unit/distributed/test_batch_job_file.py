"""Job files: what they may say, and what is said when they are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serenade.distributed.job import Job, read_job
from serenade.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, text: str) -> Path:
    path = folder / "job.toml"
    path.write_text(text)
    return path


def test_relative_paths_start_from_the_folder_of_the_job(tmp_path: Path) -> None:
    job = read_job(_write(tmp_path, 'input = "calls"\noutput = "out"\nmodel = "./tiny"\n'))
    assert job.input == str(tmp_path / "calls")
    assert job.output == str(tmp_path / "out")
    assert job.model == str(tmp_path / "tiny")


def test_urls_and_names_of_models_stay_as_they_are(tmp_path: Path) -> None:
    text = 'input = "s3://calls/2026"\noutput = "gs://results/a"\nmodel = "compact"\n'
    job = read_job(_write(tmp_path, text))
    assert (job.input, job.output, job.model) == ("s3://calls/2026", "gs://results/a", "compact")


def test_whole_numbers_are_taken_where_numbers_are_wanted(tmp_path: Path) -> None:
    job = read_job(_write(tmp_path, 'input = "a"\noutput = "b"\nmax_seconds = 60\n'))
    assert job.max_seconds == 60.0
    assert Job("a", "b", max_megabytes=2.5).max_bytes == 2_500_000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('output = "b"', "key 'input' is missing"),
        ('input = "a"\noutput = "b"\nworkers = 3', "unknown key 'workers'; allowed are input,"),
        ('input = "a"\noutput = "b"\ntask = "sing"', "task is 'sing'; allowed are predict, "),
        ('input = "a"\noutput = "b"\nformat = "csv"', "format is 'csv'; allowed are jsonl, par"),
        ('input = "a"\noutput = "b"\nshard_size = 0', "shard_size is 0; it must be 1 or more"),
        ('input = "a"\noutput = "b"\nshard_size = "x"', "shard_size is 'x'; it must be of type"),
        ('input = "a"\noutput = "b"\nshard_size = true', "shard_size is True; it must be of type"),
        ('input = "a"\noutput = "b"\nmax_seconds = 0', "max_seconds is 0.0; it must be positive"),
        ('input = ""\noutput = "b"', "input is empty"),
        ('input = "ftp://x/a"\noutput = "b"', "URLs that begin with ftp:// are not allowed"),
        ('input = "a"\noutput = "http://x/b"', "URLs that begin with http:// are not allowed"),
        ('input = "a"\noutput = "b"\nmax_seconds = nan', "max_seconds is nan; it must be pos"),
        ('input = "a"\noutput = "b"\nmax_megabytes = inf', "max_megabytes is inf; it must be 1,0"),
        ('input = "a"\noutput = "b"\nattempts = 2_000_000_000', "it must be 1,000,000,000 or less"),
        ('input = "a"\noutput = "b"\nmax_seconds = -1e9', "max_seconds is -1000000000.0; it must"),
        (f'input = "a"\noutput = "b"\nmax_seconds = 0x{"f" * 9999}', "max_seconds is far too"),
        (f'input = "a"\noutput = "b"\nshard_size = {"9" * 9999}', "a number that is too long"),
        (f'input = "a"\noutput = "b"\nattempts = {"[" * 99999}', "brackets that are too deep"),
        ('input = "a\\u0000"\noutput = "b"', r"'a\x00' holds the character '\x00'"),
        ('input = "a"\noutput = "b\\u0000"', r"'b\x00' holds the character '\x00'"),
        ('input = "http://[a/b.wav"\noutput = "b"', "a URL has '[a' where the name of a host"),
        ("input = ", "not a TOML file"),
    ],
)
def test_a_wrong_job_is_one_clear_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(JobError) as error:
        read_job(path)
    assert str(error.value).startswith(f"{path}: ")
    assert sentence in str(error.value)


def test_a_job_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="the job cannot be read"):
        read_job(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/a", "https://user:secret@host/a.wav", "https://me@host/a"]
)
def test_credentials_in_a_url_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(JobError, match="give credentials in the environment") as error:
        read_job(_write(tmp_path, f'input = "{url}"\noutput = "b"\n'))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["simplecache::s3://bucket/a", "zip://a.wav::http://host/a.zip"])
def test_chained_urls_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(JobError, match="are not allowed"):
        read_job(_write(tmp_path, f'input = "{url}"\noutput = "b"\n'))
