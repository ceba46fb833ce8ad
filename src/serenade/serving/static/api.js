// The service, as the page sees it.

const KEY = "serenade-key";
const UNOPENED = "The service opened no stream; it may have as many as it takes, or have ended. Try again later."; // browsers do not tell why

/** An answer that is not a result; `message` is one sentence for people. */
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Keep a key until the tab is closed. */
export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

/** The kept key, or null. */
export function keptKey() {
  return sessionStorage.getItem(KEY);
}

export async function listModels() {
  return (await (await ask("v1/models")).json()).models;
}

export async function getSpecification(model) {
  return (await ask(`v1/models/${encodeURIComponent(model)}/spec.json`)).json();
}

export async function getWeights(model) {
  return (await ask(`v1/models/${encodeURIComponent(model)}/model.onnx`)).arrayBuffer();
}

/** Judge a whole recording. */
export async function predict(blob, model) {
  return (await post("v1/predict", blob, model)).json();
}

/** Say which emotion is when in a recording. */
export async function drawTimeline(blob, model) {
  return (await post("v1/timeline", blob, model)).json();
}

/**
 * Open a stream. `tell` gets every event; `finish` asks for the last ones.
 * The promise `done` ends with the stream and fails with a Problem.
 */
export function openStream({ sampleRate, model, tell }) {
  const address = new URL(`v1/stream?${new URLSearchParams({ sample_rate: sampleRate, encoding: "f32le", model })}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const key = keptKey();
  const protocols = key === null ? ["serenade.v1"] : ["serenade.v1", `serenade.key.${base64url(key)}`];
  const socket = new WebSocket(address, protocols);
  const waiting = [];
  let wasOpen = false;
  const send = (message) => (socket.readyState === WebSocket.CONNECTING ? waiting.push(message) : socket.send(message));
  const done = new Promise((resolve, reject) => {
    socket.onopen = () => {
      wasOpen = true;
      waiting.splice(0).forEach((message) => socket.send(message));
    };
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.event === "problem") reject(new Problem(event.status, event.detail));
      else tell(event);
    };
    socket.onclose = ({ code }) => {
      if (code === 1000) resolve();
      else reject(new Problem(0, wasOpen ? `The stream was closed (code ${code}); try again.` : UNOPENED));
    };
  });
  return {
    done,
    push: (samples) => socket.readyState <= WebSocket.OPEN && send(samples),
    finish: () => socket.readyState <= WebSocket.OPEN && send('{"type": "end"}'),
  };
}

function post(path, blob, model) {
  const type = blob.type.startsWith("audio/") ? blob.type : "application/octet-stream";
  return ask(`${path}?${new URLSearchParams({ model })}`, { method: "POST", body: blob, headers: { "Content-Type": type } });
}

async function ask(path, { headers = {}, ...options } = {}) {
  const key = keptKey();
  const shown = key === null ? headers : { ...headers, Authorization: `Bearer ${key}` };
  const answer = await fetch(path, { ...options, headers: shown }).catch(() => {
    throw new Problem(0, "The service cannot be reached; is it still running?");
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ detail: `the service answered ${answer.status}` }));
  throw new Problem(answer.status, sentence(problem.detail));
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
