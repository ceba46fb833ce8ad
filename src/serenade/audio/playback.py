"""Whether there is anything that sound can come out of."""

from __future__ import annotations

from serenade.errors import AudioError


def check_loudspeaker() -> None:
    """Refuse if the sound system knows no output.

    Programs that play sound tell it late, in words of their own, and not by their exit code. Where
    sounddevice or PortAudio is not installed nobody can be asked, and nothing is refused.

    Raises
    ------
    AudioError
        If there is no output.
    """
    try:
        import sounddevice
    except (ImportError, OSError):
        return
    try:
        outputs = [entry for entry in sounddevice.query_devices() if entry["max_output_channels"]]
    except sounddevice.PortAudioError as error:
        raise AudioError(f"the sound system cannot be reached ({error})") from None
    if not outputs:
        raise AudioError(
            "no loudspeaker was found; plug one in and check the sound settings, or leave"
            " --speak out"
        )
