// Audio in the browser: decoding, and wav files.

import { rateOf } from "./rate.js";

/** Rate of every model [Hz]. */
export const RATE = 16000;

/** Decode a file to mono samples, at its own rate if no other is wanted; null where the browser knows no such format. */
export async function decode(blob, wantedRate = null) {
  const content = await blob.arrayBuffer();
  const rate = wantedRate ?? rateOf(content) ?? RATE;
  try {
    // at the file's own rate the browser only decodes
    const context = new OfflineAudioContext(1, 1, rate);
    return { samples: mix(await context.decodeAudioData(content)), rate };
  } catch {
    return null;
  }
}

/** Put pieces together. */
export function join(pieces) {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let position = 0;
  for (const piece of pieces) {
    whole.set(piece, position);
    position += piece.length;
  }
  return whole;
}

/** Make a wav file with 16 bits per sample. */
export function toWav(samples, rate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (position, word) => [...word].forEach((letter, i) => bytes.setUint8(position + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, 2 * rate, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => bytes.setInt16(44 + 2 * i, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true));
  return new Blob([bytes], { type: "audio/wav" });
}

function mix(buffer) {
  const mono = new Float32Array(buffer.getChannelData(0));
  if (buffer.numberOfChannels === 1) return mono;
  for (let channel = 1; channel < buffer.numberOfChannels; channel++) {
    const samples = buffer.getChannelData(channel);
    for (let i = 0; i < mono.length; i++) mono[i] += samples[i];
  }
  for (let i = 0; i < mono.length; i++) mono[i] /= buffer.numberOfChannels;
  return mono;
}
