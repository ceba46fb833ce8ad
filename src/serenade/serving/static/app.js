// The page: recordings come in, are judged, and are shown.

import { Problem, drawTimeline, keepKey, listModels, predict } from "./api.js";
import { RATE, decode } from "./audio.js";
import { toCsv } from "./csv.js";
import { record } from "./live.js";
import { openLocalModel } from "./local.js";
import { Player } from "./player.js";
import { showBars, showFaces, showRows, showSegments, showShares, showVerdict } from "./views.js";
import { Waveform } from "./waveform.js";

const find = (id) => document.getElementById(id);

const PROMISES = {
  server: "Give it a recording or speak. The service listens, answers and forgets.",
  browser: "Give it a recording or speak. The model runs in this browser; no audio leaves your machine.",
};

const state = { models: [], model: null, place: "server", local: null, results: [], chosen: null, recording: null, nRecorded: 0 };

const player = new Player(find("player"), {
  move: (seconds) => {
    waveform.setPosition(seconds);
    find("play").textContent = seconds === null ? "Play" : "Stop";
  },
});
const waveform = new Waveform(find("waveform"), {
  seek: (segment, seconds) => {
    if (state.chosen?.blob) player.play(segment?.start_s ?? seconds, segment?.stop_s ?? Infinity);
  },
});

// --- what is said -------------------------------------------------------------------------------

function say(text) {
  find("status").textContent = text;
}

function complain(error) {
  find("problem").textContent = error.message;
  find("problem").hidden = false;
}

function forgetComplaint() {
  find("problem").hidden = true;
}

// --- models -------------------------------------------------------------------------------------

async function loadModels() {
  state.models = await withKey(listModels);
  find("model").replaceChildren(...state.models.map(({ name }) => new Option(name, name)));
  chooseModel(state.models[0].name);
}

function chooseModel(name) {
  state.model = state.models.find((model) => model.name === name);
  state.local?.then((model) => model.close()).catch(() => null);
  state.local = null;
  find("about").textContent = `Model ${state.model.id}: ${state.model.description} Licence: ${state.model.licence}`;
  showFaces(find("faces"), state.model.labels);
  const browser = document.querySelector("input[value=browser]");
  browser.disabled = !state.models.some((model) => model.in_browser);
  if (state.place === "browser" && !state.model.in_browser) choosePlace("server");
  if (state.place === "browser") prepareLocalModel();
}

/** A model that browsers cannot run exactly gives way to the first that they can. */
function chooseModelForBrowser() {
  if (state.model.in_browser) return;
  const { name } = state.models.find((model) => model.in_browser);
  find("model").value = name;
  chooseModel(name);
}

function choosePlace(place) {
  state.place = place;
  if (place === "browser") chooseModelForBrowser();
  document.querySelector(`input[value=${place}]`).checked = true;
  find("promise").textContent = PROMISES[place];
  if (place === "browser") prepareLocalModel();
}

/** Start to fetch the model, so that it is there when the first recording comes. */
function prepareLocalModel() {
  if (state.local !== null) return;
  const megabytes = (state.model.bytes / 1e6).toFixed(1);
  say(`Fetching the model (${megabytes} MB) …`);
  state.local = withKey(() => openLocalModel(state.model.name));
  state.local.then(
    () => say("The model is in this browser now."),
    (error) => {
      say("");
      complain(error);
      state.local = null;
      choosePlace("server");
    },
  );
}

/** Do something that may need a key, and ask for one if it does. */
async function withKey(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !(await askForKey())) throw error;
    }
  }
}

function askForKey() {
  const dialog = find("key-dialog");
  find("key").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    find("key-cancel").onclick = () => dialog.close();
    dialog.querySelector("form").onsubmit = () => {
      keepKey(find("key").value);
      dialog.returnValue = "given";
    };
    dialog.onclose = () => resolve(dialog.returnValue === "given");
  });
}

// --- recordings ---------------------------------------------------------------------------------

async function takeFiles(files) {
  forgetComplaint();
  const results = [...files].map((file) => ({ name: file.name, blob: file, prediction: null, problem: null, segments: [], shares: {}, samples: null }));
  if (results.length === 0) return;
  state.results.push(...results);
  choose(results[0]);
  for (const [i, result] of results.entries()) {
    say(results.length > 1 ? `Working on ${i + 1} of ${results.length} …` : "Working …");
    await judge(result);
    showResults();
  }
  const nFailed = results.filter((result) => result.problem).length;
  const done = results.length > 1 ? `${results.length} recordings are done` : "Done";
  say(nFailed ? `${done}, ${nFailed} of them without a result.` : `${done}.`);
}

async function judge(result) {
  result.samples = await decode(result.blob);
  try {
    const [prediction, timeline] = state.place === "browser" ? await judgeHere(result) : await judgeThere(result);
    result.prediction = prediction;
    result.segments = timeline.segments;
    result.shares = timeline.shares;
  } catch (error) {
    result.problem = error.message;
  }
}

function judgeThere({ blob }) {
  const name = state.model.name;
  return Promise.all([withKey(() => predict(blob, name)), withKey(() => drawTimeline(blob, name))]);
}

