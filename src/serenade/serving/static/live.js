// Recording: the microphone feeds the service's stream, or the model in this browser.

import { openStream } from "./api.js";
import { RATE, join, toWav } from "./audio.js";
import { peaksOf } from "./peaks.js";
import { startRecorder } from "./recorder.js";
import { resample } from "./resample.js";

const GLANCE_SECONDS = 0.5;
const PAUSE_SECONDS = 2;
const KEPT_SECONDS = 8; // more than a window: speech is told from what was heard before

/**
 * Record until `stop` is called, which gives the recording and the segments that the stream told,
 * or null if no sample came. `show` gets pieces of samples, `read` a prediction for the last
 * seconds or null when nobody speaks any more, `mark` a stretch of the past with its emotion and
 * `fail` an error, after which nothing more comes.
 */
export async function record({ model, localModel, show, read, mark, fail }) {
  const pieces = [];
  let listener = null;
  let isOver = false;
  const recorder = await startRecorder({
    take: (piece) => {
      if (isOver) return; // on its way when the microphone was closed
      pieces.push(piece);
      show(piece, recorder.sampleRate);
      listener?.push(piece);
    },
    end: () => fail(new Error("The microphone was disconnected.")),
  });
  const listen = localModel === null ? listenThere : listenHere;
  listener = listen({ model, localModel, sampleRate: recorder.sampleRate, read, mark, fail });
  return {
    async stop() {
      await recorder.stop();
      isOver = true;
      const segments = await listener.finish();
      if (pieces.length === 0) return null;
      const [samples, rate] = [join(pieces), recorder.sampleRate];
      return { blob: toWav(samples, rate), seconds: samples.length / rate, peaks: peaksOf(samples, rate), segments };
    },
  };
}

function listenThere({ model, sampleRate, read, mark, fail }) {
  const segments = [];
  let lastRead = 0;
  const tell = (event) => {
    const { start_s, stop_s, emotion, abstained } = event;
    if (event.event === "reading") {
      lastRead = stop_s;
      read(event);
      mark({ start_s: Math.max(start_s, stop_s - 1), stop_s, emotion, abstained, isGuess: true });
    }
    if (event.event === "hop") {
      if (!event.speech && stop_s > lastRead + PAUSE_SECONDS) read(null);
      mark({ start_s, stop_s, emotion, abstained, isGuess: false });
    }
    if (event.event === "closed") segments.push(event);
  };
  const stream = openStream({ sampleRate, model, tell });
  stream.done.catch(fail);
  return {
    push: stream.push,
    async finish() {
      stream.finish();
      await stream.done.catch(() => null);
      return segments;
    },
  };
}

function listenHere({ localModel, sampleRate, read, mark, fail }) {
  let kept = new Float32Array(0);
  let nSeconds = 0;
  let nextGlance = GLANCE_SECONDS;
  let nextMark = 0;
  let isBusy = false;
  let isOver = false;

  const look = async () => {
    isBusy = true;
    const until = nSeconds;
    const judged = await localModel.glance(resample(kept, sampleRate, RATE));
    isBusy = false;
    if (isOver) return;
    read(judged);
    mark({ start_s: nextMark, stop_s: until, emotion: judged?.emotion, abstained: judged?.abstained, isGuess: false });
    nextMark = until;
  };

  return {
    push(piece) {
      nSeconds += piece.length / sampleRate;
      kept = join([kept, piece]).slice(-Math.round(KEPT_SECONDS * sampleRate));
      if (nSeconds < nextGlance || isBusy) return;
      nextGlance = nSeconds + GLANCE_SECONDS;
      look().catch(fail);
    },
    async finish() {
      isOver = true;
      return [];
    },
  };
}
