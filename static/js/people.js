// Pages of people: a portrait dragged onto another one asks whether the two are one.
import "./dialog.js";
import "./names.js";
import "./selection.js";

const grid = document.querySelector("[data-merge-url]");
let dragged = null;

function over(event) {
  const person = event.target.closest?.(".person");
  return person && person !== dragged && person.querySelector("[draggable]") ? person : null;
}

if (grid) {
  grid.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".person");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
    const portrait = dragged.querySelector(".portrait");
    event.dataTransfer.setDragImage(portrait, portrait.clientWidth / 2, portrait.clientHeight / 2);
    dragged.classList.add("is-dragged");
  });
  grid.addEventListener("dragover", (event) => {
    const target = dragged && over(event);
    grid.querySelectorAll(".is-target").forEach((one) => one !== target && one.classList.remove("is-target"));
    if (!target) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    target.classList.add("is-target");
  });
  grid.addEventListener("drop", (event) => {
    const target = dragged && over(event);
    if (!target) return;
    event.preventDefault();
    const pair = new URLSearchParams([["people", dragged.dataset.person], ["people", target.dataset.person], ["keep", target.dataset.person]]);
    htmx.ajax("GET", `${grid.dataset.mergeUrl}?${pair}`, { target: "#dialog-body" });
  });
  grid.addEventListener("dragend", () => {
    grid.querySelectorAll(".is-target, .is-dragged").forEach((one) => one.classList.remove("is-target", "is-dragged"));
    dragged = null;
  });
}

// What is saved needs its panel no longer.
document.addEventListener("htmx:afterSettle", (event) => {
  const form = document.getElementById("person-details");
  const isDetails = event.detail.pathInfo?.requestPath === form?.getAttribute("action");
  if (isDetails && !form.querySelector(".problem")) form.closest("details").open = false;
});

// One panel at a time, and none when the click was elsewhere.
document.addEventListener("click", (event) => {
  for (const panel of document.querySelectorAll(".more-tools[open]")) {
    if (!panel.contains(event.target) && !event.target.closest(".names, dialog")) panel.open = false;
  }
});
