// Completion of names: inputs with data-names ask that address and show people with their portraits.
const PAUSE_MS = 120;
const list = document.createElement("ul");
list.id = "names";
list.className = "names";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Known people");
list.hidden = true;

let input = null;
let timer = null;
let asked = null;

function open(field) {
  if (input === field) return;
  input = field;
  for (const [name, value] of [["role", "combobox"], ["aria-controls", "names"], ["aria-autocomplete", "list"]]) {
    input.setAttribute(name, value);
  }
  (input.closest("dialog") ?? document.body).append(list);
}

function stopAsking() {
  clearTimeout(timer);
  asked?.abort();
}

function close() {
  stopAsking();
  list.hidden = true;
  list.replaceChildren();
  input?.setAttribute("aria-expanded", "false");
  input?.removeAttribute("aria-activedescendant");
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const url = new URL(input.dataset.names, location.href);
  url.searchParams.set("q", input.value);
  try {
    const answer = await fetch(url, { signal: asked.signal });
    if (answer.ok) show(await answer.text());
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

function show(html) {
  if (document.activeElement !== input) return;
  list.innerHTML = html;
  const only = list.children.length === 1 && list.firstElementChild.dataset.value === input.value;
  list.hidden = list.children.length === 0 || only;
  input.setAttribute("aria-expanded", String(!list.hidden));
  place();
}

function place() {
  const field = input.getBoundingClientRect();
  const width = Math.max(field.width, 240);
  const isAbove = innerHeight - field.bottom < 260 && field.top > innerHeight - field.bottom;
  list.style.width = `${width}px`;
  list.style.left = `${Math.max(8, Math.min(field.left + (field.width - width) / 2, innerWidth - width - 8))}px`;
  list.style.top = isAbove ? "auto" : `${field.bottom + 4}px`;
  list.style.bottom = isAbove ? `${innerHeight - field.top + 4}px` : "auto";
}

function move(step) {
  stopAsking(); // an answer that is still to come would take the choice away
  const options = [...list.children];
  const at = options.findIndex((option) => option.ariaSelected === "true");
  options[at]?.removeAttribute("aria-selected");
  const next = options[(at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length];
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", next.id);
}

function choose(option) {
  const field = input;
  field.value = option.dataset.value;
  close();
  field.focus();
  if (field.classList.contains("in-place")) field.form.requestSubmit();
}

// A name changed in place: Esc brings the old one back, and so does leaving nothing of it.
function leave(field) {
  field.value = field.dataset.was;
  field.removeAttribute("aria-invalid");
  field.form.querySelector(".problem")?.remove();
  field.blur();
}

document.addEventListener("focusout", (event) => {
  const field = event.target;
  if (field.dataset?.was && !field.value.trim()) field.value = field.dataset.was;
});

document.addEventListener("input", (event) => {
  if (!event.target.dataset?.names) return;
  open(event.target);
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
});

document.addEventListener("focusin", (event) => {
  if (event.target.dataset?.names) open(event.target);
  else close();
});

// An empty field shows who is known when it is clicked; on the focus alone the list would cover what lies below.
document.addEventListener("click", (event) => {
  if (event.target === input && !input.value) ask();
  else if (!list.hidden && !list.contains(event.target)) close();
});

document.addEventListener("keydown", (event) => {
  if (event.target !== input) return;
  if (event.key === "Escape") {
    const isOpen = !list.hidden;
    close();
    if (isOpen || "was" in input.dataset) event.preventDefault();
    if (!isOpen && "was" in input.dataset) leave(input);
  }
  if (list.hidden) {
    if (event.key === "ArrowDown") ask();
    return;
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  }
  const chosen = list.querySelector("[aria-selected=true]");
  if (event.key === "Enter" && chosen) {
    event.preventDefault();
    choose(chosen);
  }
}, true);

// Before the input loses the focus, and with it the change is sent.
list.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const option = event.target.closest("[role=option]");
  if (option) choose(option);
});
addEventListener("scroll", () => list.hidden || place(), { passive: true });
