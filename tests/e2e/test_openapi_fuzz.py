"""The OpenAPI description against the service: schemathesis finds no answer that breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.service_process import ServiceProcess

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"

pytestmark = pytest.mark.skipif(not SCHEMATHESIS.exists(), reason="needs pip install schemathesis")


def test_every_answer_is_as_described(tiny_bundle: Path, tmp_path: Path) -> None:
    with ServiceProcess("--model", str(tiny_bundle)) as service:
        command = [
            str(SCHEMATHESIS),
            "run",
            f"{service.url}/openapi.json",
            "--phases=coverage,fuzzing,stateful",
            # random bytes are no audio, which no schema can say
            "--exclude-checks=positive_data_acceptance",
            "--max-examples=20",
            "--generation-deterministic",
        ]
        result = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
    assert result.returncode == 0, result.stdout
    assert "Traceback" not in service.log
    assert '" 500' not in service.log
