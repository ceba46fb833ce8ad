"""Faults that pass are waited for; others are told at once and without secrets."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from serenade.distributed.retry import is_passing, status_of, with_retries
from serenade.distributed.stores import fetch, open_store
from serenade.errors import DownloadError, MissingExtraError

if TYPE_CHECKING:
    from tests.unit.distributed.conftest import WebStore

ENOUGH = 1_000_000


class _StatusError(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(),
        OSError(errno.ETIMEDOUT, "timed out"),
        OSError(errno.EBUSY, "slow down"),
        _StatusError(500),
        _StatusError(503),
        _StatusError(429),
    ],
)
def test_timeouts_resets_and_busy_servers_pass(error: Exception) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "no"),
        PermissionError(errno.EACCES, "no"),
        OSError(errno.ENOSPC, "full"),
        ValueError("corrupt"),
        _StatusError(403),
        _StatusError(404),
    ],
)
def test_what_stays_wrong_does_not_pass(error: Exception) -> None:
    assert not is_passing(error)


@pytest.mark.parametrize(("status", "passes"), [(503, True), (429, True), (403, False)])
def test_an_answer_of_s3_is_told_by_its_status(status: int, passes: bool) -> None:
    exceptions = pytest.importorskip("botocore.exceptions", reason="comes with s3fs")
    answer = {"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = OSError(errno.EIO, "as s3fs tells it")
    error.__cause__ = exceptions.ClientError(answer, "GetObject")
    assert status_of(error) == status
    assert is_passing(error) == passes


def test_an_s3_that_does_not_answer_passes() -> None:
    exceptions = pytest.importorskip("botocore.exceptions", reason="comes with s3fs")
    assert is_passing(exceptions.EndpointConnectionError(endpoint_url="http://x"))
    assert is_passing(exceptions.ReadTimeoutError(endpoint_url="http://x"))
    assert not is_passing(exceptions.NoCredentialsError())


@pytest.mark.parametrize(("status", "passes"), [(503, True), (403, False)])
def test_an_answer_of_google_storage_is_told_by_its_status(status: int, passes: bool) -> None:
    retry = pytest.importorskip("gcsfs.retry", reason="comes with gcsfs")
    error = retry.HttpError({"code": status, "message": "no"})
    assert status_of(error) == status
    assert is_passing(error) == passes


def test_waits_double_up_to_half_a_minute_and_then_the_last_fault_is_raised() -> None:
    waits: list[float] = []
    n_calls = 0

    def fail() -> None:
        nonlocal n_calls
        n_calls += 1
        raise TimeoutError(n_calls)

    with pytest.raises(TimeoutError, match="10"):
        with_retries(fail, attempts=10, sleep=waits.append)
    assert n_calls == 10
    limits = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert [limit / 2 <= wait <= limit for wait, limit in zip(waits, limits, strict=True)] == [
        True
    ] * 9


def test_what_does_not_pass_is_tried_once() -> None:
    waits: list[float] = []

    def fail() -> None:
        raise ValueError("corrupt")

    with pytest.raises(ValueError, match="corrupt"):
        with_retries(fail, attempts=5, sleep=waits.append)
    assert waits == []


@pytest.mark.parametrize("failures", [[503], [0], [500, 429]])
def test_an_object_comes_after_passing_faults(web_store: WebStore, failures: list[int]) -> None:
    web_store.objects["/a.wav"] = b"sound"
    web_store.failures["/a.wav"] = failures.copy()
    assert fetch(f"{web_store.url}/a.wav", max_bytes=ENOUGH, attempts=4) == b"sound"


@pytest.mark.parametrize(("status", "reason"), [(403, "HTTP status 403"), (404, "HTTP status 404")])
def test_a_refusal_is_tried_once_and_told_without_the_signature(
    web_store: WebStore, status: int, reason: str
) -> None:
    web_store.failures["/a.wav"] = [status] * 9
    with pytest.raises(DownloadError, match=reason) as error:
        fetch(f"{web_store.url}/a.wav?X-Amz-Signature=secret", max_bytes=ENOUGH, attempts=5)
    assert "secret" not in str(error.value)
    assert web_store.n_requests["/a.wav"] <= 2  # fsspec may ask for the size first


def test_a_server_that_stays_broken_is_given_up(web_store: WebStore) -> None:
    web_store.failures["/a.wav"] = [503] * 20
    with pytest.raises(DownloadError, match=r"HTTP status 503\); tried 2 times; try again later"):
        fetch(f"{web_store.url}/a.wav", max_bytes=ENOUGH, attempts=2)


def test_nothing_listens_is_one_clear_error() -> None:
    with pytest.raises(DownloadError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/a.wav", max_bytes=ENOUGH, attempts=1)


def test_a_body_beyond_the_limit_is_not_read_to_its_end(web_store: WebStore) -> None:
    web_store.objects["/a.wav"] = bytes(3_000_000)
    with pytest.raises(DownloadError, match="larger than 1,000,000 bytes; raise max_megabytes"):
        fetch(f"{web_store.url}/a.wav", max_bytes=1_000_000, attempts=1)


def test_a_store_whose_library_is_absent_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(protocol: str) -> None:
        raise ImportError(f"Please install what {protocol} needs")

    monkeypatch.setattr("fsspec.filesystem", absent)
    with pytest.raises(MissingExtraError, match=r'pip install "serenade\[gs\]"'):
        open_store("gs://bucket/a.wav")
