// One photo, large: over the grid it was opened from, or as a page of its own. Keys, swipes, marks, a slideshow.
import "./faces.js";
import { mark } from "./marks.js";
import { watchPlaceholders } from "./placeholders.js";
import { toast } from "./toasts.js";
import { zoomable } from "./zoom.js";

const AHEAD = 12; // tiles before the end of the grid at which more are asked for
const SHOW_MS = 5000;
const SWIPE_PX = 60;
const pages = new Map(); // what was fetched ahead, by URL
let overlay = null; // over the grid; null on a page of its own
let opener = null;
let zoom = null;
let show = null; // the slideshow's timer
let gridTitle = "";

export const shownPhoto = () => document.querySelector(".photo-view");

const view = shownPhoto;
const isPhoto = (path) => /^\/photos\/\d+$/.test(path);
const tiles = () => [...document.querySelectorAll(".tile:not([hidden])")];

/** The neighbour's URL: in the order of the grid, or what the page itself says. */
function neighbour(step) {
  if (!overlay) {
    const turn = view().querySelector(`[data-turn="${step < 0 ? "previous" : "next"}"]`);
    return turn.hidden ? null : turn.getAttribute("href");
  }
  const all = tiles();
  const at = all.findIndex((tile) => tile.dataset.photo === view().dataset.photo);
  const more = document.querySelector(step < 0 ? ".more.earlier" : ".more:not(.earlier)");
  if (more && (step < 0 ? at < AHEAD : at > all.length - AHEAD)) htmx.trigger(more, "revealed");
  return at < 0 ? null : all[at + step]?.querySelector("a").getAttribute("href") ?? null;
}

function fetchAhead(url) {
  if (!url) return null;
  if (!pages.has(url)) {
    if (pages.size > 8) pages.delete(pages.keys().next().value);
    const page = fetch(url, { headers: { "HX-Request": "true" } }).then((answer) => (answer.ok && !answer.redirected ? answer.text() : null));
    pages.set(url, page.catch(() => null));
  }
  return pages.get(url);
}

function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.querySelector(".photo-view");
}

/** Puts the photo at `url` into the page; false when it cannot be had. */
async function put(url) {
  const html = await fetchAhead(url);
  pages.delete(url); // it may change while it is looked at
  const next = html && parse(html);
  if (!next) {
    toast("This photo is not there any more, or the server cannot be reached.");
    return false;
  }
  const before = view();
  const hasFocus = before?.contains(document.activeElement);
  const label = hasFocus && document.activeElement.getAttribute("aria-label");
  if (before?.classList.contains("shows-faces")) next.classList.add("shows-faces");
  if (before) before.replaceWith(next);
  else overlay.append(next);
  if (overlay) overlay.scrollTop = 0;
  htmx.process(next);
  watchPlaceholders(next);
  settle();
  document.title = `${next.dataset.title} · Chitra`;
  const same = label && [...next.querySelectorAll(".stage [aria-label]")].find((one) => one.getAttribute("aria-label") === label && !one.hidden);
  (same || next).focus({ preventScroll: true });
  return true;
}

/** What every photo that is shown needs. */
function settle() {
  const now = view();
  zoom = zoomable(now.querySelector(".stage"), now.querySelector(".picture"));
  showFacts(localStorage.getItem("facts") !== "hidden");
  now.querySelector("[data-show]").setAttribute("aria-pressed", Boolean(show));
  now.classList.toggle("is-show", Boolean(show));
  for (const [step, name] of [[-1, "previous"], [1, "next"]]) {
    const url = neighbour(step);
    const turn = now.querySelector(`[data-turn="${name}"]`);
    turn.hidden = !url;
    if (!url) continue;
    turn.href = url;
    const tile = document.getElementById(`photo-${url.split("/").pop()}`);
    const isReady = tile ? tile.dataset.state === "ready" : "ready" in turn.dataset;
    if (isReady) new Image().src = `/api${url}/preview`;
  }
  fetchAhead(neighbour(1));
}

