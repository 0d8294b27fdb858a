// Every page: theme, messages, placeholders, live updates.
import { listen } from "./live.js";
import { shownPhoto, watchPhotos } from "./photo.js";
import { watchPlaceholders } from "./placeholders.js";
import { makeScrubber } from "./scrubber.js";
import { joinDays, jump, keepPlace, onEvents, returnToPlace, trim } from "./timeline.js";
import { toast, watchToasts } from "./toasts.js";

const THEMES = ["automatic", "light", "dark"];

function showTheme(theme) {
  if (theme === "automatic") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.querySelector("[data-theme-toggle] span")?.replaceChildren(theme);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
  const menu = document.querySelector(".menu[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
  if (event.target.closest("[data-theme-toggle]")) {
    const theme = THEMES[(THEMES.indexOf(localStorage.getItem("theme") ?? "automatic") + 1) % THEMES.length];
    localStorage.setItem("theme", theme);
    showTheme(theme);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector(".menu[open]")?.removeAttribute("open");
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    document.querySelector(".search-box input").focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.dataset.jump && event.target.value) jump(event.target.value);
});

document.addEventListener("htmx:beforeSwap", keepPlace);
document.addEventListener("htmx:afterSettle", (event) => {
  joinDays();
  returnToPlace();
  trim();
  const months = document.querySelector("select[data-jump]");
  if (months) makeScrubber(months, jump);
  watchPlaceholders(event.target.isConnected ? event.target.parentElement ?? document : document);
});
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  toast(status === 403 ? "That was refused. Reload the page and try again." : `The server answered with an error (${status}).`);
});
document.addEventListener("htmx:sendError", () => toast("The server cannot be reached."));
document.addEventListener("chitra:tiles", () => {
  joinDays();
  htmx.process(document.getElementById("timeline") ?? document.body);
  watchPlaceholders(document);
});

/** Whether somebody reads further down, types a name or waits for its answer, or has ticked or dragged people. */
function isInUse(grid) {
  return scrollY >= 200 || grid.contains(document.activeElement) || grid.querySelector(":checked, .is-dragged, .htmx-request");
}

// Somebody may have begun to type while the fresh grid was on its way.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  if (target.matches(".people[data-live]") && isInUse(target)) event.detail.shouldSwap = false;
});

/** The grid of people again, unless it is in use. */
function refreshPeople() {
  const grid = document.querySelector(".people[data-live], .empty[data-live]");
  if (!grid || isInUse(grid)) return;
  if (grid.matches(".empty")) location.reload();
  else htmx.ajax("GET", grid.dataset.live, { target: grid, swap: "innerHTML" });
}

showTheme(localStorage.getItem("theme") ?? "automatic");
watchToasts();
watchPlaceholders(document);
watchPhotos();
document.querySelector(".sub-nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

listen(async (events) => {
  htmx.trigger(document.body, "chitra:changed");
  document.dispatchEvent(new CustomEvent("chitra:events", { detail: events }));
  const shown = Number(shownPhoto()?.dataset.photo);
  const concerns = events.some((event) => event.step === "faces" && event.photos?.includes(shown));
  if (concerns) htmx.trigger(document.body, "chitra:photo");
  if (!events.length || events.some((event) => event.kind === "people")) refreshPeople();
  await onEvents(events);
});
