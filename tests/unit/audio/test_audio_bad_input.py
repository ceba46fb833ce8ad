"""Everything that is no audio is one clear sentence."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from serenade.audio.decode import AudioSource, decode, decode_blocks, probe
from serenade.audio.naming import name_of
from serenade.errors import AudioError

RATE = 16_000


def encode(
    samples: npt.NDArray[np.float64],
    container: str = "WAV",
    encoding: str = "PCM_16",
    rate: int = RATE,
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=encoding)
    return buffer.getvalue()


def chirp(seconds: float = 3.0) -> npt.NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).standard_normal(time.size)
    return 0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time) + 0.01 * noise


def wav_header(
    *, channels: int = 1, rate: int = RATE, data_size: int = 0, riff_size: int = 36
) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * 2, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff_size) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", data_size)


def refusal(source: AudioSource) -> str:
    """The sentence with which every way of reading refuses the source."""
    with pytest.raises(AudioError) as whole:
        decode(source)
    with pytest.raises(AudioError) as blocks:
        list(decode_blocks(source))
    assert str(whole.value) == str(blocks.value)
    assert "\n" not in str(whole.value)
    assert str(whole.value).isprintable()
    return str(whole.value)


def test_missing_file(tmp_path: Path) -> None:
    assert "absent.wav' does not exist" in refusal(tmp_path / "absent.wav")


def test_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert "cannot be opened (Not a directory)" in refusal(tmp_path / "a" / "b.wav")


def test_name_with_a_null_byte_or_too_long() -> None:
    assert "cannot be opened" in refusal("a\0b.wav")
    assert "cannot be opened" in refusal("a" * 5000)


def test_empty_path() -> None:
    assert refusal("") == "the path is empty; give the path of a recording"


def test_empty_file_and_empty_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    assert "empty.wav' is empty" in refusal(tmp_path / "empty.wav")
    assert refusal(b"") == "the given data is empty"


def test_header_without_data(tmp_path: Path) -> None:
    header = wav_header()
    assert len(header) == 44
    (tmp_path / "header.wav").write_bytes(header)
    assert "holds no audio data after its header" in refusal(tmp_path / "header.wav")


@pytest.mark.parametrize(
    "text", ["hello", "This is a text.\n" * 100, "RIFF", "ID3", "OggS", "FORM"]
)
def test_text_named_wav(tmp_path: Path, text: str) -> None:
    (tmp_path / "text.wav").write_text(text, encoding="utf-8")
    refusal(tmp_path / "text.wav")


def test_directory(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_unreadable_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(encode(chirp(0.1)))

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    assert "secret.wav' may not be read; check its permissions" in refusal(path)


def test_named_pipe_and_device_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "is a pipe, socket or device" in refusal(tmp_path / "pipe.wav")
    assert "is a pipe, socket or device" in refusal("/dev/zero")


def test_text_stream() -> None:
    with pytest.raises(AudioError, match="gives text, not bytes"):
        decode(io.StringIO("hello"))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_not_finite(value: float, channels: int) -> None:
    samples = np.tile(chirp(0.5)[:, None], (1, channels))
    samples[100, 0] = value
    assert "NaN, infinite or beyond" in refusal(encode(samples, encoding="FLOAT"))


FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("RF64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("container", "encoding"), FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_truncated_files_are_refused_and_nothing_is_printed(
    container: str, encoding: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encode(chirp(), container, encoding)
    assert decode(content).samples.size == 3 * RATE
    assert "truncated" in refusal(content[: int(share * len(content))])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("container", "encoding"), FORMATS)
def test_stumps_of_files_are_refused(
    container: str, encoding: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = encode(chirp(), container, encoding)
    for n_bytes in (1, 3, 4, 11, 12, 30, 44, 100):
        refusal(content[:n_bytes])
    assert "Traceback" not in capfd.readouterr().err


def without_length_header(content: bytes) -> bytes:
    return content.replace(b"Xing", b"\0\0\0\0").replace(b"Info", b"\0\0\0\0")


def test_mp3_without_a_length_header_is_checked_by_its_frames(
    capfd: pytest.CaptureFixture[str],
) -> None:
    buffer = io.BytesIO()
    mode = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
    soundfile.write(buffer, chirp(), RATE, format="MP3", **mode)
    content = without_length_header(buffer.getvalue())
    assert decode(content).samples.size >= 3 * RATE
    assert "truncated" in refusal(content[: len(content) // 2 + 20])
    assert capfd.readouterr() == ("", "")


def test_mp3_whose_length_cannot_be_known_is_refused() -> None:
    content = without_length_header(encode(chirp(), "MP3", "MPEG_LAYER_III"))
    assert "variable bit rate that does not state its length" in refusal(content)


def test_mp3_with_tags_decodes() -> None:
    content = encode(chirp(), "MP3", "MPEG_LAYER_III")
    tag = b"ID3\x04\0\0" + bytes([0, 0, 2, 0]) + bytes(256)
    tagged = tag + content + b"TAG" + bytes(125)
    assert decode(tagged).samples.size == 3 * RATE


@pytest.mark.parametrize(("container", "encoding"), [f for f in FORMATS if f[0] in ("OGG", "MP3")])
def test_recordings_one_behind_the_other_are_refused(container: str, encoding: str) -> None:
    """libsndfile reads the first and is silent about the rest."""
    first, second = encode(chirp(), container, encoding), encode(chirp(2.0), container, encoding)
    message = refusal(first + second)
    assert "several recordings one behind the other" in message
    assert decode(first).samples.size == 3 * RATE


def test_mp3_recordings_with_tags_between_them_are_refused() -> None:
    content = encode(chirp(), "MP3", "MPEG_LAYER_III")
    tag = b"ID3\x04\0\0" + bytes([0, 0, 2, 0]) + bytes(256)
    assert "several recordings" in refusal(content + b"TAG" + bytes(125) + tag + content)


def test_mp3_with_a_frame_more_than_stated_decodes() -> None:
    content = encode(chirp(), "MP3", "MPEG_LAYER_III")
    one_frame = content[: content.index(b"\xff", 50)]
    assert decode(content + one_frame).samples.size == 3 * RATE


def test_bytes_of_every_kind_decode() -> None:
    content = encode(chirp())
    expected = decode(content).samples
    for source in (bytearray(content), memoryview(content)):
        np.testing.assert_array_equal(decode(source).samples, expected)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    closed = io.BytesIO(encode(chirp()))
    closed.close()
    assert "cannot be read" in refusal(closed)
    with (tmp_path / "new").open("wb") as only_written:
        assert "cannot be read" in refusal(only_written)
    for source in (None, 3, [1.0, 2.0]):
        assert "is no audio; give a path" in refusal(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", [0.5, 1.0, -1, 2])
def test_a_channel_that_is_not_there_is_refused(channel: float) -> None:
    content = encode(np.stack([chirp(), chirp()], axis=1))
    with pytest.raises(AudioError, match="choose one from 0 to 1"):
        list(decode_blocks(content, channel=channel))  # type: ignore[arg-type]


def test_zero_channels() -> None:
    assert "Channel count is zero" in refusal(wav_header(channels=0, data_size=4) + bytes(4))


@pytest.mark.parametrize("claim", [0xFFFFFFFF, 0xFFFFFFF0, 4_000_000_000])
def test_forged_size_allocates_nothing(claim: int) -> None:
    content = wav_header(data_size=claim) + bytes(32_000)
    tracemalloc.start()
    message = refusal(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "truncated" in message
    assert peak < 20_000_000


def test_forged_rf64_size() -> None:
    content = bytearray(encode(chirp(), "RF64"))
    at = content.index(b"ds64") + 8
    content[at : at + 16] = struct.pack("<QQ", 1 << 40, 1 << 40)
    assert "truncated" in refusal(bytes(content))


def test_forged_rate_and_channel_count() -> None:
    refusal(wav_header(rate=0xFFFFFFF, data_size=32_000) + bytes(32_000))
    refusal(wav_header(channels=65_535, data_size=32_000) + bytes(32_000))


def test_random_damage_never_escapes_as_another_error(capfd: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    for container, encoding in FORMATS:
        content = bytearray(encode(chirp(0.5), container, encoding))
        for _ in range(15):
            damaged = bytearray(content)
            places = generator.integers(0, min(len(content), 400), 6)
            damaged[places[0] : places[0] + 4] = generator.bytes(4)
            damaged[places[1] : places[1] + 1] = generator.bytes(1)
            for read in (decode, probe):
                with suppress(AudioError):
                    read(bytes(damaged))
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "name", ["two\nlines.wav", "tab\t.wav", "voice 😀.wav", "bell\a.wav", b"not-utf8-\xff.wav"]
)
def test_odd_file_names_decode_and_are_named_on_one_line(tmp_path: Path, name: str | bytes) -> None:
    path = os.path.join(tmp_path, os.fsdecode(name))  # noqa: PTH118 - a name of bytes
    assert "does not exist" in refusal(path)
    Path(path).write_bytes(encode(chirp(0.1)))
    assert decode(path).samples.size == 1600
    name_of(path).encode()


def test_a_disk_that_fails_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode(chirp()))

    def fail(raw: object, name: str) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("serenade.audio.opening.check_complete", fail)
    with pytest.raises(AudioError, match=r"a.wav' cannot be read \(Input/output error\); check"):
        decode(path)


def test_a_stream_whose_reading_fails_is_one_clear_error() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> NoReturn:
            raise RuntimeError("database gone")

    with pytest.raises(AudioError, match=r"RuntimeError: database gone\); give the bytes"):
        decode(Broken())