async function turn(step) {
  const url = neighbour(step);
  if (!url) return stopShow();
  if (!(await put(url))) return;
  history.replaceState(history.state, "", url);
}

/** Opens the photo of a tile over its grid. */
async function open(tile) {
  const link = tile.querySelector("a");
  overlay = document.createElement("div");
  overlay.className = "viewer";
  overlay.setAttribute("role", "dialog");
  overlay.setAttribute("aria-modal", "true");
  overlay.setAttribute("aria-label", "Photo");
  [opener, gridTitle] = [tile.dataset.photo, document.title];
  history.pushState({ isPhoto: true }, "", link.href);
  document.body.append(overlay);
  hideGrid(true);
  if (!(await put(link.getAttribute("href")))) history.back();
}

function hideGrid(isHidden) {
  document.documentElement.classList.toggle("has-viewer", isHidden);
  for (const part of document.querySelectorAll(".top, #progress, #content, .selection-bar")) part.inert = isHidden;
}

/** Back to the grid, as it was; the photo looked at last is in sight. */
function close() {
  stopShow();
  const tile = document.getElementById(`photo-${view()?.dataset.photo}`) ?? document.getElementById(`photo-${opener}`);
  overlay.remove();
  overlay = null;
  hideGrid(false);
  document.title = gridTitle;
  tile?.scrollIntoView({ block: "nearest" });
  tile?.querySelector("a").focus({ preventScroll: true });
}

function leave() {
  if (overlay) history.back();
  else location.href = view().querySelector("[data-back]").href;
}

async function markShown(action, isOn, button) {
  const { photo } = view().dataset;
  if (await mark(action, [photo], { isQuiet: action.endsWith("favorite") })) button.setAttribute("aria-pressed", isOn);
}

function toggleMark(name, verb) {
  const button = view().querySelector(`[data-${name}]`);
  if (!button) return;
  const isOn = button.getAttribute("aria-pressed") !== "true";
  markShown(isOn ? verb : `un${verb}`, isOn, button);
}

async function trash() {
  if (!("canEdit" in view().dataset)) return;
  const id = view().dataset.photo;
  const beside = neighbour(1) ?? neighbour(-1);
  if (!(await mark("trash", [id], { leaves: true }))) return;
  if (!beside) leave();
  else if (await put(beside)) history.replaceState(history.state, "", beside);
}

function showFacts(isShown) {
  view().classList.toggle("no-facts", !isShown);
  view().querySelector("[data-toggle-facts]").setAttribute("aria-pressed", isShown);
}

function toggleFacts() {
  if (matchMedia("(max-width: 900px)").matches) {
    view().querySelector(".facts").scrollIntoView({ behavior: "smooth" });
    return;
  }
  const isShown = view().classList.contains("no-facts");
  localStorage.setItem("facts", isShown ? "shown" : "hidden");
  showFacts(isShown);
}

function toggleFaces() {
  const button = view().querySelector("[data-toggle-faces]");
  if (!button.hidden) button.setAttribute("aria-pressed", view().classList.toggle("shows-faces"));
}

function toggleShow() {
  if (show) return stopShow();
  show = setInterval(() => turn(1), SHOW_MS);
  view().querySelector("[data-show]").setAttribute("aria-pressed", "true");
  view().classList.add("is-show");
}

function stopShow() {
  clearInterval(show);
  show = null;
  view()?.classList.remove("is-show");
  view()?.querySelector("[data-show]").setAttribute("aria-pressed", "false");
}

/** The film of a motion photo runs over the still while it is asked for. */
function toggleMotion() {
  const film = view().querySelector("[data-motion]");
  if (!film) return;
  film.hidden = !film.hidden;
  view().querySelector("[data-motion-toggle]").setAttribute("aria-pressed", !film.hidden);
  if (film.hidden) film.pause();
  else film.play();
}

