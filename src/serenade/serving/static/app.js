// The page: recordings come in, are judged, and are shown.

import { listModels } from "./api.js";
import { toCsv } from "./csv.js";
import { explain, judgeHere, judgeThere, newResult } from "./judge.js";
import { KeyDialog } from "./keys.js";
import { record } from "./live.js";
import { openLocalModel } from "./local.js";
import { readPeaks } from "./peaks.js";
import { Player } from "./player.js";
import { sharesOf } from "./recognise.js";
import { showBars, showFaces, showRows, showSegments, showShares, showVerdict } from "./views.js";
import { Waveform } from "./waveform.js";

const find = (id) => document.getElementById(id);

const PROMISES = {
  server: "Give it a recording or speak. The service listens, answers and forgets.",
  browser: "Give it a recording or speak. The model runs in this browser; no audio leaves your machine.",
};

const LONGEST_PICTURE_SECONDS = 600; // a longer recording takes too much to decode for its picture alone

const state = { loading: null, models: [], model: null, place: "server", localModels: new Map(), results: [], chosen: null, recording: null, nRecorded: 0 };

const keys = new KeyDialog(find("key-dialog"));
const player = new Player(find("player"), {
  move: (seconds) => {
    waveform.setPosition(seconds);
    find("play").textContent = seconds === null ? "Play" : "Stop";
  },
  fail: () => showResults(),
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

/** Load the models, where they are not there yet. */
function needModels() {
  state.loading ??= loadModels().catch((error) => {
    state.loading = null;
    throw error;
  });
  return state.loading;
}

async function loadModels() {
  state.models = await keys.unlock(listModels);
  find("model").replaceChildren(...state.models.map(({ name }) => new Option(name, name)));
  chooseModel(state.models[0].name);
}

function chooseModel(name) {
  state.model = state.models.find((model) => model.name === name);
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

/** Let the model run where it is wanted, once it is known which can. */
async function takePlace(place) {
  if (state.model === null) forgetComplaint();
  try {
    await needModels();
    choosePlace(state.models.some((model) => model.in_browser) ? place : "server");
  } catch (error) {
    complain(error);
    choosePlace("server");
  }
}

function choosePlace(place) {
  state.place = place;
  if (place === "browser") chooseModelForBrowser();
  document.querySelector(`input[value=${place}]`).checked = true;
  find("promise").textContent = PROMISES[place];
  if (place === "browser") prepareLocalModel();
}

/** Start to fetch the model, so that it is there when the first recording comes; it stays when another is chosen. */
function prepareLocalModel() {
  const { name, bytes } = state.model;
  if (state.localModels.has(name)) return;
  say(`Fetching the model (${(bytes / 1e6).toFixed(1)} MB) …`);
  const opened = keys.unlock(() => openLocalModel(name));
  state.localModels.set(name, opened);
  opened.then(
    () => say("The model is in this browser now."),
    (error) => {
      state.localModels.delete(name);
      say("");
      complain(error);
      if (state.model.name === name) choosePlace("server");
    },
  );
}

/** The model as it is chosen now: a batch or a recording keeps it, whatever is chosen meanwhile. */
async function holdModel() {
  await needModels();
  const { model, place, localModels } = state;
  return { model, localModel: place === "browser" ? await localModels.get(model.name) : null };
}

// --- recordings ---------------------------------------------------------------------------------

function takeFiles(files) {
  if (files.length === 0) return;
  forgetComplaint();
  const labels = state.model?.labels ?? [];
  judgeAll([...files].map((file) => newResult(file, { labels })), holdModel());
}

async function judgeAll(results, held) {
  state.results.push(...results);
  choose(results[0]);
  for (const [i, result] of results.entries()) {
    say(results.length > 1 ? `Working on ${i + 1} of ${results.length} …` : "Working …");
    await judge(result, held);
    showResults();
  }
  const nFailed = results.filter((result) => result.problem).length;
  const done = results.length > 1 ? `${results.length} recordings are done` : "Done";
  say(nFailed ? `${done}, ${nFailed} of them without a result.` : `${done}.`);
}

async function judge(result, held) {
  try {
    const { model, localModel } = await held;
    result.labels = model.labels;
    Object.assign(result, localModel ? await judgeHere(result.blob, localModel) : await judgeThere(result.blob, model.name, keys));
  } catch (error) {
    result.problem = await explain(error, result.blob);
  }
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
  if (state.recording !== null) return;
  find("stage").hidden = chosen === null;
  find("known").hidden = chosen !== null;
  if (chosen === null) return;
  openStage(chosen.name, chosen.prediction?.model ?? "");
  find("stage").classList.toggle("failed", chosen.problem !== null);
  find("stage").classList.toggle("heard", chosen.segments.length > 0);
  showVerdict(find("verdict"), chosen);
  showBars(find("bars"), chosen.prediction?.probabilities ?? noProbabilities(chosen.labels));
  showWaveform(chosen);
  showShares(find("shares"), chosen.shares);
  const { canPlay } = player;
  showSegments(find("segments"), chosen.segments, { canPlay, play: ({ start_s, stop_s }) => player.play(start_s, stop_s) });
  find("play").hidden = !canPlay;
  find("save").hidden = !chosen.isRecording;
}

function showWaveform(result) {
  const { peaks, prediction, segments } = result;
  waveform.show({ peaks, seconds: prediction?.duration_s ?? result.seconds ?? 1, segments });
  describeWaveform(segments);
  if (prediction !== null && peaks === null && !result.isDrawn) drawPicture(result);
}

/** Decode a recording for its picture: only once, and only where that is quick. */
async function drawPicture(result) {
  result.isDrawn = true;
  if (result.prediction.duration_s > LONGEST_PICTURE_SECONDS) return;
  result.peaks = await readPeaks(result.blob);
  if (result === state.chosen && state.recording === null) showWaveform(result);
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

function noProbabilities(labels) {
  return Object.fromEntries(labels.map((label) => [label, 0]));
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
    showResults();
  }
  find("record").disabled = false;
  showRecordButton();
}

async function beginRecording() {
  forgetComplaint();
  player.pause();
  const held = await holdModel();
  const whileLive = (show) => (...given) => state.recording !== null && show(...given);
  const microphone = await record({
    model: held.model.name,
    localModel: held.localModel,
    show: whileLive((piece, rate) => waveform.pushLive(piece, rate)),
    read: whileLive((prediction) => {
      showVerdict(find("verdict"), { prediction, listening: true });
      showBars(find("bars"), prediction?.probabilities ?? noProbabilities(held.model.labels));
    }),
    mark: whileLive((part) => waveform.markLive(part)),
    fail: (error) => {
      complain(error);
      if (state.recording !== null) toggleRecording();
    },
  });
  state.recording = { microphone, held };
  waveform.beginLive(); // only now: until here a file that is being judged may show its result
  find("stage").classList.remove("failed");
  openStage("Listening", held.localModel ? "in this browser" : "live");
  showVerdict(find("verdict"), { listening: true });
  showBars(find("bars"), noProbabilities(held.model.labels));
  find("segments").replaceChildren();
  find("shares").hidden = true;
  find("play").hidden = true;
  find("save").hidden = true;
  say("Recording. Speak now.");
}

async function endRecording() {
  const { microphone, held } = state.recording;
  state.recording = null;
  showRecordButton();
  say("Working …");
  const heard = await microphone.stop();
  if (heard === null) {
    say("Nothing was recorded.");
    showResults();
    return;
  }
  const { blob, seconds, peaks, segments } = heard;
  const { labels } = held.model;
  state.nRecorded += 1;
  const file = new File([blob], `Recording ${state.nRecorded}.wav`, { type: blob.type });
  const result = newResult(file, { labels, seconds, peaks, segments, shares: sharesOf(segments, labels), isRecording: true });
  await judgeAll([result], held);
}

function showRecordButton() {
  const isOn = state.recording !== null;
  find("record").classList.toggle("on", isOn);
  find("stage").classList.toggle("live", isOn);
  find("record-label").textContent = isOn ? "Stop" : "Record";
}

// --- the page itself ----------------------------------------------------------------------------

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
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
  find("download").addEventListener("click", () => save(toCsv(state.results), "serenade.csv"));
  find("save").addEventListener("click", () => save(state.chosen.blob, state.chosen.name));
  find("play").addEventListener("click", () => (player.isPlaying ? player.pause() : player.play(0, Infinity)));
  find("model").addEventListener("change", ({ target }) => chooseModel(target.value));
  document.querySelectorAll("input[name=place]").forEach((input) => input.addEventListener("change", () => takePlace(input.value)));
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
needModels().catch(complain);
