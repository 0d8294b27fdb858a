// One action on some photos, with its undo: sent to the server, then shown in the grid.
import { refreshTiles } from "./timeline.js";
import { toast } from "./toasts.js";

const URL = "/api/photos/bulk";
const DONE = {
  trash: "moved to the trash",
  restore: "brought back",
  favorite: "marked as favourite",
  unfavorite: "no favourite any more",
  archive: "archived",
  unarchive: "back in the timeline",
  remove_from_album: "taken out of the album",
  add_to_album: "back in the album",
};
const INVERSE = {
  restore: "trash",
  trash: "restore",
  favorite: "unfavorite",
  unfavorite: "favorite",
  archive: "unarchive",
  unarchive: "archive",
  remove_from_album: "add_to_album",
};

const tileOf = (id) => document.getElementById(`photo-${id}`);

export function inWords(count) {
  return count === 1 ? "1 photo" : `${count.toLocaleString("en")} photos`;
}

/** Carry out `action` on the photos `ids`; `leaves`: they are not in this grid any more; `isQuiet`: it is seen anyway. */
export async function mark(action, ids, { album, leaves = false, isQuiet = false } = {}) {
  if (!(await send(action, ids, album))) return false;
  const back = async () => {
    if (!(await send(INVERSE[action], ids, album))) return;
    if (leaves) show(ids, true);
    else await refreshTiles(ids);
    toast(`${inWords(ids.length)} ${DONE[INVERSE[action]]}.`);
    document.dispatchEvent(new CustomEvent("chitra:marked", { detail: { action: INVERSE[action], ids } }));
  };
  if (leaves) show(ids, false);
  else await refreshTiles(ids);
  if (!isQuiet) toast(`${inWords(ids.length)} ${DONE[action]}.`, back);
  document.dispatchEvent(new CustomEvent("chitra:marked", { detail: { action, ids } }));
  return true;
}

async function send(action, ids, album) {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const body = JSON.stringify({ action, ids: ids.map(Number), ...(album && { album: Number(album) }) });
  try {
    const answer = await fetch(URL, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body });
    if (answer.ok) return true;
    const content = await answer.json().catch(() => ({}));
    toast(content.message ?? `The server answered with an error (${answer.status}).`);
  } catch {
    toast("The server cannot be reached.");
  }
  return false;
}

function show(ids, isThere) {
  for (const id of ids) {
    const tile = tileOf(id);
    if (!tile) continue;
    tile.hidden = !isThere;
    const day = tile.closest(".day");
    if (day) day.hidden = !day.querySelector(".tile:not([hidden])");
  }
}
