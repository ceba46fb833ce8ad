// What the picture of a recording is made of: how loud every twentieth of a second gets.

import { RATE, decode } from "./audio.js";

export const PEAKS_PER_SECOND = 20;

export function peaksOf(samples, rate) {
  const size = rate / PEAKS_PER_SECOND;
  const peaks = new Float32Array(Math.ceil(samples.length / size));
  for (let at = 0; at < peaks.length; at++) {
    const stop = Math.min((at + 1) * size, samples.length);
    for (let i = Math.ceil(at * size); i < stop; i++) peaks[at] = Math.max(peaks[at], Math.abs(samples[i]));
  }
  return peaks;
}

/** Peaks of a file; null where the browser cannot decode or read it. */
export async function readPeaks(blob) {
  const sound = await decode(blob, RATE).catch(() => null); // the browser resamples well enough, and beside the page
  return sound && peaksOf(sound.samples, sound.rate);
}