const KEYS = {
  ArrowLeft: () => turn(-1),
  ArrowRight: () => turn(1),
  Escape: () => (show ? stopShow() : zoom.isLarge() ? zoom.reset() : leave()),
  Delete: trash,
  " ": toggleShow,
  "+": () => zoom.by(1.5),
  "=": () => zoom.by(1.5),
  "-": () => zoom.by(1 / 1.5),
  0: () => zoom.reset(),
  a: () => toggleMark("archive", "archive"),
  f: () => toggleMark("favorite", "favorite"),
  i: toggleFacts,
  m: toggleMotion,
  p: toggleFaces,
};
const CLICKS = {
  "[data-favorite]": KEYS.f,
  "[data-archive]": KEYS.a,
  "[data-toggle-facts]": toggleFacts,
  "[data-toggle-faces]": toggleFaces,
  "[data-show]": toggleShow,
  "[data-motion-toggle]": toggleMotion,
};

function onKey(event) {
  if (!view() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea, video, .box-edit") || view().classList.contains("is-drawing")) return;
  if (event.key === " " && event.target.closest("button, a, summary")) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  if (event.key !== " " && event.key !== "Escape") stopShow();
  act();
}

function onClick(event) {
  const isPlain = !event.defaultPrevented && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!isPlain) return;
  const tile = event.target.closest(".tile");
  if (tile && event.target.closest("a") && !overlay) {
    event.preventDefault();
    open(tile);
  }
  if (!view()?.contains(event.target)) return;
  const turned = event.target.closest("[data-turn]");
  if (turned) {
    event.preventDefault();
    stopShow();
    turn(turned.dataset.turn === "previous" ? -1 : 1);
  }
  if (overlay && event.target.closest("[data-back]")) {
    event.preventDefault();
    leave();
  }
  for (const [selector, act] of Object.entries(CLICKS)) if (event.target.closest(selector)) act();
}

let swipe = null;
function onTouch(event) {
  if (event.type === "touchstart") {
    const isOne = event.touches.length === 1 && event.target.closest(".stage") && !event.target.closest(".face-editor, .box-layer, video");
    swipe = isOne && !zoom.isLarge() ? event.touches[0] : null;
  } else if (swipe) {
    const { clientX, clientY } = event.changedTouches[0];
    const [x, y] = [clientX - swipe.clientX, clientY - swipe.clientY];
    swipe = null;
    if (Math.abs(x) > SWIPE_PX && Math.abs(x) > Math.abs(y)) turn(x > 0 ? -1 : 1);
  }
}

/** From now on tiles open here; a photo that is the page is made ready. */
export function watchPhotos() {
  if (view()) settle();
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("touchstart", onTouch, { passive: true });
  document.addEventListener("touchend", onTouch, { passive: true });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-trash]")) return;
    event.preventDefault();
    trash();
  });
  addEventListener("popstate", () => {
    const isThere = isPhoto(location.pathname);
    if (overlay && !isThere) close();
    else if (view() && isThere) put(location.pathname);
    else location.reload(); // forward to a photo, or back from one that was loaded anew
  });
  document.addEventListener("htmx:afterSettle", () => {
    const button = view()?.querySelector("[data-toggle-faces]");
    if (button) button.hidden = !view().querySelector(".face-box");
  });
  for (const [type, isOn] of [["pointerover", true], ["pointerout", false]]) {
    document.addEventListener(type, (event) => {
      const face = event.target.closest?.(".face-list [data-face]")?.dataset.face;
      if (face) view()?.querySelector(`.face-box[data-face="${face}"]`)?.classList.toggle("marked", isOn);
      const line = event.target.closest?.(".text-lines [data-line]")?.dataset.line;
      if (line) view()?.querySelector(`.text-box[data-line="${line}"]`)?.classList.toggle("marked", isOn);
    });
  }
}
