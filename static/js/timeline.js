// The grid while it is open: new photos, tiles that became ready, pages that go on with the same day.
const timeline = document.getElementById("timeline");
const pill = document.getElementById("new-photos");
const unseen = new Set();
const MOST_TILES = 200; // that the server gives at once

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
