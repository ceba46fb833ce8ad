"""Downloads survive a bad server, and a file is complete and as published or not there at all."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from serenade.corpora.corpus import Card, Corpus, RemoteFile, RemoteIndex, ScanResult
from serenade.corpora.download import Patience, download_corpus, fetch
from serenade.corpora.download_record import RECORD
from serenade.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = bytes(range(256)) * 4000
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(attempts=3, backoff_seconds=0.0, timeout_seconds=5.0)


@dataclass
class Publisher:
    """What the server has and how it behaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    etag: str | None = '"v1"'
    ranges: bool = True
    drops: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lengths: bool = True
    shift: int = 0
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def file(self, name: str = "a.bin", **published: object) -> RemoteFile:
        return RemoteFile(f"{self.url}/{name}", name, **published)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def do_GET(self) -> None:
        publisher = self.publisher
        wanted = self.headers.get("Range")
        publisher.requests.append((self.path, wanted))
        if publisher.statuses:
            self._empty(publisher.statuses.pop(0))
            return
        content = publisher.files.get(self.path[1:])
        if content is None:
            self._empty(404)
            return
        same = self.headers.get("If-Range") in (None, publisher.etag)
        start = int(wanted[6:-1]) if wanted and publisher.ranges and same else 0
        if start >= len(content):
            self._empty(416, f"bytes */{len(content)}")
            return
        self.send_response(206 if start else 200)
        if start:
            first = start + publisher.shift
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if publisher.etag:
            self.send_header("ETag", publisher.etag)
        if publisher.lengths:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = start + publisher.drops.pop(0) if publisher.drops else len(content)
        self.wfile.write(content[start:stop])

    def _empty(self, status: int, content_range: str | None = None) -> None:
        self.send_response(status)
        if content_range:
            self.send_header("Content-Range", content_range)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A server on this machine that misbehaves as it is told."""
    state = Publisher(files={"a.bin": CONTENT})
    handler = type("Handler", (_Handler,), {"publisher": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def _corpus(*download: RemoteFile | RemoteIndex, registration: str | None = None) -> Corpus:
    card = Card("t", 2, 9, (), (), "l", "c", "u", download=download, registration=registration)
    return Corpus("Mine", card, lambda _: ScanResult((), ()))


def test_good_file_is_fetched_and_recorded(publisher: Publisher, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    file = publisher.file(size_bytes=len(CONTENT), digest=MD5)
    path = fetch(file, tmp_path, progress=lambda *step: seen.append(step), patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert seen[0] == ("a.bin", 0, len(CONTENT))
    assert seen[-1] == ("a.bin", len(CONTENT), len(CONTENT))
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["a.bin"] == {"url": file.url, "bytes": len(CONTENT), "digest": SHA256}
    assert {path.name for path in tmp_path.iterdir()} == {"a.bin", RECORD}


def test_dropped_connection_is_resumed_where_it_broke(publisher: Publisher, tmp_path: Path) -> None:
    half = len(CONTENT) // 2
    publisher.drops = [half, 1000]
    path = fetch(publisher.file(digest=SHA256), tmp_path, patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in publisher.requests] == [
        None,
        f"bytes={half}-",
        f"bytes={half + 1000}-",
    ]


def test_next_run_takes_up_what_the_last_one_left(publisher: Publisher, tmp_path: Path) -> None:
    publisher.drops = [1000]
    publisher.statuses = []
    impatient = Patience(attempts=1, backoff_seconds=0.0, timeout_seconds=5.0)
    with pytest.raises(DownloadError, match=r"connection broke after 1000 of .* run the command"):
        fetch(publisher.file(), tmp_path, patience=impatient)
    assert not (tmp_path / "a.bin").exists()
    assert (tmp_path / "a.bin.part").stat().st_size == 1000
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert publisher.requests[-1][1] == "bytes=1000-"
    assert {path.name for path in tmp_path.iterdir()} == {"a.bin", RECORD}


def test_server_that_ignores_ranges_is_read_from_the_start(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.ranges = False
    publisher.drops = [1000]
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT


def test_file_that_changed_meanwhile_is_not_mixed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.drops = [1000]
    with pytest.raises(DownloadError, match="broke"):
        fetch(publisher.file(), tmp_path, patience=Patience(1, 0.0, 5.0))
    publisher.files["a.bin"] = CONTENT[::-1]
    publisher.etag = '"v2"'
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT[::-1]


def test_without_tag_and_digest_a_part_is_not_trusted(publisher: Publisher, tmp_path: Path) -> None:
    publisher.etag = None
    (tmp_path / "a.bin.part").write_bytes(b"something else")
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert publisher.requests == [("/a.bin", None)]


def test_part_that_is_complete_is_only_checked(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert fetch(publisher.file(digest=MD5), tmp_path, patience=QUICK).read_bytes() == CONTENT


@pytest.mark.parametrize("tag", [b"\xff\xfe", b"x\ny", b""])
def test_tag_that_no_header_can_hold_is_not_trusted(
    publisher: Publisher, tmp_path: Path, tag: bytes
) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"something else")
    (tmp_path / "a.bin.part.tag").write_bytes(tag)
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert publisher.requests == [("/a.bin", None)]


def test_part_that_is_too_long_is_thrown_away(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT + b"x")
    assert fetch(publisher.file(digest=MD5), tmp_path, patience=QUICK).read_bytes() == CONTENT


def test_server_that_sends_another_part_is_not_believed(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.drops = [1000]
    publisher.shift = 7
    assert fetch(publisher.file(digest=MD5), tmp_path, patience=QUICK).read_bytes() == CONTENT


def test_busy_server_is_asked_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.statuses = [503, 429]
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert len(publisher.requests) == 3


def test_server_that_stays_busy_is_given_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.statuses = [503] * 9
    with pytest.raises(DownloadError, match="answers 503"):
        fetch(publisher.file(), tmp_path, patience=QUICK)
    assert len(publisher.requests) == 3


def test_missing_file_is_one_clear_error_without_a_second_try(
    publisher: Publisher, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match="answers 404 Not Found; look at the publisher's page"):
        fetch(publisher.file("b.bin"), tmp_path, patience=QUICK)
    assert len(publisher.requests) == 1


def test_wrong_bytes_are_refused_and_removed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["a.bin"] = CONTENT[:-1] + b"!"
    with pytest.raises(DownloadError, match=f"where {MD5} is published"):
        fetch(publisher.file(digest=MD5), tmp_path, patience=QUICK)
    assert list(tmp_path.iterdir()) == []


def test_wrong_size_is_refused_before_it_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="offers 1024000 bytes where 5 are published"):
        fetch(publisher.file(size_bytes=5), tmp_path, patience=QUICK)


def test_endless_file_of_unknown_length_is_cut_off(publisher: Publisher, tmp_path: Path) -> None:
    publisher.lengths = False
    with pytest.raises(DownloadError, match="more than the 5 bytes"):
        fetch(publisher.file(size_bytes=5), tmp_path, patience=QUICK)


def test_file_of_unknown_length_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    publisher.lengths = False
    assert fetch(publisher.file(), tmp_path, patience=QUICK).read_bytes() == CONTENT


def test_later_download_must_equal_the_first(publisher: Publisher, tmp_path: Path) -> None:
    fetch(publisher.file(), tmp_path, patience=QUICK).unlink()
    publisher.files["a.bin"] = CONTENT[::-1]
    with pytest.raises(DownloadError, match=f"where {SHA256} is recorded in {RECORD}"):
        fetch(publisher.file(), tmp_path, patience=QUICK)


@pytest.mark.parametrize(
    "record", ["", "null", "[1, 2]", '{"a.bin": "x"}', '{"a.bin": {"digest": "sha1:00"}}']
)
def test_record_that_is_none_is_told_before_anything_is_fetched(
    publisher: Publisher, tmp_path: Path, record: str
) -> None:
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(DownloadError, match=f"{RECORD}: .*; remove it to start a new record"):
        fetch(publisher.file(digest=MD5), tmp_path, patience=QUICK)
    assert publisher.requests == []


def test_folder_in_the_place_of_the_file_is_told_before_it_is_fetched(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(DownloadError, match=r"a\.bin: is a folder; move it away"):
        fetch(publisher.file(), tmp_path, patience=QUICK)
    assert publisher.requests == []


def test_file_in_the_place_of_a_folder_is_one_clear_error(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "AudioWAV").touch()
    file = RemoteFile(f"{publisher.url}/a.bin", "AudioWAV/a.bin")
    with pytest.raises(DownloadError, match=r"AudioWAV: cannot be written \(File exists\)"):
        fetch(file, tmp_path, patience=QUICK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("content", [CONTENT, b"few bytes"])
def test_full_disk_is_told_without_a_second_try(
    publisher: Publisher, tmp_path: Path, content: bytes
) -> None:
    publisher.files["a.bin"] = content
    (tmp_path / "a.bin.part").symlink_to("/dev/full")
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    with pytest.raises(DownloadError, match=r"a\.bin: cannot be written \(No space left"):
        fetch(publisher.file(digest=digest), tmp_path, patience=QUICK)
    assert len(publisher.requests) == 1


def test_dead_server_and_other_schemes_are_clear_errors(tmp_path: Path) -> None:
    dead = RemoteFile("http://127.0.0.1:1/a.bin", "a.bin")
    with pytest.raises(DownloadError, match=r"cannot be fetched .*refused"):
        fetch(dead, tmp_path, patience=QUICK)
    with pytest.raises(DownloadError, match="only http and https"):
        fetch(RemoteFile("file:///etc/passwd", "a.bin"), tmp_path)


def _zipped(members: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return memory.getvalue()


def test_corpus_is_fetched_unpacked_and_not_fetched_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["speech.zip"] = _zipped({"Actor_01/a.wav": b"sound"})
    corpus = _corpus(publisher.file("speech.zip"), publisher.file("a.bin"))
    for _ in range(2):
        download_corpus(corpus, tmp_path / "new" / "corpus", patience=QUICK)
    folder = tmp_path / "new" / "corpus"
    assert (folder / "speech" / "Actor_01" / "a.wav").read_bytes() == b"sound"
    assert {path.name for path in folder.iterdir()} == {"speech", "a.bin", RECORD}
    assert len(publisher.requests) == 2


def test_hostile_archive_writes_nothing_outside(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["speech.zip"] = _zipped({"../../evil.wav": b"x"})
    with pytest.raises(DownloadError, match="leads out of the folder"):
        download_corpus(_corpus(publisher.file("speech.zip")), tmp_path / "c", patience=QUICK)
    assert not list(tmp_path.rglob("evil.wav"))
    assert not (tmp_path / "c" / "speech").exists()


def test_archive_that_was_a_page_for_a_while_is_fetched_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["speech.zip"] = b"<html>try later</html>"
    corpus = _corpus(publisher.file("speech.zip"))
    advice = f"run the command again, .* look at {publisher.url}/speech.zip in a browser"
    with pytest.raises(DownloadError, match=f"neither a zip nor a tar archive; .*{advice}"):
        download_corpus(corpus, tmp_path, patience=QUICK)
    assert {path.name for path in tmp_path.iterdir()} == {RECORD}
    publisher.files["speech.zip"] = _zipped({"Actor_01/a.wav": b"sound"})
    download_corpus(corpus, tmp_path, patience=QUICK)
    assert (tmp_path / "speech" / "Actor_01" / "a.wav").read_bytes() == b"sound"


def test_archive_that_is_as_published_is_not_removed_when_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["speech.zip"] = CONTENT
    with pytest.raises(DownloadError, match=r"neither .*; remove speech\.zip and run the command"):
        download_corpus(_corpus(publisher.file("speech.zip", digest=MD5)), tmp_path, patience=QUICK)
    assert (tmp_path / "speech.zip").is_file()


def test_listed_files_are_fetched_one_by_one(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files |= {"list.csv": b'"N","Name"\n1,"x"\n2,"y"\n', "x.wav": b"1", "y.wav": b"2"}
    index = RemoteIndex(
        table=publisher.file("list.csv"),
        column="Name",
        url=f"{publisher.url}/{{}}.wav",
        name="AudioWAV/{}.wav",
    )
    download_corpus(_corpus(index), tmp_path, patience=QUICK)
    assert (tmp_path / "AudioWAV" / "x.wav").read_bytes() == b"1"
    assert (tmp_path / "AudioWAV" / "y.wav").read_bytes() == b"2"


def test_one_missing_listed_file_does_not_stop_the_others(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files |= {"list.csv": b"Name\nx\ny\n", "y.wav": b"2"}
    index = RemoteIndex(publisher.file("list.csv"), "Name", f"{publisher.url}/{{}}.wav", "{}.wav")
    with pytest.raises(DownloadError, match=r"1 of the files that list\.csv lists"):
        download_corpus(_corpus(index), tmp_path, patience=QUICK)
    assert (tmp_path / "y.wav").read_bytes() == b"2"


def test_network_that_is_gone_stops_at_the_first_listed_file(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files |= {"list.csv": b"Name\nx\ny\n", "y.wav": b"2"}
    index = RemoteIndex(publisher.file("list.csv"), "Name", f"{publisher.url}/{{}}.wav", "{}.wav")
    fetch(index.table, tmp_path, patience=QUICK)
    publisher.statuses = [503] * 9
    with pytest.raises(DownloadError, match=r"x\.wav: cannot be fetched .* run the command again"):
        download_corpus(_corpus(index), tmp_path, patience=QUICK)
    assert [path for path, _ in publisher.requests] == ["/list.csv"] + ["/x.wav"] * 3


@pytest.mark.parametrize(
    "listed",
    [b"<html>try later</html>", b"<html>\ntry later", b"\xff\xfe<html>", b"Name\n", b"N,Name\n1\n"],
)
def test_list_that_was_no_table_for_a_while_is_fetched_again(
    publisher: Publisher, tmp_path: Path, listed: bytes
) -> None:
    publisher.files |= {"list.csv": listed, "x.wav": b"1"}
    index = RemoteIndex(publisher.file("list.csv"), "Name", f"{publisher.url}/{{}}.wav", "{}.wav")
    with pytest.raises(DownloadError, match=r"list\.csv is removed: run the command again, and"):
        download_corpus(_corpus(index), tmp_path, patience=QUICK)
    publisher.files["list.csv"] = b"Name\nx\n"
    download_corpus(_corpus(index), tmp_path, patience=QUICK)
    assert (tmp_path / "x.wav").read_bytes() == b"1"


@pytest.mark.parametrize("listed", [b"Name\n../../x\n", b"Name\n/etc/x\n", b"Other\nx\n"])
def test_list_that_leads_out_of_the_folder_is_refused(
    publisher: Publisher, tmp_path: Path, listed: bytes
) -> None:
    publisher.files["list.csv"] = listed
    index = RemoteIndex(publisher.file("list.csv"), "Name", f"{publisher.url}/{{}}", "{}")
    with pytest.raises(DownloadError, match=r"no plain file name|not a table with a column"):
        download_corpus(_corpus(index), tmp_path, patience=QUICK)


def test_corpus_with_registration_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="Mine must be fetched by hand: write a letter"):
        download_corpus(_corpus(registration="write a letter"), tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_folder_that_cannot_be_made_is_one_clear_error(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="folder cannot be made"):
        download_corpus(_corpus(publisher.file()), tmp_path / "file" / "c", patience=QUICK)
