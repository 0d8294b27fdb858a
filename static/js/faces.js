// The faces on one photo: a small window to name one, and a box to draw or move.
import { editBox } from "./box.js";
import "./names.js";

const view = () => document.querySelector(".photo-view");
const picture = () => document.querySelector(".photo-view .picture");
const editor = () => document.getElementById("face-editor");
let box = null;
let opener = null;

function close() {
  if (!editor() || (!editor().firstElementChild && !box)) return;
  stopBox();
  editor().replaceChildren();
  opener?.isConnected && opener.focus();
  opener = null;
}

function stopBox() {
  box?.remove();
  box = null;
  view()?.classList.remove("is-drawing");
}

function startBox(start) {
  stopBox();
  view().classList.add("is-drawing", "shows-faces");
  box = editBox(picture(), start, (value) => {
    editor().querySelectorAll("[name=box]").forEach((field) => (field.value = value));
    place();
  });
}

function place() {
  const panel = editor()?.querySelector(".face-window");
  if (!panel) return;
  const target = box?.element ?? picture().querySelector(`.face-box[data-face="${panel.dataset.face}"]`);
  if (!target || innerWidth <= 640) return;
  const [face, stage] = [target.getBoundingClientRect(), picture().parentElement.getBoundingClientRect()];
  const [width, height] = [panel.offsetWidth, panel.offsetHeight];
  const isRight = stage.right - face.right > width + 24;
  const x = isRight ? face.right + 14 : face.left - width - 14;
  editor().style.left = `${Math.max(8, Math.min(x, stage.right - width - 8)) - stage.left}px`;
  editor().style.top = `${Math.max(8, Math.min(face.top - 20, stage.bottom - height - 12) - stage.top)}px`;
}

async function draw(button) {
  await htmx.ajax("GET", button.dataset.draw, { target: "#face-editor" });
  opener = button;
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const editing = target.closest("[data-edit-face], .face-box");
  if (editing) {
    stopBox();
    opener = editing;
  }
  const drawing = target.closest("[data-draw]");
  if (drawing) draw(drawing);
  if (target.closest("[data-close-editor]")) close();
  if (target.closest("[data-move]")) {
    const form = target.closest("form");
    startBox(editor().querySelector(".face-window").dataset.box.split(",").map(Number));
    form.querySelector("[data-move]").hidden = true;
    form.querySelector("[data-keep-box]").hidden = false;
    editor().querySelector("[data-box-help]").hidden = false;
    box.element.focus();
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "faces" && !editor().firstElementChild) stopBox();
  if (event.detail.target?.id !== "face-editor" || !editor().firstElementChild) return;
  if (editor().querySelector("[data-draws]")) {
    startBox(null);
    editor().querySelector("[data-box-help]").hidden = false;
    picture().scrollIntoView({ block: "nearest" });
  }
  place();
  const first = box?.element ?? editor().querySelector("[name=name]");
  first.focus({ preventScroll: true });
});

addEventListener("resize", place);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && (editor()?.firstElementChild || box)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    close();
  }
  if (event.key === "Enter" && event.target === box?.element) {
    event.preventDefault(); // or the same key sends the form, before there is a name
    editor().querySelector("[name=name]").focus();
  }
  if (event.target.closest("input, select, textarea, .box-edit") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "d") document.querySelector("[data-draw]")?.click();
}, true);
