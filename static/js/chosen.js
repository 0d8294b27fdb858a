// Ticking photos of a grid: one by one, a row with Shift, a whole day, by a long press; a bar says what can be done.
import "./dialog.js";
import { inWords, mark } from "./marks.js";

const LONG_PRESS_MS = 450;
const MOST_PAGES = 50; // of one day that are loaded to choose all of it
const bar = document.getElementById("chosen");
const ids = new Set();
let last = null;
let isAsked = false; // by the button, before anything is ticked
let isAfterLongPress = false;

const tiles = () => [...document.querySelectorAll(".tile:not([hidden])")].filter((tile) => tile.querySelector(".choose"));

function set(tile, isOn) {
  tile.querySelector(".choose").checked = isOn;
  tile.classList.toggle("is-chosen", isOn);
  if (isOn) ids.add(tile.dataset.photo);
  else ids.delete(tile.dataset.photo);
}

function show() {
  const isChoosing = ids.size > 0 || isAsked;
  bar.hidden = !isChoosing;
  document.body.classList.toggle("is-choosing", isChoosing);
  document.querySelectorAll("[data-choose]").forEach((button) => button.setAttribute("aria-pressed", isChoosing));
  bar.querySelector("[data-count]").textContent = ids.size ? inWords(ids.size) : "Tick photos";
  for (const button of bar.querySelectorAll("button:not([data-clear], [data-all])")) button.disabled = ids.size === 0;
  for (const one of bar.querySelectorAll("[data-only]")) one.hidden = ids.size !== Number(one.dataset.only);
  showFavorite(bar.querySelector("[data-mark$=favorite]"));
  for (const box of document.querySelectorAll(".choose-day")) {
    const boxes = [...box.closest(".day").querySelectorAll(".tile:not([hidden]) .choose")];
    const count = boxes.filter((one) => one.checked).length;
    box.checked = boxes.length > 0 && count === boxes.length;
    box.indeterminate = count > 0 && count < boxes.length;
  }
}

/** The star takes away when all that is chosen has it. */
function showFavorite(star) {
  if (!star) return;
  const isFavorite = ids.size > 0 && [...ids].every((id) => document.getElementById(`photo-${id}`)?.matches("[data-favorite]"));
  star.dataset.mark = isFavorite ? "unfavorite" : "favorite";
  star.querySelector("span").textContent = isFavorite ? "No favourite" : "Favourite";
}

function clear() {
  document.querySelectorAll(".tile.is-chosen").forEach((tile) => set(tile, false));
  ids.clear();
  [last, isAsked] = [null, false];
  show();
}

function toggle(tile, isRange) {
  const isOn = !ids.has(tile.dataset.photo);
  const all = isRange && last?.isConnected ? tiles() : [];
  const [from, to] = [all.indexOf(last), all.indexOf(tile)].sort((a, b) => a - b);
  if (all.length && from >= 0) all.slice(from, to + 1).forEach((one) => set(one, isOn));
  else set(tile, isOn);
  last = tile;
  show();
}

/** All of a day, also what of it is not loaded yet. */
async function chooseDay(box) {
  const isOn = box.checked;
  const day = box.closest(".day");
  for (let page = 0; isOn && page < MOST_PAGES && isUnfinished(day); page += 1) {
    const more = day.nextElementSibling;
    htmx.trigger(more, "revealed");
    await new Promise((done) => document.addEventListener("htmx:afterSettle", () => setTimeout(done), { once: true }));
    if (more.isConnected) break;
  }
  day.querySelectorAll(".tile:not([hidden])").forEach((tile) => tile.querySelector(".choose") && set(tile, isOn));
  show();
}

const isUnfinished = (day) => day.nextElementSibling?.matches(".more:not(.earlier)");

function leaves(action) {
  return bar.dataset.leaves.split(" ").includes(action);
}

