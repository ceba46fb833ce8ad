// The microphone: samples as they come, without what browsers do to please the ear.

import { RATE } from "./audio.js";

/**
 * Start to record. `take` gets pieces of about 0.1 s; `end` is called when the microphone goes
 * away by itself. Gives the sample rate and how to stop.
 */
export async function startRecorder({ take, end }) {
  const stream = await openMicrophone();
  const { context, source } = await connect(stream);
  try {
    await context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
  } catch {
    stream.getTracks().forEach((track) => track.stop());
    throw new Error("The service cannot be reached; is it still running?");
  }
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  capture.port.onmessage = ({ data }) => take(data);
  source.connect(capture);
  stream.getAudioTracks()[0].onended = end;
  return {
    sampleRate: context.sampleRate,
    async stop() {
      source.disconnect();
      stream.getTracks().forEach((track) => track.stop());
      await context.close();
    },
  };
}

async function openMicrophone() {
  if (!navigator.mediaDevices) {
    throw new Error("Browsers give the microphone only to pages on https or localhost.");
  }
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const reasons = {
      NotAllowedError: "The microphone may not be used; allow it in the browser’s address bar.",
      NotFoundError: "No microphone was found; connect one.",
      NotReadableError: "The microphone is in use by another program.",
    };
    throw new Error(reasons[error.name] ?? `The microphone cannot be opened (${error.name}).`);
  }
}

async function connect(stream) {
  const context = new AudioContext({ sampleRate: RATE });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    // Firefox does not change the rate of a microphone; the service or resample.js does it then
    await context.close();
    const own = new AudioContext();
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}
