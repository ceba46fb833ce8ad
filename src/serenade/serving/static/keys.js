// Keys: people are asked for one where the service wants it.

import { keepKey, keptKey } from "./api.js";

const SENDABLE = /^[\u0020-\u00ff]*$/; // what a header of HTTP can hold
const UNSENDABLE = "This cannot be a key: it has letters that no request can carry. Check the keyboard’s language.";

/** Wraps the dialog that asks for a key; those who ask while it is open share one answer. */
export class KeyDialog {
  #dialog;
  #field;
  #answer = null;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#field = dialog.querySelector("input");
    this.#field.addEventListener("input", () => this.#check());
    dialog.querySelector("button[type=button]").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", () => {
      keepKey(this.#field.value);
      dialog.returnValue = "given";
    });
  }

  /** Do something that may need a key, and ask for one if it does. */
  async unlock(work) {
    for (;;) {
      const shown = keptKey();
      try {
        return await work();
      } catch (error) {
        const isRefused = error.status === 401;
        const isNewer = keptKey() !== shown; // somebody else has asked meanwhile
        if (!isRefused || !(isNewer || (await this.#ask()))) throw error;
      }
    }
  }

  #ask() {
    this.#answer ??= this.#open().finally(() => (this.#answer = null));
    return this.#answer;
  }

  #open() {
    this.#field.value = "";
    this.#check();
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.onclose = () => resolve(this.#dialog.returnValue === "given");
    });
  }

  /** Let the browser refuse, with a sentence beside the field, what is no key. */
  #check() {
    this.#field.setCustomValidity(SENDABLE.test(this.#field.value) ? "" : UNSENDABLE);
  }
}