async function carryOut(action) {
  const isFavorite = (id) => document.getElementById(`photo-${id}`)?.matches("[data-favorite]");
  const concerned = [...ids].filter((id) => action !== "favorite" || !isFavorite(id));
  if (await mark(action, concerned, { album: bar.dataset.album, leaves: leaves(action) })) clear();
}

document.addEventListener("click", (event) => {
  if (isAfterLongPress) {
    isAfterLongPress = false;
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  const box = event.target.closest(".choose");
  if (box?.matches(".choose-day")) return void chooseDay(box);
  const tile = event.target.closest(".tile");
  if (tile?.querySelector(".choose")) {
    const isPlain = !(event.ctrlKey || event.metaKey);
    if (!box && !(isPlain && document.body.classList.contains("is-choosing"))) return;
    if (!box) {
      event.preventDefault();
      event.stopPropagation();
    }
    toggle(tile, event.shiftKey);
  }
  if (event.target.closest("[data-choose]")) {
    if (document.body.classList.contains("is-choosing")) clear();
    else isAsked = true;
    show();
  }
}, true);

document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && event.target.closest(".tile")) event.preventDefault(); // or Shift would mark text
});

// A long press ticks the first one; then a touch is enough.
let press = null;
const endPress = () => clearTimeout(press?.timer);
document.addEventListener("pointerdown", (event) => {
  isAfterLongPress = false;
  const tile = event.pointerType !== "mouse" && event.target.closest(".tile");
  if (!tile || !tile.querySelector(".choose")) return;
  const timer = setTimeout(() => {
    isAfterLongPress = true;
    navigator.vibrate?.(10);
    toggle(tile, false);
  }, LONG_PRESS_MS);
  press = { timer, x: event.clientX, y: event.clientY };
});
document.addEventListener("pointermove", (event) => {
  if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > 10) endPress();
});
for (const type of ["pointerup", "pointercancel", "scroll"]) document.addEventListener(type, endPress, { passive: true });
document.addEventListener("contextmenu", (event) => isAfterLongPress && event.preventDefault());

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open], .viewer")) return;
  const isCommand = event.ctrlKey || event.metaKey;
  if (event.key === "Escape" && !event.defaultPrevented && !bar.hidden) clear();
  if (event.key === "Delete" && ids.size && bar.querySelector("[data-mark=trash]")) carryOut("trash");
  if (event.key === "x" && !isCommand) {
    const tile = event.target.closest(".tile");
    if (tile?.querySelector(".choose")) toggle(tile, false);
  }
  if (event.key === "a" && isCommand && !bar.hidden) {
    event.preventDefault();
    chooseAll();
  }
});

function chooseAll() {
  tiles().forEach((tile) => set(tile, true));
  show();
}

bar.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("clear" in button.dataset) clear();
  if ("all" in button.dataset) chooseAll();
  if (button.dataset.mark) carryOut(button.dataset.mark);
});

// Forms and buttons that say so take the ticked photos along.
const takesIds = (element) => element.closest?.("[data-takes-ids]");
document.addEventListener("htmx:configRequest", (event) => {
  if (takesIds(event.detail.elt)) event.detail.parameters.ids = [...ids].join(",");
});
document.addEventListener("submit", (event) => {
  if (!takesIds(event.target) || event.target.hasAttribute("hx-post")) return;
  const field = event.target.elements.ids ?? event.target.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "ids" }));
  field.value = [...ids].join(",");
});
document.addEventListener("chitra:selection-done", clear);

// Tiles that come, or come anew, keep their ticks; those that went are not chosen any more when they are gone for good.
function restore() {
  for (const tile of document.querySelectorAll(".tile")) {
    const box = tile.querySelector(".choose");
    if (box && box.checked !== ids.has(tile.dataset.photo)) set(tile, ids.has(tile.dataset.photo));
  }
  show();
}
document.addEventListener("htmx:afterSettle", restore);
document.addEventListener("chitra:tiles", restore);
restore();
