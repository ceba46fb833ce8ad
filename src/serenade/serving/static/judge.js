// Judging a recording: on the service or in this browser.

import { drawTimeline, predict } from "./api.js";
import { RATE, decode } from "./audio.js";
import { peaksOf } from "./peaks.js";

/** What is known of a recording before it is judged; `known` may hold more of it. */
export function newResult(file, known) {
  const unknown = { labels: [], prediction: null, problem: null, segments: [], shares: {}, seconds: null, peaks: null };
  return { name: file.name, blob: file, isRecording: false, isDrawn: false, ...unknown, ...known };
}

/** Let a model on the service judge; `keys` asks for a key where that needs one. */
export async function judgeThere(blob, name, keys) {
  const [prediction, { segments, shares }] = await Promise.all([
    keys.unlock(() => predict(blob, name)),
    keys.unlock(() => drawTimeline(blob, name)),
  ]);
  return { prediction, segments, shares };
}

/** Let a model in this browser judge, which gives the picture as well. */
export async function judgeHere(blob, model) {
  const sound = await decode(blob);
  if (sound === null) throw new Error("This browser cannot decode the file; use the service.");
  const samples = await model.resample(sound);
  const prediction = await model.predict(samples);
  const { segments, shares } = await model.drawTimeline(samples);
  return { prediction, segments, shares, peaks: peaksOf(samples, RATE) };
}

/** Say why there is no result: what became of the file comes before what failed because of it. */
export async function explain(error, blob) {
  return (await canBeRead(blob)) ? error.message : "The file cannot be read; was it moved, or is it a folder?";
}

async function canBeRead(blob) {
  const reader = blob.stream().getReader();
  return reader.read().then(() => true, () => false).finally(() => reader.cancel().catch(() => null));
}
