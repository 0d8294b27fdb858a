// Short messages at the foot of the page, from the server or from a script; one may offer to undo.
const TOAST_MS = 9000;
const toasts = document.getElementById("toasts");

/** Say something; `undo`, if given, is called by a button in it. */
export function toast(text, undo = null) {
  const element = document.createElement("div");
  element.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  element.append(words);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = "Undo";
    button.addEventListener("click", () => {
      element.remove();
      undo();
    });
    element.append(button);
  }
  toasts.append(element);
}

/** A toast stays while the pointer or the focus is on it. */
function expire(element) {
  setTimeout(() => (element.matches(":hover, :focus-within") ? expire(element) : element.remove()), TOAST_MS);
}

export function watchToasts() {
  toasts.querySelectorAll(".toast").forEach(expire);
  new MutationObserver((changes) => {
    changes.flatMap((change) => [...change.addedNodes]).forEach((node) => node.classList?.contains("toast") && expire(node));
  }).observe(toasts, { childList: true });
}
