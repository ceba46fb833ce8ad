// Plays a recording or a part of it, and says where it is.

/**
 * Wraps an audio element; `move` gets the position [s] while it plays and null when it stops,
 * `fail` is called where a recording turns out to be nothing that the browser can play.
 */
export class Player {
  #element;
  #move;
  #stop = Infinity;
  #address = null;

  constructor(element, { move, fail }) {
    this.#element = element;
    this.#move = move;
    element.addEventListener("play", () => this.#follow());
    element.addEventListener("error", fail);
  }

  /** Take another recording; null takes none. */
  load(blob) {
    this.pause();
    if (this.#address !== null) URL.revokeObjectURL(this.#address);
    this.#address = blob && URL.createObjectURL(blob);
    if (this.#address === null) this.#element.removeAttribute("src");
    else this.#element.src = this.#address;
  }

  get isPlaying() {
    return !this.#element.paused;
  }

  get canPlay() {
    return this.#element.error === null;
  }

  async play(start, stop) {
    this.#stop = stop;
    this.#element.currentTime = start;
    await this.#element.play().catch(() => this.#move(null));
  }

  pause() {
    this.#element.pause();
  }

  #follow() {
    const { currentTime, paused } = this.#element;
    if (!paused && currentTime >= this.#stop) this.#element.pause();
    if (this.#element.paused) {
      this.#move(null);
      return;
    }
    this.#move(currentTime);
    requestAnimationFrame(() => this.#follow());
  }
}
