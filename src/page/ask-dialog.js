// A question in a dialog of the page: says what will happen and waits for a yes or a no. The way back
// has the focus first and Escape is a no, so that a key pressed by mistake does nothing. Knows
// neither jobs nor the API.

import { el } from "./text.js";

let made = 0;

/**
 * Asks `{ title, says, yes, no, tone, isVain }`: `says` are nodes, `yes` and `no` the words on the
 * buttons, `tone` the look of the yes ("danger solid" or "primary"), `isVain` a yes that cannot be. At a yes `work()` is done; the dialog
 * stays until it is over and then closes, however it went. Gives what the work gave, `undefined`
 * after a no; throws what the work threw.
 */
export function ask(parent, { title, says, yes, no, tone, isVain = false }, work) {
  made += 1;
  const [name, about] = [`ask-${made}`, `ask-${made}-about`];
  const back = el("button", { type: "button", class: "button", "data-answer": "no", autofocus: true }, no);
  const go = el("button", { type: "submit", class: `button ${tone}`, "data-answer": "yes", disabled: isVain }, yes);
  const form = el(
    "form", { method: "dialog", class: "stack" },
    el("h2", { id: name }, title),
    el("div", { id: about, class: "says" }, says),
    el("div", { class: "row answers" }, back, go),
  );
  const dialog = el("dialog", { class: "ask", "aria-labelledby": name, "aria-describedby": about }, form);
  parent.append(dialog);
  const answered = answer(dialog, { form, back, go }, work);
  dialog.showModal();
  return answered.finally(() => dialog.remove());
}

function answer(dialog, { form, back, go }, work) {
  return new Promise((resolve, reject) => {
    let isBusy = false;
    const close = (settle, value) => {
      dialog.close();
      settle(value);
    };
    back.addEventListener("click", () => isBusy || close(resolve));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (!isBusy) close(resolve);
    });
    // A browser may close without asking, and a page may be left with the dialog open.
    dialog.addEventListener("close", () => isBusy || resolve());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      busy(go, true);
      busy(back, true, false);
      work(new FormData(form)).then((value) => close(resolve, value), (fault) => close(reject, fault));
    });
  });
}

/** A button that is under way: it keeps the focus, says so, and looks so. */
export function busy(button, isBusy, isPressed = true) {
  for (const name of ["aria-disabled", ...(isPressed ? ["aria-busy"] : [])]) {
    if (isBusy) button.setAttribute(name, "true");
    else button.removeAttribute(name);
  }
}
