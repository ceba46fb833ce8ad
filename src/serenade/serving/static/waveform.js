// The waveform: bars in the colours of what is heard, below them a lane with names and the time.

import { colourOf, titleOf } from "./emotions.js";
import { PEAKS_PER_SECOND } from "./peaks.js";

const BAR = 3;
const GAP = 1.5;
const LANE = 26;
const AXIS = 18;
const LEAST_TICK = 80;
const TICK_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];
const LIVE_SECONDS = 15;

/** Draws on a canvas; call `show` or `beginLive`. */
export class Waveform {
  #canvas;
  #recording = null;
  #live = null;
  #position = null;

  constructor(canvas, { seek }) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("click", (event) => {
      if (this.#recording === null) return;
      const seconds = (event.offsetX / canvas.clientWidth) * this.#recording.seconds;
      seek(this.#recording.segments.find((segment) => segment.start_s <= seconds && seconds < segment.stop_s), seconds);
    });
  }

  /** Show a recording: its peaks (or null), length and segments. */
  show({ peaks, seconds, segments }) {
    this.#live = null;
    this.#recording = { peaks, seconds, segments };
    this.#position = null;
    this.draw();
  }

  beginLive() {
    this.#recording = null;
    this.#live = { peaks: [], parts: [], guesses: [], seconds: 0, highest: 0, filled: 0 };
    this.draw();
  }

  /** Show what came from the microphone. */
  pushLive(samples, rate) {
    const live = this.#live;
    for (const sample of samples) {
      live.highest = Math.max(live.highest, Math.abs(sample));
      if (++live.filled >= rate / PEAKS_PER_SECOND) {
        live.peaks.push(live.highest);
        live.filled = 0;
        live.highest = 0;
      }
    }
    live.seconds += samples.length / rate;
    this.draw();
  }

  /** Show the emotion of a stretch of what came before; a guess gives way to what is known later. */
  markLive({ isGuess, ...part }) {
    extend(isGuess ? this.#live.guesses : this.#live.parts, part);
  }

  /** Show where the player is [s]; null hides it. */
  setPosition(seconds) {
    this.#position = seconds;
    this.draw();
  }

  draw() {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const view = this.#view();
    if (view === null) return;
    const style = getComputedStyle(canvas);
    const ink = style.getPropertyValue("--ink");
    const quiet = style.getPropertyValue("--line-strong");
    const x = (seconds) => ((seconds - view.start) / (view.stop - view.start)) * width;
    const top = height - LANE - AXIS;
    drawBars(pen, view, { width, height: top - 8, quiet });
    drawLane(pen, view, { x, top, width, ink, quiet, font: style.fontFamily });
    drawAxis(pen, view, { x, height, width, ink: style.getPropertyValue("--soft"), font: style.fontFamily });
    if (this.#position !== null) {
      pen.fillStyle = ink;
      pen.fillRect(x(this.#position) - 1, 0, 2, height - AXIS);
    }
  }

  #view() {
    if (this.#live !== null) {
      const { peaks, parts, guesses, seconds } = this.#live;
      const stop = Math.max(LIVE_SECONDS, seconds);
      const known = parts.at(-1)?.stop_s ?? 0;
      const open = guesses.filter((guess) => guess.stop_s > known).map((guess) => ({ ...guess, start_s: Math.max(known, guess.start_s), isGuess: true }));
      return { start: stop - LIVE_SECONDS, stop, peaks, parts: [...parts, ...open] };
    }
    if (this.#recording === null) return null;
    const { peaks, seconds, segments } = this.#recording;
    return { start: 0, stop: seconds, peaks: peaks ?? [], parts: segments };
  }
}

/** Put a part after the others, or lengthen the last one if it is the same. */
function extend(parts, part) {
  const before = parts.at(-1);
  const isSame = before && before.emotion === part.emotion && before.abstained === part.abstained;
  const goesOn = isSame && part.start_s - before.stop_s < 0.01;
  if (goesOn) before.stop_s = Math.max(before.stop_s, part.stop_s);
  else parts.push({ ...part, start_s: Math.max(part.start_s, before?.stop_s ?? 0) });
}

/** What is not certain is drawn fainter. */
function strengthOf(part) {
  return part?.isGuess || part?.abstained ? 0.5 : 1;
}

function drawBars(pen, view, { width, height, quiet }) {
  let loudest = 0.05;
  for (const peak of view.peaks) loudest = Math.max(loudest, peak);
  const middle = height / 2;
  const n = Math.floor(width / (BAR + GAP));
  const step = (view.stop - view.start) / n;
  for (let i = 0; i < n; i++) {
    const seconds = view.start + i * step;
    const from = Math.floor(seconds * PEAKS_PER_SECOND);
    const to = Math.max(from + 1, Math.floor((seconds + step) * PEAKS_PER_SECOND));
    let peak = 0;
    for (let j = from; j < to && j < view.peaks.length; j++) peak = Math.max(peak, view.peaks[j]);
    const part = view.parts.find((one) => one.start_s < seconds + step && seconds < one.stop_s);
    pen.fillStyle = part?.emotion ? colourOf(part.emotion) : quiet;
    const size = Math.max(1.5, (peak / loudest) ** 0.8 * middle);
    pen.beginPath();
    pen.roundRect(i * (BAR + GAP), middle - size, BAR, 2 * size, BAR / 2);
    pen.globalAlpha = strengthOf(part);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function drawLane(pen, view, { x, top, width, ink, quiet, font }) {
  pen.font = `600 12px ${font}`;
  pen.textBaseline = "middle";
  for (const part of view.parts) {
    const left = Math.max(0, x(part.start_s));
    const size = Math.min(width, x(part.stop_s)) - left - 1;
    if (size <= 0) continue;
    pen.fillStyle = part.emotion ? colourOf(part.emotion) : quiet;
    pen.beginPath();
    pen.roundRect(left, top, size, 6, 3);
    pen.globalAlpha = strengthOf(part);
    pen.fill();
    pen.globalAlpha = 1;
    const name = part.emotion ? (part.abstained ? `${titleOf(part.emotion)}?` : titleOf(part.emotion)) : "";
    if (pen.measureText(name).width + 4 < size) {
      pen.fillStyle = ink;
      pen.fillText(name, left + 2, top + 17);
    }
  }
}

/** Write the time at round moments, as close together as they can be read. */
function drawAxis(pen, { start, stop }, { x, height, width, ink, font }) {
  pen.font = `12px ${font}`;
  pen.textBaseline = "alphabetic";
  pen.fillStyle = ink;
  const step = TICK_SECONDS.find((seconds) => (seconds / (stop - start)) * width >= LEAST_TICK) ?? TICK_SECONDS.at(-1);
  for (let seconds = Math.ceil(start / step) * step; seconds <= stop; seconds += step) {
    const label = moment(seconds);
    const left = x(seconds) + 2; // as the names above
    if (left + pen.measureText(label).width <= width) pen.fillText(label, left, height - 3);
  }
}

/** Whole seconds as 1:05, hours as 1:00:05. */
function moment(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
