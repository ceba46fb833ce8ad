// A bundle's model without the service: windows, probabilities and averages as
// serenade.inference makes them. `score` runs the graph on one conditioned window.

import { RATE } from "./audio.js";
import { condition } from "./conditioning.js";
import { measureQuality, speechStretches } from "./quality.js";

const LEAST_WEIGHT = 0.01;
const STEP = RATE;
const PAUSE = RATE;

/** Judge a whole recording; the result equals that of the service. */
export async function predict(samples, { spec, score }) {
  const { min_seconds, max_seconds, hop_seconds } = spec.windowing;
  if (samples.length < min_seconds * RATE) {
    throw new Error(`The recording lasts only ${(samples.length / RATE).toFixed(3)} s; the model needs ${min_seconds} s or more.`);
  }
  const size = Math.round(max_seconds * RATE);
  const average = newAverage(spec.labels.length);
  for (const start of windowStarts(samples.length, size, Math.round(hop_seconds * RATE))) {
    const window = samples.subarray(start, start + size);
    const judged = await judge(window, { spec, score });
    if (judged !== null) add(average, judged, measureQuality(window));
  }
  if (average.weight === 0) {
    throw new Error("The recording holds only silence; check the microphone or the file.");
  }
  return conclude(average, samples.length / RATE, spec);
}

/** Judge the last seconds alone, for a live display; null if nobody speaks or too little was said. */
export async function glance(samples, { spec, score }) {
  const [, end] = speechStretches(samples).at(-1) ?? [0, -PAUSE];
  if (samples.length - end >= PAUSE) return null;
  const window = samples.subarray(-liveWindow(spec));
  if (window.length < spec.windowing.min_seconds * RATE) return null;
  const judged = await judge(window, { spec, score });
  return judged && decide(judged.probabilities, spec);
}

/** Say which emotion is when: one for every second of speech. The service smooths with more care. */
export async function drawTimeline(samples, { spec, score }) {
  const segments = [];
  let position = 0;
  for (const [start, stop] of speechStretches(samples)) {
    pushSegment(segments, position, start, null);
    for (let from = start; from < stop; from += STEP) {
      const to = stop - from < 1.5 * STEP ? stop : from + STEP;
      const window = samples.subarray(Math.max(start, to - liveWindow(spec)), to);
      const judged = window.length < spec.windowing.min_seconds * RATE ? null : await judge(window, { spec, score });
      pushSegment(segments, from, to, judged && decide(judged.probabilities, spec));
      if (to === stop) break;
    }
    position = stop;
  }
  pushSegment(segments, position, samples.length, null);
  return { segments, shares: sharesOf(segments, spec.labels) };
}

function liveWindow({ windowing }) {
  return Math.round(windowing.timeline_window_seconds * RATE);
}

function windowStarts(length, size, hop) {
  const starts = [];
  for (let start = 0; start < length - size; start += hop) starts.push(start);
  return [...starts, Math.max(0, length - size)];
}

async function judge(window, { spec, score }) {
  const conditioned = condition(window, spec.conditioning);
  if (conditioned === null || conditioned.length < spec.windowing.min_seconds * RATE) return null;
  const { logits, intensity } = await score(conditioned);
  return { probabilities: softmax(logits, spec.calibration.temperature), intensity };
}

function softmax(logits, temperature) {
  const highest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  const total = exponentials.reduce((a, b) => a + b);
  return exponentials.map((value) => value / total);
}

function newAverage(nLabels) {
  return { probabilities: new Array(nLabels).fill(0), intensity: 0, weight: 0, seconds: 0, power: 0, clipping: 0, snr: 0, speech: 0 };
}

function add(average, { probabilities, intensity }, quality) {
  const weight = Math.max(quality.speech, LEAST_WEIGHT);
  probabilities.forEach((p, i) => (average.probabilities[i] += weight * p));
  average.intensity += weight * (intensity ?? 0);
  average.weight += weight;
  average.seconds += quality.seconds;
  for (const name of ["power", "clipping", "snr", "speech"]) average[name] += quality.seconds * quality[name];
}

function conclude(average, seconds, spec) {
  const chances = average.probabilities.map((p) => p / average.weight);
  return {
    ...decide(chances, spec),
    duration_s: seconds,
    model: `${spec.name} ${spec.version}`,
    intensity: spec.outputs.intensity ? average.intensity / average.weight : null,
    warnings: findWarnings(average, seconds, spec.windowing.sure_from_seconds),
  };
}

function decide(chances, spec) {
  const confidence = Math.max(...chances);
  return {
    emotion: spec.labels[chances.indexOf(confidence)],
    confidence,
    abstained: confidence < spec.thresholds.abstain_below,
    probabilities: Object.fromEntries(spec.labels.map((label, i) => [label, chances[i]])),
  };
}

function findWarnings({ seconds, power, clipping, snr, speech }, duration, sureFrom) {
  const found = {
    clipping: clipping / seconds > 0.001,
    too_quiet: 10 * Math.log10(power / seconds) < -55,
    no_speech: speech / seconds < 0.1,
    too_short: duration < sureFrom,
    noisy: snr / seconds < 10,
  };
  return Object.keys(found).filter((code) => found[code]);
}

function pushSegment(segments, start, stop, judged) {
  if (stop <= start) return;
  const before = segments.at(-1);
  if (judged && before?.emotion === judged.emotion && before.stop_s === start / RATE) {
    before.stop_s = stop / RATE;
    return;
  }
  segments.push({ start_s: start / RATE, stop_s: stop / RATE, speech: judged !== null, ...judged });
}

/** Share of the judged speech that each emotion holds. */
export function sharesOf(segments, labels) {
  const shares = Object.fromEntries(labels.map((label) => [label, 0]));
  const judged = segments.filter((segment) => segment.emotion);
  const total = judged.reduce((sum, one) => sum + one.stop_s - one.start_s, 0);
  for (const one of judged) shares[one.emotion] += (one.stop_s - one.start_s) / total;
  return shares;
}
