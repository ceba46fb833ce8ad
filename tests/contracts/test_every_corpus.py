"""Every corpus of the registry has a complete card and reads a small made-up tree to known values.

A new corpus needs a tree here: file names that its publisher gives, and what each must say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from serenade.corpora.corpus import RemoteFile, RemoteIndex
from serenade.corpora.manifest import read_manifest, write_manifest
from serenade.corpora.registry import CORPORA, corpus
from serenade.emotions import parse_emotion
from serenade.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

DROPPED = None
"""What a tree says of a file that must be reported and not be guessed."""

STRANGER = "strange name.wav"

TREES: dict[str, dict[str, dict[str, Any] | None]] = {
    "RAVDESS": {
        "Audio_Speech_Actors_01-24/Actor_01/03-01-05-02-01-02-01.wav": {
            "id": "RAVDESS/03-01-05-02-01-02-01",
            "emotion": "anger",
            "speaker": "01",
            "sex": "male",
            "intensity": "strong",
            "statement": "01",
        },
        "Audio_Song_Actors_01-24/Actor_02/03-02-02-01-02-01-02.wav": {
            "id": "RAVDESS/03-02-02-01-02-01-02",
            "emotion": "calm",
            "speaker": "02",
            "sex": "female",
            "intensity": "normal",
            "statement": "02",
        },
        "03-01-01-01-01-01-24.flac": {"emotion": "neutral", "speaker": "24"},
        "Actor_03/03-01-08-01-01-01-03.mp3": {"emotion": "surprise", "sex": "male"},
        "Actor_07/03-01-03-01-02-01-07.wav": {"emotion": "happiness"},
        "Actor_07/03-01-03-01-02-02-07.wav": DROPPED,
        "Actor_01/03-01-09-02-01-02-01.wav": DROPPED,
        "Actor_01/01-01-05-02-01-02-01.wav": DROPPED,
        "Actor_25/03-01-05-02-01-02-25.wav": DROPPED,
        "Video_Speech_Actor_01.zip": DROPPED,
    },
    "CREMA-D": {
        "AudioWAV/1001_IEO_ANG_HI.wav": {
            "id": "CREMA-D/1001_IEO_ANG_HI",
            "emotion": "anger",
            "speaker": "1001",
            "sex": "male",
            "intensity": "high",
            "statement": "IEO",
        },
        "AudioMP3/1001_IEO_ANG_HI.mp3": DROPPED,
        "AudioWAV/1002_DFA_NEU_XX.wav": {"emotion": "neutral", "sex": "female", "intensity": None},
        "AudioWAV/1091_IEO_DIS_LO.wav": {"emotion": "disgust", "intensity": "low"},
        "AudioWAV/1004_IEO_FEA_MD.wav": {"emotion": "fear", "intensity": "medium"},
        "AudioWAV/1076_MTI_SAD_XX.wav": DROPPED,
        "AudioWAV/1013_WSI_DIS_XX.wav": DROPPED,
        "AudioWAV/1013_WSI_SAD_XX.wav": DROPPED,
        "AudioWAV/1017_IWW_ANG_XX.wav": DROPPED,
        "AudioWAV/1017_IWW_FEA_XX.wav": DROPPED,
        "AudioWAV/1092_IEO_ANG_HI.wav": DROPPED,
    },
    "TESS": {
        "OAF_angry/OAF_back_angry.wav": {
            "id": "TESS/OAF_back_angry",
            "emotion": "anger",
            "speaker": "OAF",
            "sex": "female",
            "age": 64,
            "statement": "back",
        },
        "OAF_Pleasant_surprise/OAF_bar_ps.wav": {"emotion": "surprise", "speaker": "OAF"},
        "YAF_pleasant_surprised/YAF_bar_ps.wav": {"emotion": "surprise", "age": 26},
        "OAF_Fear/OAF_bar_fear.wav": {"emotion": "fear"},
        "OAF_neutral/OA_bite_neutral.wav": {
            "id": "TESS/OAF_bite_neutral",
            "emotion": "neutral",
            "speaker": "OAF",
            "statement": "bite",
        },
        "copy/YAF_bar_ps.wav": {"id": "TESS/YAF_bar_ps"},
        "OAF_neutral/OA_other_neutral.wav": DROPPED,
    },
    "SAVEE": {
        "ALL/DC_a01.wav": {
            "id": "SAVEE/DC_a01",
            "emotion": "anger",
            "speaker": "DC",
            "sex": "male",
            "statement": "a01",
        },
        "ALL/JE_su15.wav": {"emotion": "surprise", "statement": "su15"},
        "AudioData/KL/sa03.wav": {
            "id": "SAVEE/KL_sa03",
            "emotion": "sadness",
            "speaker": "KL",
            "statement": "sa03",
        },
        "AudioData/JK/n30.wav": {"id": "SAVEE/JK_n30", "emotion": "neutral", "speaker": "JK"},
        "AudioData/XX/n30.wav": DROPPED,
        "ALL/DC_x01.wav": DROPPED,
    },
    "EMO-DB": {
        "wav/03a01Fa.wav": {
            "id": "EMO-DB/03a01Fa",
            "emotion": "happiness",
            "speaker": "03",
            "sex": "male",
            "age": 31,
            "language": "de",
            "statement": "a01",
        },
        "wav/16b10Lb.wav": {"emotion": "boredom", "sex": "female", "age": 31},
        "wav/08b02Wd.wav": {"emotion": "anger"},
        "wav/09a05Ea.wav": {"emotion": "disgust"},
        "wav/10a07Ac.wav": {"emotion": "fear"},
        "wav/11a04Td.wav": {"emotion": "sadness"},
        "wav/12a02Nb.wav": {"emotion": "neutral"},
        "wav/04a01Fa.wav": DROPPED,
        "wav/03a01Xa.wav": DROPPED,
    },
    "nEMO": {
        "samples/IC0_anger_1.wav": {
            "id": "nEMO/IC0_anger_1",
            "emotion": "anger",
            "speaker": "IC0",
            "sex": "female",
            "age": 28,
            "language": "pl",
            "statement": "1",
        },
        "samples/TP0_surprised_90.wav": {"emotion": "surprise", "sex": "male", "statement": "90"},
        "samples/QQ0_anger_1.wav": DROPPED,
    },
    "TurEV-DB": {
        "Sound Source/Angry/1234_kz_acik.wav": {
            "id": "TurEV-DB/1234_kz_acik",
            "emotion": "anger",
            "speaker": "1234",
            "sex": None,
            "language": "tr",
            "statement": "acik",
        },
        "Sound Source/Calm/1984_sk_kagit.wav": {"emotion": "calm"},
        "Sound Source/Happy/6783_mt_dil.wav": {"emotion": "happiness"},
        "Sound Source/Sad/7895_hl_ogul1.wav": {"emotion": "sadness", "statement": "ogul"},
        "Sound Source/Sad/1234_kz_dil.wav": DROPPED,
    },
    "ASED": {
        "01Neutral/n1-01-01-01-03.wav": {
            "id": "ASED/n1-01-01-01-03",
            "emotion": "neutral",
            "speaker": "03",
            "sex": "female",
            "language": "am",
            "statement": "n1-01",
        },
        "04Sad/S4-04-02-01-29.wav": {"id": "ASED/s4-04-02-01-29", "emotion": "sadness"},
        "05Angry/a5-07-01-02-63.wav": {"emotion": "anger", "sex": "male"},
        "05Angry/a5-07-02-02-63.wav": DROPPED,
        "05Angry/n5-07-02-02-63.wav": DROPPED,
    },
    "EMOVO": {
        "f1/dis-f1-b1.wav": {
            "id": "EMOVO/dis-f1-b1",
            "emotion": "disgust",
            "speaker": "f1",
            "sex": "female",
            "language": "it",
            "statement": "b1",
        },
        "m3/gio-m3-n5.wav": {"emotion": "happiness", "sex": "male"},
        "m3/pau-m3-l4.wav": {"emotion": "fear"},
        "m3/rab-m4-l4.wav": DROPPED,
    },
    "ESD": {
        "0001/Angry/train/0001_000401.wav": {
            "id": "ESD/0001_000401",
            "emotion": "anger",
            "speaker": "0001",
            "sex": "female",
            "language": "zh",
            "statement": "zh-051",
            "split": "train",
        },
        "0014/Surprise/evaluation/0014_001401.wav": {
            "emotion": "surprise",
            "sex": "male",
            "language": "en",
            "statement": "en-001",
            "split": "validation",
        },
        "0020/Neutral/0020_000350.wav": {
            "emotion": "neutral",
            "statement": "en-350",
            "split": None,
        },
        "0021/Neutral/0021_000350.wav": DROPPED,
        "0020/0020_000351.wav": DROPPED,
    },
    "JL-Corpus": {
        "JL(wav+txt)/female1_angry_10a_1.wav": {
            "id": "JL-Corpus/female1_angry_10a_1",
            "emotion": "anger",
            "speaker": "female1",
            "sex": "female",
            "language": "en",
            "statement": "10a",
        },
        "JL(wav+txt)/male2_excited_4b_2.wav": {"emotion": "excitement", "sex": "male"},
        "JL(wav+txt)/male2_assertive_4b_2.wav": {"emotion": "assertiveness"},
        "JL(wav+txt)/male3_angry_4b_2.wav": DROPPED,
        "JL(wav+txt)/male1_bold_4b_2.wav": DROPPED,
    },
    "SUBESCO": {
        "F_02_MONIKA_S_1_NEUTRAL_5.wav": {
            "id": "SUBESCO/F_02_MONIKA_S_1_NEUTRAL_5",
            "emotion": "neutral",
            "speaker": "F_02",
            "sex": "female",
            "language": "bn",
            "statement": "1",
        },
        "M_02_NIPUN_S_10_SURPRISE_1.wav": {
            "emotion": "surprise",
            "speaker": "M_02",
            "sex": "male",
            "statement": "10",
        },
        "M_02_NIPUN_S_10_PROUD_1.wav": DROPPED,
    },
    "ShEMO": {
        "female/F01A01.wav": {
            "id": "ShEMO/F01A01",
            "emotion": "anger",
            "speaker": "F01",
            "sex": "female",
            "language": "fa",
            "statement": None,
        },
        "male/M01W12.wav": {"emotion": "surprise", "speaker": "M01", "sex": "male"},
        "male/M01X12.wav": DROPPED,
    },
    "CaFE": {
        "Colère/Fort/01-C-2-1.wav": {
            "id": "CaFE/01-C-2-1",
            "emotion": "anger",
            "speaker": "01",
            "sex": "male",
            "language": "fr",
            "intensity": "strong",
            "statement": "1",
        },
        "Joie/Faible/02-J-1-6.aiff": {
            "emotion": "happiness",
            "sex": "female",
            "intensity": "low",
        },
        "Neutre/12-N-1-3.wav": {"emotion": "neutral", "intensity": None},
        "Neutre/13-N-1-3.wav": DROPPED,
    },
    "URDU": {
        "Angry/SM1_F10_A010.wav": {
            "id": "URDU/SM1_F10_A010",
            "emotion": "anger",
            "speaker": "SM1",
            "sex": "male",
            "language": "ur",
        },
        "Sad/SF12_F3_S03.wav": {"emotion": "sadness", "speaker": "SF12", "sex": "female"},
        "Sad/SF12_F3_X03.wav": DROPPED,
    },
    "IEMOCAP": {
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": {
            "id": "IEMOCAP/Ses01F_impro01_F000",
            "emotion": "neutral",
            "speaker": "01F",
            "sex": "female",
            "language": "en",
        },
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M001.wav": {
            "emotion": "excitement",
            "speaker": "01M",
            "sex": "male",
        },
        "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_F012.wav": {
            "emotion": "frustration",
            "speaker": "05F",
        },
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M002.wav": DROPPED,
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav": DROPPED,
        "Session1/dialog/wav/Ses01F_impro01.wav": DROPPED,
    },
}

TEXTS: dict[str, dict[str, str]] = {
    "CREMA-D": {
        "VideoDemographics.csv": '"ActorID","Age","Sex"\n1001,51,"Male"\n1002,21,"Female"\n',
    },
    "IEMOCAP": {
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": (
            "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
            "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
            "C-E2:\tNeutral;\t()\n"
            "[9.0000 - 9.5000]\tSes01F_impro01_M001\texc\t[2.5000, 2.5000, 2.5000]\n"
            "[9.6000 - 9.9000]\tSes01F_impro01_M002\txxx\t[2.5000, 2.5000, 2.5000]\n"
        ),
        "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt": (
            "[0.1000 - 0.9000]\tSes05M_script01_1b_F012\tfru\t[2.0, 2.0, 2.0]\n"
        ),
        "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt": "\x00\x05",
        "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": (
            "[9.6000 - 9.9000]\tSes01F_impro01_M002\tang\t[2.5000, 2.5000, 2.5000]\n"
        ),
    },
}

names = pytest.mark.parametrize("name", CORPORA)


@pytest.fixture
def tree(tmp_path: Path, name: str) -> Path:
    """The made-up folder of one corpus; the files hold nothing, for only names are read."""
    root = tmp_path / "corpus"
    for relative in [*TREES[name], STRANGER]:
        (root / relative).parent.mkdir(parents=True, exist_ok=True)
        (root / relative).touch()
    for relative, text in TEXTS.get(name, {}).items():
        (root / relative).parent.mkdir(parents=True, exist_ok=True)
        (root / relative).write_text(text, encoding="utf-8")
    return root


def test_every_corpus_has_a_tree() -> None:
    assert set(TREES) == set(CORPORA)


@names
def test_card_is_complete(name: str) -> None:
    found = corpus(name)
    card = found.card
    assert found.name == name
    assert card.speakers >= 2
    assert card.clips > card.speakers
    assert len(set(card.labels)) == len(card.labels) >= 4
    assert all(parse_emotion(label, allow_new=True) == label for label in card.labels)
    assert card.languages
    assert all(re.fullmatch("[a-z]{2}", language) for language in card.languages)
    assert all((card.title, card.licence, card.notes))
    assert re.search(r"\((19|20)\d\d\)", card.citation)
    assert card.url.startswith(("https://", "http://"))
    assert bool(card.download) != bool(card.registration)


@names
def test_downloads_have_addresses_and_sound_digests(name: str) -> None:
    for part in corpus(name).card.download:
        file = part.table if isinstance(part, RemoteIndex) else part
        assert isinstance(file, RemoteFile)
        assert file.url.startswith(("https://", "http://"))
        assert re.fullmatch(r"[\w.-]+", file.name)
        assert file.digest is None or re.fullmatch("md5:[0-9a-f]{32}", file.digest)
        if isinstance(part, RemoteIndex):
            assert "{}" in part.url
            assert "{}" in part.name


@names
def test_tree_is_read_to_known_values(name: str, tree: Path) -> None:
    by_path = {utterance.path: utterance for utterance in corpus(name).scan(tree).utterances}
    read_ids = {utterance.id for utterance in by_path.values()}
    for relative, expected in TREES[name].items():
        if expected is None:
            assert str(tree / relative) not in by_path
        elif str(tree / relative) in by_path:
            utterance = by_path[str(tree / relative)]
            assert {key: getattr(utterance, key) for key in expected} == expected
            assert utterance.corpus == name
            assert utterance.language in corpus(name).card.languages
            assert utterance.emotion in corpus(name).card.labels
            assert utterance.speaker_key == f"{name}/{utterance.speaker}"
        else:
            assert expected["id"] in read_ids, f"{relative} was not read"


@names
def test_every_audio_file_is_read_or_reported_with_a_reason(name: str, tree: Path) -> None:
    result = corpus(name).scan(tree)
    dropped = {drop.path for drop in result.dropped}
    read = {utterance.path for utterance in result.utterances}
    assert dropped | read == {str(tree / relative) for relative in [*TREES[name], STRANGER]}
    assert not dropped & read
    assert str(tree / STRANGER) in dropped
    assert all(drop.reason for drop in result.dropped)
    assert {str(tree / path) for path, expected in TREES[name].items() if not expected} <= dropped


@names
def test_scan_is_sorted_unique_and_survives_a_manifest(
    name: str, tree: Path, tmp_path: Path
) -> None:
    utterances = list(corpus(name).scan(tree).utterances)
    ids = [utterance.id for utterance in utterances]
    assert ids == sorted(set(ids))
    write_manifest(tmp_path / "m.jsonl", utterances)
    assert read_manifest(tmp_path / "m.jsonl") == utterances


@names
def test_folder_without_the_corpus_is_one_clear_error(name: str, tmp_path: Path) -> None:
    (tmp_path / STRANGER).touch()
    with pytest.raises(ManifestError, match="holds no"):
        corpus(name).scan(tmp_path)
    with pytest.raises(ManifestError, match=r"not a folder|holds no dialog"):
        corpus(name).scan(tmp_path / "absent")


def test_names_are_found_in_any_spelling() -> None:
    assert corpus("crema_d") is corpus("CREMA-D")
    assert corpus("emodb") is corpus("EMO-DB")
    with pytest.raises(ManifestError, match="unknown corpus 'radvess'; known are RAVDESS"):
        corpus("radvess")


def test_ages_of_crema_d_come_from_the_table_of_the_actors(tmp_path: Path) -> None:
    audio = tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav"
    audio.parent.mkdir()
    audio.touch()
    assert corpus("CREMA-D").scan(tmp_path).utterances[0].age is None
    table = tmp_path / "VideoDemographics.csv"
    table.write_text(TEXTS["CREMA-D"]["VideoDemographics.csv"], encoding="utf-8")
    assert corpus("CREMA-D").scan(tmp_path).utterances[0].age == 51
    assert corpus("CREMA-D").scan(tmp_path / "AudioWAV").utterances[0].age == 51
    table.write_text("ActorID;Age\n1001;51\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="columns ActorID and Age"):
        corpus("CREMA-D").scan(tmp_path)
