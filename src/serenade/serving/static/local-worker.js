// Runs a model beside the page, so that the page stays quick.

import * as ort from "./vendor/ort.wasm.min.mjs";
import { RATE } from "./audio.js";
import { drawTimeline, glance, predict } from "./recognise.js";
import { resample } from "./resample.js";

const TASKS = { predict, glance, drawTimeline, resample: ({ samples, rate }) => resample(samples, rate, RATE) };

let model = null;

self.onmessage = async ({ data: { id, task, input } }) => {
  try {
    const result = task === "open" ? await open(input) : await TASKS[task](input, model);
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, problem: error.message });
  }
};

async function open({ spec, weights }) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("./vendor/", import.meta.url).href;
  const session = await ort.InferenceSession.create(new Uint8Array(weights), { executionProviders: ["wasm"] });
  model = { spec, score: (samples) => run(session, samples) };
}

async function run(session, samples) {
  const outputs = await session.run({
    waveform: new ort.Tensor("float32", samples, [1, samples.length]),
    lengths: new ort.Tensor("int64", BigInt64Array.of(BigInt(samples.length)), [1]),
  });
  return { logits: outputs.logits.data, intensity: outputs.intensity?.data[0] };
}