async function judgeHere({ samples }) {
  if (samples === null) throw new Error("This browser cannot decode the file; use the service.");
  const model = await state.local;
  return [await model.predict(samples), await model.drawTimeline(samples)];
}

function choose(result) {
  state.chosen = result;
  player.load(result.blob);
  showResults();
}

// --- what is shown ------------------------------------------------------------------------------

function showResults() {
  const { chosen, results } = state;
  showRows(find("rows"), results, { chosen, choose });
  find("recordings").hidden = results.length === 0;
  find("download").disabled = results.every(({ prediction, problem }) => !prediction && !problem);
  if (chosen === null || state.recording !== null) return;
  openStage(chosen.name, chosen.prediction?.model ?? "");
  find("stage").classList.toggle("failed", chosen.problem !== null);
  showVerdict(find("verdict"), chosen);
  showBars(find("bars"), chosen.prediction?.probabilities ?? noProbabilities());
  const seconds = chosen.prediction?.duration_s ?? (chosen.samples ? chosen.samples.length / RATE : 1);
  waveform.show({ samples: chosen.samples, rate: RATE, seconds, segments: chosen.segments });
  describeWaveform(chosen.segments);
  showShares(find("shares"), chosen.shares);
  const canPlay = chosen.samples !== null;
  showSegments(find("segments"), chosen.segments, { canPlay, play: ({ start_s, stop_s }) => player.play(start_s, stop_s) });
  find("play").hidden = !canPlay;
}

function openStage(name, note) {
  find("stage").hidden = false;
  find("known").hidden = true;
  find("stage-name").textContent = name;
  find("stage-note").textContent = note;
}

function describeWaveform(segments) {
  const n = segments.filter((segment) => segment.emotion).length;
  const text = n === 0 ? "Waveform" : `Waveform with ${n} coloured ${n === 1 ? "segment" : "segments"}, listed below`;
  find("waveform").setAttribute("aria-label", text);
}

function noProbabilities() {
  return Object.fromEntries(state.model.labels.map((label) => [label, 0]));
}

// --- recording ----------------------------------------------------------------------------------

async function toggleRecording() {
  find("record").disabled = true;
  try {
    if (state.recording === null) await beginRecording();
    else await endRecording();
  } catch (error) {
    state.recording = null;
    complain(error);
  }
  find("record").disabled = false;
  showRecordButton();
}

async function beginRecording() {
  forgetComplaint();
  player.pause();
  const localModel = state.place === "browser" ? await state.local : null;
  state.recording = await record({
    model: state.model.name,
    localModel,
    show: (piece, rate) => waveform.pushLive(piece, rate),
    read: (prediction) => {
      showVerdict(find("verdict"), { prediction, listening: true });
      showBars(find("bars"), prediction?.probabilities ?? noProbabilities());
    },
    mark: (part) => waveform.markLive(part),
    fail: (error) => {
      complain(error);
      if (state.recording !== null) toggleRecording();
    },
  });
  waveform.beginLive(); // only now: until here a file that is being judged may show its result
  find("stage").classList.remove("failed");
  openStage("Listening", localModel ? "in this browser" : "live");
  showVerdict(find("verdict"), { listening: true });
  showBars(find("bars"), noProbabilities());
  find("segments").replaceChildren();
  find("shares").hidden = true;
  find("play").hidden = true;
  say("Recording. Speak now.");
}

async function endRecording() {
  const blob = await state.recording.stop();
  state.recording = null;
  state.nRecorded += 1;
  await takeFiles([new File([blob], `Recording ${state.nRecorded}.wav`, { type: blob.type })]);
}

function showRecordButton() {
  const isOn = state.recording !== null;
  find("record").classList.toggle("on", isOn);
  find("stage").classList.toggle("live", isOn);
  find("record-label").textContent = isOn ? "Stop" : "Record";
}

// --- the page itself ----------------------------------------------------------------------------

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(toCsv(state.results));
  link.download = "serenade.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function showTheme(isDark) {
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  find("theme").setAttribute("aria-pressed", String(isDark));
  waveform.draw();
}

function toggleTheme() {
  const isDark = document.documentElement.dataset.theme !== "dark";
  localStorage.setItem("serenade-theme", isDark ? "dark" : "light");
  showTheme(isDark);
}

function wireUp() {
  const theme = localStorage.getItem("serenade-theme");
  showTheme(theme === null ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark");
  find("theme").addEventListener("click", toggleTheme);
  find("record").addEventListener("click", toggleRecording);
  find("download").addEventListener("click", download);
  find("play").addEventListener("click", () => (player.isPlaying ? player.pause() : player.play(0, Infinity)));
  find("model").addEventListener("change", ({ target }) => chooseModel(target.value));
  document.querySelectorAll("input[name=place]").forEach((input) => input.addEventListener("change", () => choosePlace(input.value)));
  find("files").addEventListener("change", ({ target }) => {
    takeFiles(target.files);
    target.value = "";
  });
  const drop = find("drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    takeFiles(event.dataTransfer.files);
  });
  find("promise").textContent = PROMISES.server;
}

wireUp();
loadModels().catch(complain);
