// What happens to audio before the model, as serenade.audio does it. A test compares the two.

import { RATE } from "./audio.js";

/** Samples per frame of 10 ms. */
export const FRAME = RATE / 100;

const SILENCE_PEAK = 1e-6;
const DEAD_DB = 80;
const GATE_SHARE = 0.1;

/** Prepare a clip as a bundle's `conditioning` says; null if it holds only silence. */
export function condition(samples, { remove_offset, trim_below_db, trim_padding_seconds, level_dbfs, reduce_noise = false }) {
  if (reduce_noise) throw new Error("this model reduces noise, which only the server can do; choose recognition on the server");
  if (isSilent(samples)) return null;
  let clip = samples;
  if (remove_offset) clip = removeOffset(clip);
  if (trim_below_db !== null) clip = trimSilence(clip, trim_below_db, Math.round(trim_padding_seconds * RATE));
  if (level_dbfs === null) return clip;
  return isSilent(clip) ? null : normaliseLevel(clip, level_dbfs);
}

export function removeOffset(samples) {
  const offset = sum(samples) / samples.length;
  return samples.map((sample) => sample - offset);
}

/** Mean square of every frame; the last one is filled up with zeros. */
export function framePowers(samples) {
  const powers = new Float64Array(Math.ceil(samples.length / FRAME));
  samples.forEach((sample, i) => (powers[Math.floor(i / FRAME)] += (sample * sample) / FRAME));
  return powers;
}

export function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function maximum(values) {
  let most = -Infinity;
  for (const value of values) most = Math.max(most, value);
  return most;
}

function trimSilence(samples, belowDb, padding) {
  const powers = framePowers(samples);
  const loudest = maximum(powers);
  const variances = frameVariances(samples, powers);
  const isLoud = (power) => power >= loudest * 10 ** (-belowDb / 10);
  const isAlive = (power, i) => isLoud(power) || variances[i] >= loudest * 10 ** (-DEAD_DB / 10);
  const start = Math.max(powers.findIndex(isAlive) * FRAME, powers.findIndex(isLoud) * FRAME - padding);
  const lastAlive = (powers.findLastIndex(isAlive) + 1) * FRAME;
  return samples.slice(start, Math.min(lastAlive, (powers.findLastIndex(isLoud) + 1) * FRAME + padding));
}

/** Mean square of every frame about its own mean: an offset leaves a constant in digital silence. */
function frameVariances(samples, powers) {
  const means = new Float64Array(powers.length);
  samples.forEach((sample, i) => (means[Math.floor(i / FRAME)] += sample / FRAME));
  return powers.map((power, i) => power - means[i] ** 2);
}

function normaliseLevel(samples, levelDbfs) {
  const powers = framePowers(samples);
  const mean = sum(powers) / powers.length;
  const active = powers.filter((power) => power >= GATE_SHARE * mean);
  const wanted = 10 ** (levelDbfs / 20) / Math.sqrt(sum(active) / active.length);
  const gain = Math.min(wanted, 1 / maximum(samples.map(Math.abs)));
  return samples.map((sample) => sample * gain);
}

function isSilent(samples) {
  let lowest = Infinity;
  for (const sample of samples) lowest = Math.min(lowest, sample);
  return !(maximum(samples) - lowest >= SILENCE_PEAK);
}
