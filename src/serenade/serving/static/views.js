// What results look like. Everything is made of elements; no text is ever read as HTML.

import { colourOf, faceOf, titleOf, unsureFace } from "./emotions.js";

const WARNINGS = {
  clipping: "Parts of the recording are clipped",
  too_quiet: "The recording is very quiet",
  no_speech: "Hardly any speech was found",
  too_short: "The recording is shorter than the model is sure about",
  noisy: "The recording is noisy",
};

/** Make an element with classes and children. */
export function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** Minutes and seconds, for example 1:05.3. */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

/** Fill the panel that says it in one word. */
export function showVerdict(panel, { prediction, problem, segments, listening }) {
  panel.setAttribute("aria-live", listening ? "off" : "polite"); // no screen reader keeps up with it
  panel.style.setProperty("--emotion", prediction && !prediction.abstained ? colourOf(prediction.emotion) : "transparent");
  if (problem) {
    const rest = segments.length ? [make("p", "detail", "Below is what was heard while it was recorded.")] : [];
    panel.replaceChildren(make("p", "kicker", "No result"), make("p", "explanation", problem), ...rest);
    return;
  }
  if (!prediction) {
    panel.replaceChildren(make("p", "kicker", listening ? "Listening" : "Working"), make("p", "word quiet", "…"));
    return;
  }
  const { emotion, confidence, abstained, intensity, warnings = [] } = prediction;
  const word = abstained ? make("p", "word quiet", unsureFace(), "Not sure") : make("p", "word", faceOf(emotion), titleOf(emotion));
  const detail = abstained
    ? `Nearest is ${titleOf(emotion).toLowerCase()} with ${percent(confidence)}, too little to say so.`
    : `${percent(confidence)} confident`;
  const strength = intensity == null ? [] : [make("p", "detail", `Intensity ${percent(intensity)}`)];
  panel.replaceChildren(
    make("p", "kicker", listening ? "Sounds like, right now" : "Sounds like"),
    word,
    make("p", "detail", detail),
    ...strength,
    ...warningList(warnings),
  );
}

/** Show the emotions that a model tells apart. */
export function showFaces(list, labels) {
  list.replaceChildren(...labels.map((label) => make("li", "", faceOf(label), titleOf(label))));
}

/** Show the probability of every emotion; bars that are there already move. */
export function showBars(list, probabilities) {
  const entries = Object.entries(probabilities);
  const highest = Math.max(...entries.map(([, p]) => p));
  if (list.dataset.labels !== entries.map(([name]) => name).join()) {
    list.dataset.labels = entries.map(([name]) => name).join();
    list.replaceChildren(...entries.map(([name]) => barOf(name)));
  }
  entries.forEach(([, p], i) => {
    const row = list.children[i];
    row.classList.toggle("first", p === highest && p > 0);
    row.style.setProperty("--share", p);
    row.querySelector(".value").textContent = percent(p);
  });
}

/** Show how much of the speech each emotion holds. */
export function showShares(strip, shares) {
  const held = Object.entries(shares).filter(([, share]) => share > 0);
  strip.hidden = held.length < 2;
  strip.replaceChildren(
    ...held.map(([emotion, share]) => {
      const part = make("span", "share", faceOf(emotion), `${titleOf(emotion)} ${percent(share)}`);
      part.style.setProperty("--emotion", colourOf(emotion));
      part.style.setProperty("--share", share);
      return part;
    }),
  );
}

/** Show the segments with speech as buttons that play them. */
export function showSegments(list, segments, { play, canPlay }) {
  list.replaceChildren(
    ...segments.filter((segment) => segment.emotion).map((segment) => {
      const name = segment.abstained ? `${titleOf(segment.emotion)}, not sure` : titleOf(segment.emotion);
      const times = `${clock(segment.start_s)} – ${clock(segment.stop_s)}`;
      const button = make("button", "segment", make("span", "unseen", "Play "), triangle(), faceOf(segment.emotion), make("span", "", name), make("span", "note", `${percent(segment.confidence)} · ${times}`));
      button.type = "button";
      button.disabled = !canPlay;
      button.style.setProperty("--emotion", colourOf(segment.emotion));
      button.addEventListener("click", () => play(segment));
      return make("li", "", button);
    }),
  );
}

/** Show all results as rows; `choose` gets the one whose name was clicked. */
export function showRows(body, results, { chosen, choose }) {
  const models = new Set(results.flatMap(({ prediction }) => (prediction ? [prediction.model] : [])));
  body.replaceChildren(
    ...results.map((result) => {
      const button = make("button", "link", result.name);
      button.type = "button";
      button.setAttribute("aria-pressed", String(result === chosen));
      button.addEventListener("click", () => choose(result));
      const model = models.size > 1 && result.prediction ? [make("span", "note", result.prediction.model)] : [];
      const row = make("tr", result === chosen ? "chosen" : "", make("th", "", button, ...model), ...cellsOf(result));
      row.firstChild.scope = "row";
      return row;
    }),
  );
}

function triangle() {
  const template = document.getElementById("triangle");
  return template.content.firstElementChild.cloneNode(true);
}

function cellsOf({ prediction, problem }) {
  if (problem) return [make("td", "bad", "No result"), make("td", "number", ""), make("td", "number", ""), make("td", "bad", problem)];
  if (!prediction) return [make("td", "note", "working …"), make("td"), make("td"), make("td")];
  const name = prediction.abstained ? `Not sure (${titleOf(prediction.emotion).toLowerCase()})` : titleOf(prediction.emotion);
  const emotion = make("td", "", make("span", "tag", prediction.abstained ? unsureFace() : faceOf(prediction.emotion), name));
  const warnings = prediction.warnings.map((code) => WARNINGS[code] ?? code).join("; ");
  return [emotion, make("td", "number", percent(prediction.confidence)), make("td", "number", clock(prediction.duration_s)), make("td", "note", warnings)];
}

function barOf(emotion) {
  const bar = make("span", "track", make("span", "fill"));
  const row = make("li", "", faceOf(emotion), make("span", "name", titleOf(emotion)), bar, make("span", "value"));
  row.style.setProperty("--emotion", colourOf(emotion));
  return row;
}

function warningList(warnings) {
  if (warnings.length === 0) return [];
  return [make("ul", "warnings", ...warnings.map((code) => make("li", "", WARNINGS[code] ?? code)))];
}
