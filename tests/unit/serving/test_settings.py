"""Settings: flags win over the environment, which wins over the defaults."""

from __future__ import annotations

import pytest

from serenade.errors import UsageError
from serenade.serving.settings import Settings, from_environment, to_environment


def test_flags_win_over_the_environment_which_wins_over_defaults() -> None:
    environ = {"SERENADE_PORT": "81", "SERENADE_QUEUE": "3", "SERENADE_UNRELATED": "x"}
    settings = from_environment(environ, {"port": 82, "queue": None})
    assert (settings.port, settings.queue, settings.workers) == (82, 3, 1)


def test_every_setting_survives_the_way_through_the_environment() -> None:
    settings = Settings(
        host="::1",
        port=1,
        workers=2,
        models=("compact", "/models/a,b"),
        concurrency=3,
        queue=4,
        max_body_bytes=5,
        max_audio_seconds=6.5,
        max_request_seconds=7.5,
        max_streams=8,
        max_stream_seconds=9.5,
        max_idle_seconds=10.5,
        api_keys_file="/keys",
        api_key_hashes=("a" * 64, "b" * 64),
        no_auth=True,
        cors_origins=("https://a.example", "https://b.example"),
        tls_certificate="c.pem",
        tls_key="k.pem",
        page=False,
        shutdown_seconds=11,
    )
    assert from_environment(to_environment(settings), {}) == settings
    assert from_environment(to_environment(Settings()), {}) == Settings()


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SERENADE_PORT": "http"}, "SERENADE_PORT is 'http'; it must be a whole number"),
        ({"SERENADE_MAX_AUDIO_SECONDS": "long"}, "SERENADE_MAX_AUDIO_SECONDS is 'long'"),
        ({"SERENADE_NO_AUTH": "maybe"}, "SERENADE_NO_AUTH is 'maybe'; it must be one of 1, 0"),
        ({"SERENADE_WORKERS": "0"}, "workers is 0; it must be 1 or more"),
        ({"SERENADE_PORT": "70000"}, "port is 70000; it must be 65535 or less"),
        ({"SERENADE_MAX_IDLE_SECONDS": "nan"}, "max_idle_seconds is nan"),
        ({"SERENADE_TLS_KEY": "k.pem"}, "TLS needs both files"),
        ({"SERENADE_CORS_ORIGINS": "*"}, r"the origin '\*' is not one"),
    ],
)
def test_a_wrong_value_is_one_clear_error(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_environment(environ, {})
