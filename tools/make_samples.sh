#!/bin/sh
# Makes the clips of samples/ with the speech synthesiser espeak-ng (Debian package espeak-ng).
set -eu
cd "$(dirname "$0")/../samples"
speak() { # name, voice, pitch 0-99, words a minute, loudness 0-200, text
    espeak-ng -v "$2" -p "$3" -s "$4" -a "$5" -w "$1.wav" "$6"
    python3 - "$1" <<'PYTHON'
import sys

import soundfile
import soxr

name = sys.argv[1]
samples, rate = soundfile.read(f"{name}.wav", dtype="float32")
soundfile.write(f"{name}.flac", soxr.resample(samples, rate, 16000), 16000, subtype="PCM_16")
PYTHON
    rm "$1.wav"
}
speak plain_voice en-gb 35 130 90 "The train leaves at nine in the morning."
speak fast_high_voice en-us+f3 80 230 140 "Look at that! I can not believe that we won!"
speak loud_voice en-gb+m3 60 190 190 "I have told you three times to close that door!"
speak slow_low_voice en-us+m7 15 95 70 "There is nobody left to talk to any more."
speak german_voice de 50 160 110 "Das Fenster stand die ganze Nacht offen."
