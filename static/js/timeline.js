// The grid while it is open: new photos, tiles that became ready, pages that go on with the same day.
const timeline = document.getElementById("timeline");
const pill = document.getElementById("new-photos");
const unseen = new Set();
const MOST_TILES = 200; // that the server gives at once
const MOST_SHOWN = 1500; // in the page, before what is far away goes
const KEPT = 1000;
const NEAR = 300; // of what is in sight, never taken away

async function fragment(url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  const holder = document.createElement("template");
  if (answer.ok) holder.innerHTML = await answer.text();
  return holder.content;
}

/** A page that begins with the day the one before ended with joins it. */
export function joinDays() {
  timeline?.querySelectorAll(".day + .day").forEach((day) => {
    const before = day.previousElementSibling;
    if (before.dataset.day !== day.dataset.day) return;
    before.querySelector(".tiles").append(...day.querySelectorAll(".tile"));
    day.remove();
  });
}

let place = null; // a tile in sight, and where, while newer photos come above it

/** Before newer photos come in above: what is in sight is to stay where it is. */
export function keepPlace(event) {
  if (!event.detail.target?.matches?.(".more.earlier")) return;
  const tile = [...timeline.querySelectorAll(".tile")].find((one) => one.getBoundingClientRect().bottom > 0);
  place = tile && { tile, top: tile.getBoundingClientRect().top };
}

export function returnToPlace() {
  if (!place) return;
  scrollBy({ top: place.tile.getBoundingClientRect().top - place.top, behavior: "instant" });
  place = null;
}

/** Of a long way through the photos only the part around what is in sight stays in the page. */
export function trim() {
  const tiles = timeline ? [...timeline.querySelectorAll(".tile")] : [];
  if (tiles.length <= MOST_SHOWN || document.querySelector(".viewer")) return;
  const seen = tiles.findIndex((tile) => tile.getBoundingClientRect().bottom > 0);
  const isLow = seen > tiles.length / 2;
  const [anchor, top] = [tiles[seen], tiles[seen].getBoundingClientRect().top];
  const far = isLow ? tiles.slice(0, Math.min(tiles.length - KEPT, seen - NEAR)) : tiles.slice(Math.max(KEPT, seen + NEAR));
  const rest = far.filter((tile) => tile.closest(".day") !== anchor.closest(".day")); // rows in sight are not packed anew
  if (!rest.length) return;
  rest.forEach((tile) => tile.remove());
  timeline.querySelectorAll(".day").forEach((day) => day.querySelector(".tile") ?? day.remove());
  timeline.querySelector(isLow ? ".more.earlier" : ".more:not(.earlier)")?.remove();
  const left = [...timeline.querySelectorAll(".tile")];
  const more = document.createElement("div");
  more.className = isLow ? "more earlier" : "more";
  const url = new URL(location.href); // with the filters of a search
  ["before", "after"].forEach((name) => url.searchParams.delete(name));
  url.searchParams.set(isLow ? "after" : "before", left.at(isLow ? 0 : -1).dataset.cursor);
  more.setAttribute("hx-get", url.pathname + url.search);
  more.setAttribute("hx-trigger", "revealed");
  more.setAttribute("hx-swap", "outerHTML");
  if (isLow) timeline.prepend(more);
  else timeline.append(more);
  htmx.process(more);
  scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: "instant" });
}

/** Show the timeline from another place on, without leaving the page. */
export async function jump(cursor) {
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("before", cursor);
  timeline.setAttribute("aria-busy", "true");
  const answer = await fetch(url).catch(() => null);
  timeline.removeAttribute("aria-busy");
  if (!answer?.ok) return void (location.href = url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  timeline.replaceChildren(...page.getElementById("timeline").childNodes);
  delete timeline.dataset.live;
  document.querySelector("[data-newest]")?.removeAttribute("hidden");
  history.replaceState(history.state, "", url);
  scrollTo({ top: 0, behavior: "instant" });
  const first = timeline.querySelector(".day");
  if (first && timeline.querySelector(".more.earlier")) first.scrollIntoView({ behavior: "instant" }); // not the end of what is above
  document.dispatchEvent(new CustomEvent("chitra:tiles"));
}

export async function onEvents(events) {
  const changed = new Set(events.flatMap((event) => event.photos ?? []));
  const stale = [...document.querySelectorAll(".tile:not([data-state='ready'])")].map((tile) => tile.dataset.photo);
  const ids = stale.filter((id) => changed.has(Number(id))).slice(0, 200);
  if (ids.length) await refreshTiles(ids);
  if (!timeline?.dataset.live) return;
  events.filter((event) => event.kind === "photo").forEach((event) => unseen.add(event.id));
  const affects = events.length === 0 || events.some((event) => event.kind === "photo" || event.step === "metadata");
  if (affects && "empty" in timeline.dataset) location.reload();
  else if (affects && scrollY < 200) await refreshTop();
  showPill();
}

/** Fetch these tiles anew, those that are in the page. */
export async function refreshTiles(ids) {
  const shown = ids.filter((id) => document.getElementById(`photo-${id}`));
  for (let start = 0; start < shown.length; start += MOST_TILES) {
    const fresh = await fragment(`/photos/tiles?ids=${shown.slice(start, start + MOST_TILES).join(",")}`);
    fresh.querySelectorAll(".tile").forEach((tile) => document.getElementById(tile.id)?.replaceWith(tile));
  }
  document.dispatchEvent(new CustomEvent("chitra:tiles"));
}

async function refreshTop() {
  const fresh = await fragment(timeline.dataset.live);
  unseen.clear();
  for (const day of fresh.querySelectorAll(".day")) mergeDay(day);
  timeline.querySelectorAll(".day").forEach((day) => day.querySelector(".tile") ?? day.remove());
  document.dispatchEvent(new CustomEvent("chitra:tiles"));
}

function mergeDay(fresh) {
  const days = [...timeline.querySelectorAll(".day")];
  const day = days.find((known) => known.dataset.day === fresh.dataset.day);
  if (!day) {
    const older = days.find((known) => known.dataset.day < fresh.dataset.day);
    fresh.querySelectorAll(".tile").forEach((tile) => document.getElementById(tile.id)?.remove());
    timeline.insertBefore(fresh, older ?? timeline.querySelector(":scope > .more"));
    return;
  }
  const tiles = day.querySelector(".tiles");
  let place = tiles.firstElementChild;
  for (const tile of fresh.querySelectorAll(".tile")) {
    const known = document.getElementById(tile.id);
    const kept = known?.dataset.state === tile.dataset.state ? known : tile;
    if (kept === place) {
      place = place.nextElementSibling;
      continue;
    }
    if (known && kept !== known) {
      if (known === place) place = place.nextElementSibling;
      known.remove();
    }
    tiles.insertBefore(kept, place);
  }
}

function showPill() {
  if (!pill) return;
  unseen.forEach((id) => document.getElementById(`photo-${id}`) && unseen.delete(id));
  pill.hidden = unseen.size === 0;
  pill.textContent = unseen.size === 1 ? "1 new photo" : `${unseen.size} new photos`;
}

pill?.addEventListener("click", async () => {
  scrollTo({ top: 0, behavior: "smooth" });
  await refreshTop();
  showPill();
});
