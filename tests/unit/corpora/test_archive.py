"""Archives are unpacked whole or not at all, and never beyond their folder or their limits."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from serenade.corpora.archive import Limits, extract, is_archive
from serenade.errors import DownloadError

TREE = {"Actor_01/a.wav": b"sound", "Actor_02/b.wav": b"more sound", "README": b""}


def _zip(path: Path, members: dict[str, bytes], *, mode: int | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                info.external_attr = mode << 16
            file.writestr(info, content)
    return path


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], packing: str = "gz") -> Path:
    with tarfile.open(path, f"w:{packing}") as file:  # type: ignore[call-overload] # not literal
        for info, content in members:
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def _everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _assert_refused(archive: Path, match: str, limits: Limits | None = None) -> None:
    before = _everything(archive.parent)
    with pytest.raises(DownloadError, match=match):
        extract(archive, archive.parent / "out", limits=limits or Limits())
    assert _everything(archive.parent) == before, "something was left behind"


@pytest.mark.parametrize("packing", ["zip", "", "gz", "bz2", "xz"])
def test_sound_archive_is_unpacked_whatever_its_packing(tmp_path: Path, packing: str) -> None:
    archive = tmp_path / "archive"
    if packing == "zip":
        _zip(archive, TREE)
    else:
        members = [(_member(name), content) for name, content in TREE.items()]
        _tar(archive, *members, packing=packing)
    files = extract(archive, tmp_path / "deep" / "out")
    found = {f.relative_to(tmp_path / "deep" / "out").as_posix(): f.read_bytes() for f in files}
    assert found == TREE


def test_folder_entries_are_made(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"empty/": b"", "full/a.wav": b"x"})
    extract(archive, tmp_path / "out")
    assert _everything(tmp_path / "out") == {"empty", "full", "full/a.wav"}


def test_entry_for_the_folder_itself_is_harmless(tmp_path: Path) -> None:
    top = _member(".", tarfile.DIRTYPE)
    tar = _tar(tmp_path / "a.tar.gz", (top, b""), (_member("./full/a.wav"), b"x"))
    extract(tar, tmp_path / "tar")
    extract(_zip(tmp_path / "a.zip", {"./": b"", "./full/a.wav": b"x"}), tmp_path / "zip")
    assert _everything(tmp_path / "tar") == _everything(tmp_path / "zip") == {"full", "full/a.wav"}


@pytest.mark.parametrize(
    "name",
    ["../evil.wav", "a/../../evil.wav", "/tmp/evil.wav", "..\\evil.wav", "C:evil.wav", "."],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    _assert_refused(_zip(tmp_path / "a.zip", {"good.wav": b"x", name: b"x"}), "leads out")
    (tmp_path / "a.zip").unlink()
    tar = _tar(tmp_path / "a.tar.gz", (_member("good.wav"), b"x"), (_member(name), b"x"))
    _assert_refused(tar, "leads out")


def test_name_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"good.wav#": b"x"})
    archive.write_bytes(archive.read_bytes().replace(b"good.wav#", b"good.wav\0"))
    _assert_refused(archive, r"leads out|damaged")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = _tar(tmp_path / "a.tar", (_member("x", kind, "/etc/passwd"), b""), packing="")
    _assert_refused(archive, "link or a device")


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010644])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    _assert_refused(_zip(tmp_path / "a.zip", {"x": b"/etc/passwd"}, mode=mode), "link or a device")


def test_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    _assert_refused(_zip(tmp_path / "a.zip", {"x.wav": bytes(5_000_000)}), "unpacks to 5000000")


def test_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"x.wav": bytes(5_000_000)})
    honest, lie = struct.pack("<I", 5_000_000), struct.pack("<I", 10)
    archive.write_bytes(archive.read_bytes().replace(honest, lie))
    _assert_refused(archive, "damaged")


def test_too_many_bytes_or_entries_are_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", TREE)
    _assert_refused(archive, "15 bytes or more; 14 are allowed", Limits(total_bytes=14))
    _assert_refused(archive, "3 entries; 2 are allowed", Limits(entries=2))


@pytest.mark.parametrize(
    "members",
    [
        {"A/x.wav": b"1", "a/X.wav": b"2"},
        {"a": b"1", "a/b.wav": b"2"},
        {"a/b.wav": b"1", "A": b"2"},
    ],
)
def test_names_that_clash_are_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    _assert_refused(_zip(tmp_path / "a.zip", members), "two entries are called")


def test_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    archive = _tar(tmp_path / "a.tar.gz", (_member("a.wav"), bytes(range(256)) * 100))
    archive.write_bytes(archive.read_bytes()[:-200])
    _assert_refused(archive, r"damaged|neither")
    (tmp_path / "a.tar.gz").unlink()
    (tmp_path / "b.zip").write_text("<html>not found</html>")
    _assert_refused(tmp_path / "b.zip", "neither a zip nor a tar")


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_damage_that_a_tar_does_not_see_is_found_by_its_packing(
    tmp_path: Path, packing: str
) -> None:
    noise = random.Random(0).randbytes(1_000_000)
    archive = _tar(tmp_path / "a", (_member("a.wav"), noise), packing=packing)
    packed = archive.read_bytes()
    archive.write_bytes(packed[:-5000] + bytes(100) + packed[-4900:])
    _assert_refused(archive, "damaged")


def test_zip_with_a_damaged_name_or_offset_is_refused(tmp_path: Path) -> None:
    sound = _zip(tmp_path / "a.zip", {"ä.wav": b"x"}).read_bytes()
    (tmp_path / "a.zip").write_bytes(sound.replace("ä".encode(), b"\xff\xff"))
    _assert_refused(tmp_path / "a.zip", "damaged")
    (tmp_path / "a.zip").write_bytes(sound[:-10] + b"\xff" + sound[-9:])
    _assert_refused(tmp_path / "a.zip", "damaged")


def test_flipped_byte_is_found_by_the_checksum(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.wav", b"unpacked content")
    archive.write_bytes(archive.read_bytes().replace(b"unpacked", b"unpicked"))
    _assert_refused(archive, "damaged")


def test_existing_folder_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    _assert_refused(_zip(tmp_path / "a.zip", TREE), "exists already")


def test_folder_below_a_file_is_one_clear_error(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", TREE)
    with pytest.raises(DownloadError, match=r"a\.zip: cannot be unpacked .*can be written"):
        extract(archive, archive / "out")
    with pytest.raises(DownloadError, match=r"a\.zip: cannot be unpacked .*can be written"):
        extract(archive, archive / "deep" / "out")


def test_archives_are_told_by_name() -> None:
    assert is_archive(Path("a.ZIP"))
    assert is_archive(Path("a.tar.gz"))
    assert not is_archive(Path("a.csv"))
