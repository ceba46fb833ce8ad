// The sample rate of a file, which browsers do not tell: they resample while they decode.

const MP3_RATES = { 3: [44100, 48000, 32000], 2: [22050, 24000, 16000], 0: [11025, 12000, 8000] };

/** Read the rate from the head of a wav, flac, Ogg or mp3 file; null where it is not found. */
export function rateOf(buffer) {
  const bytes = new DataView(buffer);
  const word = (position, length) => String.fromCharCode(...new Uint8Array(buffer, position, Math.min(length, buffer.byteLength - position)));
  try {
    const magic = word(0, 4);
    if (magic === "RIFF") return wavRate(bytes, word);
    if (magic === "fLaC") return bytes.getUint32(18) >>> 12;
    if (magic === "OggS") return word(28, 8) === "OpusHead" ? 48000 : bytes.getUint32(40, true);
    return mp3Rate(bytes, magic.startsWith("ID3") ? 10 + id3Size(bytes) : 0);
  } catch {
    return null;
  }
}

function wavRate(bytes, word) {
  let position = 12;
  while (word(position, 4) !== "fmt ") position += 8 + bytes.getUint32(position + 4, true);
  return bytes.getUint32(position + 12, true);
}

function id3Size(bytes) {
  return [6, 7, 8, 9].reduce((size, position) => (size << 7) | bytes.getUint8(position), 0);
}

function mp3Rate(bytes, position) {
  const head = bytes.getUint32(position);
  if (head >>> 21 !== 0x7ff) return null;
  return MP3_RATES[(head >>> 19) & 3]?.[(head >>> 10) & 3] ?? null;
}
