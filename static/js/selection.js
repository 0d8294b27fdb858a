// Ticking several things of a grid: a bar with what can be done appears, shift-click ticks a row, Esc clears.
const bar = document.querySelector("[data-selection]");
let last = null;

function boxes() {
  return [...document.querySelectorAll(".choose")];
}

function show() {
  const count = boxes().filter((box) => box.checked).length;
  bar.hidden = count === 0;
  document.body.classList.toggle("is-choosing", count > 0);
  const name = bar.querySelector("[name=name]");
  if (name && count === 0) name.value = ""; // of those who were chosen before
  bar.querySelector("[data-count]").textContent = `${count} chosen`;
  for (const button of bar.querySelectorAll("[data-needs]")) button.disabled = count < Number(button.dataset.needs);
  for (const button of bar.querySelectorAll("[data-only]")) button.hidden = count !== Number(button.dataset.only);
}

export function clear() {
  boxes().forEach((box) => (box.checked = false));
  bar.querySelector("#problem").textContent = "";
  last = null;
  show();
}

if (bar) {
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".choose");
    if (!box) return;
    if (event.shiftKey && last?.isConnected) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
    }
    last = box;
    show();
  });
  bar.querySelector("[data-clear]").addEventListener("click", clear);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) clear();
  });
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("htmx:afterRequest", () => setTimeout(show));
  addEventListener("pageshow", show);
}
