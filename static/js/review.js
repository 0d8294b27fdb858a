// Questions: the cards lie there already, so the next one is seen at once while the answer is on its way.
const FEW = 4;
const KEYS = { y: "yes", n: "no", s: "unsure", ArrowRight: "yes", ArrowLeft: "no", ArrowDown: "unsure" };
const page = document.getElementById("review");
const questions = document.getElementById("questions");
const problem = document.getElementById("review-problem");
const undoButton = document.getElementById("undo-answer");
const [answered, left] = [document.getElementById("answered"), document.getElementById("left")];
const headers = { "Content-Type": "application/json", "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"] };
const done = [];
let sending = Promise.resolve();
let remaining = Number(questions.querySelector("[data-count]")?.dataset.count ?? 0);
let isAsking = false;

const cards = () => [...questions.querySelectorAll(".question")];

function show() {
  const [first] = cards();
  page.querySelector(".review-end").hidden = Boolean(first) || isAsking;
  page.querySelector(".answers").hidden = !first;
  page.querySelector(".review-foot").hidden = !first && done.length === 0;
  left.textContent = remaining;
  answered.textContent = done.length;
  undoButton.disabled = done.length === 0;
}

async function send(url, body) {
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.message ?? content.detail ?? `The server answered with ${answer.status}.`);
  return content;
}

function answer(kind) {
  const [card] = cards();
  if (!card) return;
  problem.textContent = "";
  const { person, face, other } = card.dataset;
  const stale = kind === "yes" && other ? cards().filter((one) => one !== card && mentions(one, other)) : [];
  const record = { card, stale, entry: null, isSent: false };
  [card, ...stale].forEach((one) => one.remove());
  remaining = Math.max(0, remaining - 1);
  done.push(record);
  show();
  const about = face ? { face_id: Number(face) } : { other_id: Number(other) };
  sending = sending
    .then(() => send(page.dataset.answerUrl, { person_id: Number(person), ...about, answer: kind }))
    .then((content) => Object.assign(record, { entry: content.entry, isSent: true }))
    .catch((error) => {
      done.splice(done.indexOf(record), 1);
      problem.textContent = `${error.message} The question is left out.`;
    })
    .then(() => (cards().length < FEW || stale.length ? refill() : null))
    .then(show);
}

function mentions(card, person) {
  return card.dataset.other === person || card.dataset.person === person;
}

async function refill() {
  isAsking = true;
  const response = await fetch(page.dataset.url, { headers: { "HX-Request": "true" } });
  const holder = document.createElement("template");
  if (response.ok) holder.innerHTML = await response.text();
  isAsking = false;
  const unsent = done.filter((record) => !record.isSent);
  const gone = [...done.map((record) => record.card), ...unsent.flatMap((record) => record.stale)];
  const known = new Set([...cards(), ...gone].map((card) => card.dataset.key));
  for (const card of holder.content.querySelectorAll(".question")) if (!known.has(card.dataset.key)) questions.append(card);
  remaining = Number(holder.content.querySelector("[data-count]")?.dataset.count ?? remaining);
  remaining = Math.max(remaining - unsent.length, cards().length);
}

function undo() {
  const record = done.pop();
  if (!record) return;
  problem.textContent = "";
  sending = sending
    .then(() => (record.entry ? send(page.dataset.undoUrl.replace("/0/", `/${record.entry}/`), {}) : null))
    .then(() => {
      questions.prepend(record.card, ...record.stale);
      remaining += 1;
    })
    .catch((error) => {
      problem.textContent = error.message;
    })
    .then(show);
  show();
}

page.querySelector(".answers")?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-answer]");
  if (button) answer(button.dataset.answer);
});
undoButton?.addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key in KEYS) {
    event.preventDefault();
    answer(KEYS[key]);
  }
  if (key === "z") undo();
});
