"""``serenade doctor``: what is installed and whether it works."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

import typer

from serenade import __version__
from serenade.cli.models import Format, FormatOption
from serenade.errors import SerenadeError
from serenade.model.store import default_name, list_bundled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serenade.types import FloatArray

_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*(?:;.*extra == ['\"](\w+)['\"])?")

SAMPLE_RATE = 16000
PITCH_HZ = 120
FORMANTS_HZ = (700.0, 1200.0, 2500.0)


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was looked at.

    Parameters
    ----------
    name : str
        What it is.
    ok : bool
        Whether it works; an extra that is not installed is not broken.
    detail : str
        What was found.
    """

    name: str
    ok: bool
    detail: str


def doctor(form: FormatOption = Format.TEXT) -> None:
    """Check that the installation works; exit code 1 if something is broken."""
    checks = [*_check_system(), *_check_packages()]
    if all(check.ok for check in checks):
        checks += [*_check_models(), _check_prediction()]
    ok = all(check.ok for check in checks)
    if form is Format.JSON:
        print(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
    if not ok:
        raise typer.Exit(1)


def _check_system() -> Iterator[Check]:
    yield Check("serenade", True, __version__)
    yield Check("python", True, f"{platform.python_version()} on {platform.platform()}")
    yield Check("processor threads", True, str(os.cpu_count()))


def _check_packages() -> Iterator[Check]:
    """Compare what is installed with what the package asks for."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for requirement in requires("serenade") or []:
        match = _REQUIREMENT.match(requirement)
        if match:
            wanted[match[2] or ""].append(match[1])
    for package in wanted.pop("", []):
        try:
            import_module(package)
        except (ImportError, OSError) as error:
            yield Check(package, False, f"cannot be imported ({error}); install Serenade anew")
        else:
            yield Check(package, True, _version_of(package) or "of unknown version")
    for extra, packages in sorted(wanted.items()):
        absent = [package for package in packages if _version_of(package) is None]
        detail = "installed"
        if absent:
            detail = f'not installed ({", ".join(absent)}); pip install "serenade[{extra}]"'
        yield Check(f"extra {extra}", True, detail)


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _check_models() -> Iterator[Check]:
    from serenade.inference.recognizer import Recognizer

    for name in list_bundled():
        try:
            recognizer = Recognizer.load(name)
        except SerenadeError as error:
            yield Check(f"model {name}", False, str(error))
        else:
            yield Check(f"model {name}", True, f"{recognizer.model_id}, whole")


def _check_prediction() -> Check:
    """Predict a sound that resembles a voice, from the samples to the probabilities."""
    from serenade.inference.recognizer import Recognizer

    try:
        recognizer = Recognizer.load(default_name())
        started = time.perf_counter()
        prediction = recognizer.predict(_voice_like(seconds=3.0), SAMPLE_RATE)
    except SerenadeError as error:
        return Check("self-test", False, str(error))
    milliseconds = 1000 * (time.perf_counter() - started)
    detail = f"a 3 s vowel was judged in {milliseconds:.0f} ms as {prediction.emotion}"
    total = sum(prediction.probabilities.values())
    return Check("self-test", abs(total - 1.0) < 1e-6, detail)


def _voice_like(*, seconds: float) -> FloatArray:
    """Give a vowel: pulses of the vocal folds, three formants and syllables."""
    import numpy as np

    n_samples = round(seconds * SAMPLE_RATE)
    time_seconds = np.arange(n_samples) / SAMPLE_RATE
    since_pulse = time_seconds % (1 / PITCH_HZ)
    formants = [
        np.exp(-400 * since_pulse) * np.sin(2 * np.pi * frequency * since_pulse)
        for frequency in FORMANTS_HZ
    ]
    syllables = np.clip(np.sin(2 * np.pi * 2 * time_seconds), 0, None)
    return np.asarray(0.1 * syllables * np.sum(formants, axis=0), dtype=np.float32)
