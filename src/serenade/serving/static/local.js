// The second mode: the same model in this browser, so that no audio leaves the machine.

import { getSpecification, getWeights } from "./api.js";

/**
 * Fetch a model and start it; gives `predict`, `glance` and `drawTimeline` for samples at 16 kHz,
 * and `resample`, which makes such of others and keeps those.
 */
export async function openLocalModel(name) {
  const [spec, weights] = await Promise.all([getSpecification(name), getWeights(name)]);
  const worker = new Worker(new URL("local-worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let next = 0;

  const fail = (message) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  worker.onerror = () => fail("This browser cannot run the model; use the service.");
  worker.onmessage = ({ data: { id, result, problem } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (problem === undefined) resolve(result);
    else reject(new Error(problem));
  };

  const ask = (task, input, transfer = []) =>
    new Promise((resolve, reject) => {
      waiting.set(next, { resolve, reject });
      worker.postMessage({ id: next++, task, input }, transfer);
    });

  await ask("open", { spec, weights }, [weights]);
  return {
    predict: (samples) => ask("predict", samples),
    glance: (samples) => ask("glance", samples),
    drawTimeline: (samples) => ask("drawTimeline", samples),
    resample: ({ samples, rate }) => ask("resample", { samples, rate }, [samples.buffer]),
  };
}
