// How usable a recording is and where speech is, as serenade.audio measures it.

import { RATE } from "./audio.js";
import { FRAME, framePowers, maximum, removeOffset, sum } from "./conditioning.js";

const CLIPPED_FROM = 0.999;
const NOISE_PERCENTILE = 0.1;
const FLOOR_HALF = 200;
const AUDIBLE_SHARE = 10 ** -4.5;
const SILENCE_POWER = 1e-12;
const ONSET = 10 ** 0.8;
const OFFSET = 10 ** 0.4;
const HANGOVER = 10;
const MIN_SPEECH = 0.2 * RATE;
const MIN_PAUSE = 0.3 * RATE;

/** Measure a recording before conditioning. */
export function measureQuality(samples) {
  const centred = removeOffset(samples);
  const active = voiceActivity(centred);
  return {
    seconds: samples.length / RATE,
    power: samples.reduce((total, sample) => total + sample * sample, 0) / samples.length,
    clipping: samples.reduce((count, sample) => count + (Math.abs(sample) >= CLIPPED_FROM), 0) / samples.length,
    snr: snrOf(framePowers(centred)),
    speech: sum(active) / active.length,
  };
}

/** Mark the frames that hold voice, with 1. */
export function voiceActivity(centred) {
  const smoothed = smooth(framePowers(centred));
  const audible = Math.max(SILENCE_POWER, maximum(smoothed) * AUDIBLE_SHARE);
  const floor = noiseFloor(smoothed).map((power) => Math.max(power, audible));
  const active = new Uint8Array(smoothed.length);
  for (const [start, stop] of runs(smoothed.map((power, i) => power > floor[i] * OFFSET))) {
    let begins = false;
    for (let i = start; i < stop; i++) begins ||= smoothed[i] > floor[i] * ONSET;
    if (begins) active.fill(1, start, stop + HANGOVER);
  }
  return active;
}

/** Stretches of speech, as first sample and the one after the last. */
export function speechStretches(samples) {
  const joined = [];
  for (const [first, last] of runs(voiceActivity(removeOffset(samples)))) {
    const [start, stop] = [first * FRAME, Math.min(last * FRAME, samples.length)];
    const before = joined.at(-1);
    if (before && start - before[1] < MIN_PAUSE) before[1] = stop;
    else joined.push([start, stop]);
  }
  return joined.filter(([start, stop]) => stop - start >= MIN_SPEECH);
}

function smooth(powers) {
  const last = powers.length - 1;
  const at = (i) => powers[Math.max(0, Math.min(last, i))];
  return powers.map((_, i) => (at(i - 2) + at(i - 1) + at(i) + at(i + 1) + at(i + 2)) / 5);
}

function noiseFloor(smoothed) {
  return smoothed.map((_, i) => {
    let lowest = Infinity;
    for (let j = Math.max(0, i - FLOOR_HALF); j <= i + FLOOR_HALF && j < smoothed.length; j++) {
      lowest = Math.min(lowest, smoothed[j]);
    }
    return lowest;
  });
}

function snrOf(powers) {
  const noise = percentile(smooth(powers), NOISE_PERCENTILE);
  const speech = sum(powers) / powers.length - noise;
  if (speech <= 0) return -20;
  if (noise === 0) return 100;
  return Math.min(Math.max(10 * Math.log10(speech / noise), -20), 100);
}

function percentile(values, share) {
  const sorted = values.toSorted();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

function runs(mask) {
  const found = [];
  let start = -1;
  mask.forEach((value, i) => {
    if (value && start < 0) start = i;
    if (!value && start >= 0) {
      found.push([start, i]);
      start = -1;
    }
  });
  if (start >= 0) found.push([start, mask.length]);
  return found;
}
