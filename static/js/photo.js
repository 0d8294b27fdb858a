// The page of one photo: keys, faces, and turning through the grid one came from.
const TRAIL = "trail";
const MOST = 2000;

/** A click on a tile remembers its grid, so that the next photo is the next one there. */
export function rememberTrail() {
  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    const ids = [...document.querySelectorAll(".tile")].map((one) => one.dataset.photo);
    const at = ids.indexOf(tile.dataset.photo);
    const near = ids.slice(Math.max(0, at - MOST / 2), at + MOST / 2);
    const isTimeline = location.pathname === "/";
    sessionStorage.setItem(TRAIL, JSON.stringify({ ids: isTimeline ? [] : near, from: location.href }));
  });
}

export function openPhoto(view) {
  const { ids = [], from } = JSON.parse(sessionStorage.getItem(TRAIL) ?? "{}");
  const at = ids.indexOf(view.dataset.photo);
  const turns = Object.fromEntries([...view.querySelectorAll("[data-turn]")].map((turn) => [turn.dataset.turn, turn]));
  if (at >= 0) {
    point(turns.previous, ids[at - 1]);
    point(turns.next, ids[at + 1]);
  }
  const back = view.querySelector("[data-back]");
  if (from) back.href = from;
  const toggle = view.querySelector("[data-toggle-faces]");
  toggle.addEventListener("click", () => {
    toggle.setAttribute("aria-pressed", view.classList.toggle("shows-faces"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, video, .box-edit") || view.classList.contains("is-drawing") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft" && !turns.previous.hidden) turns.previous.click();
    if (event.key === "ArrowRight" && !turns.next.hidden) turns.next.click();
    if (event.key === "Escape") back.click();
    if (event.key.toLowerCase() === "f") toggle.click();
  });
  playMotion(view);
  back.addEventListener("click", (event) => {
    if (from && document.referrer === from) {
      event.preventDefault();
      history.back();
    }
  });
  turnBySwipe(view.querySelector(".stage"), turns);
  document.addEventListener("htmx:afterSettle", () => {
    toggle.hidden = !view.querySelector(".face-box");
  });
  for (const [type, isOn] of [["pointerover", true], ["pointerout", false]]) {
    view.addEventListener(type, (event) => {
      const face = event.target.closest(".face-list [data-face]")?.dataset.face;
      if (face) view.querySelector(`.face-box[data-face="${face}"]`)?.classList.toggle("marked", isOn);
      const line = event.target.closest(".text-lines [data-line]")?.dataset.line;
      if (line) view.querySelector(`.text-box[data-line="${line}"]`)?.classList.toggle("marked", isOn);
    });
  }
}

/** The film of a motion photo runs over the still while it is asked for. */
function playMotion(view) {
  const film = view.querySelector("[data-motion]");
  const button = view.querySelector("[data-motion-toggle]");
  if (!film) return;
  const toggle = () => {
    film.hidden = !film.hidden;
    button.setAttribute("aria-pressed", !film.hidden);
    if (film.hidden) film.pause();
    else film.play();
  };
  button.addEventListener("click", toggle);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "m" && !event.target.closest("input, select, textarea")) toggle();
  });
}

function point(turn, id) {
  turn.hidden = id === undefined;
  if (id !== undefined) turn.href = turn.dataset.url.replace("/0", `/${id}`);
}

function turnBySwipe(stage, turns) {
  let start = null;
  stage.addEventListener("touchstart", (event) => {
    start = event.touches.length === 1 && !event.target.closest(".face-editor") ? event.touches[0] : null;
  }, { passive: true });
  stage.addEventListener("touchend", (event) => {
    if (!start) return;
    const { clientX, clientY } = event.changedTouches[0];
    const [x, y] = [clientX - start.clientX, clientY - start.clientY];
    if (Math.abs(x) < 60 || Math.abs(y) > Math.abs(x)) return;
    const turn = x > 0 ? turns.previous : turns.next;
    if (!turn.hidden) turn.click();
  });
}
