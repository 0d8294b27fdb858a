// Files go up three at a time, each with its own progress and its own answer.
// Large ones go in pieces, and go on where they stopped after a lost connection, a reload or a restart of the server.
const AT_ONCE = 3;
const MEGABYTE = 1024 * 1024;
const LARGE = 8 * MEGABYTE;
const PIECE = 32 * MEGABYTE;
const TOO_MANY = 429;
const RETRY_AFTER_MS = [0, 1000, 3000, 5000, 10000, 20000, 30000];
const MOST_SHOWN = 60; // of the files that went well
const LEFT_OUT = /^(\..*|Thumbs\.db|desktop\.ini)$/i;
const form = document.getElementById("upload");
const inputs = form.querySelectorAll("input[type=file]");
const place = form.querySelector("select[name=library]"); // only there when there is a choice
const list = document.getElementById("uploads");
const whole = document.getElementById("upload-progress");
const summary = document.getElementById("upload-summary");
const refused = document.getElementById("upload-refused");
const duplicates = document.getElementById("upload-duplicates");
const again = document.getElementById("upload-again");
const blank = document.getElementById("upload-item");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const queue = [];
const interrupted = [];
const counts = { saved: 0, duplicate: 0, refused: 0, leftOut: 0 };
const bytes = { all: 0, done: 0, sending: new Map() };
let running = 0;

/** Files with the folder they were in; what systems put beside photos is left out. */
function add(files) {
  for (const { file, folder } of files) {
    if (LEFT_OUT.test(file.name)) {
      counts.leftOut += 1;
      continue;
    }
    bytes.all += file.size;
    queue.push({ file, folder, library: place?.value });
  }
  advance();
}

function advance() {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    const one = queue.shift();
    one.item = blank.content.firstElementChild.cloneNode(true);
    one.item.querySelector(".upload-name").textContent = one.file.name;
    one.item.title = one.folder + one.file.name;
    list.prepend(one.item);
    send(one);
  }
  const left = running + queue.length;
  const parts = [
    left && `${number(left)} to go`,
    counts.saved && `${number(counts.saved)} saved`,
    counts.duplicate && `${number(counts.duplicate)} already there`,
    counts.refused && `${number(counts.refused)} not taken`,
    counts.leftOut && `${number(counts.leftOut)} hidden file${counts.leftOut === 1 ? "" : "s"} left out`,
  ];
  summary.textContent = parts.filter(Boolean).join(" · ");
  whole.hidden = !summary.textContent;
  again.hidden = left > 0 || !interrupted.length;
  document.getElementById("upload-end").hidden = left > 0 || !counts.saved;
  showWhole();
}

const number = (count) => count.toLocaleString("en");

function showWhole() {
  const sending = [...bytes.sending.values()].reduce((sum, sent) => sum + sent, 0);
  const bar = whole.querySelector("progress");
  bar.value = bytes.all ? (100 * (bytes.done + sending)) / bytes.all : 0;
  bar.hidden = running + queue.length === 0;
}

function send(one) {
  if (one.file.size > LARGE) sendInPieces(one);
  else sendWhole(one);
}

async function sendInPieces(one) {
  const { file, library } = one;
  const end = (status, answer) => finish(one, status, answer);
  const upload = new tus.Upload(file, {
    endpoint: into(form.dataset.tusUrl, library),
    chunkSize: PIECE,
    retryDelays: RETRY_AFTER_MS,
    removeFingerprintOnSuccess: true,
    headers: { "X-CSRFToken": token },
    metadata: { filename: file.name },
    onProgress: (sent, total) => progress(one, sent, total),
    onSuccess: ({ lastResponse }) => {
      const photo = { id: Number(lastResponse.getHeader("Chitra-Photo-Id")) };
      const isDuplicate = lastResponse.getHeader("Chitra-Duplicate") === "true";
      end(200, isDuplicate ? { duplicates: [photo] } : { saved: [photo] });
    },
    onError: (error) => {
      const response = error.originalResponse;
      end(response?.getStatus() ?? 0, parse(response?.getBody() ?? ""));
    },
  });
  const [begun] = await upload.findPreviousUploads();
  if (begun) upload.resumeFromPreviousUpload(begun);
  upload.start();
}

function into(url, library) {
  return library ? `${url}?library=${library}` : url;
}

function progress({ item, file }, sent, total) {
  const percent = total ? Math.round((100 * sent) / total) : 0;
  item.querySelector("progress").value = percent;
  say(item, percent < 100 ? `${percent} %` : "being saved");
  bytes.sending.set(file, Math.min(sent, file.size));
  showWhole();
}

function sendWhole(one) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", one.file);
  request.upload.onprogress = (event) => progress(one, event.loaded, event.lengthComputable ? event.total : 0);
  request.onloadend = () => {
    if (request.status === TOO_MANY) {
      say(one.item, "waiting: the server asks for a pause");
      setTimeout(() => sendWhole(one), 1000 * Number(request.getResponseHeader("Retry-After") ?? 5));
    } else finish(one, request.status, parse(request.responseText));
  };
  request.open("POST", into(form.dataset.url, one.library));
  request.setRequestHeader("X-CSRFToken", token);
  request.send(body);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function finish(one, status, answer) {
  running -= 1;
  bytes.sending.delete(one.file);
  bytes.done += one.file.size;
  const saved = answer.saved?.[0];
  const photo = saved ?? answer.duplicates?.[0];
  if (!photo) refuse(one, status, answer);
  else if (saved) save(one, photo);
  else repeat(one, photo);
  advance();
}

function refuse(one, status, answer) {
  counts.refused += 1;
  if (!status || status >= 500) interrupted.push(one);
  const reason = answer.message ?? (status ? `The server answered with ${status}.` : "The connection was lost.");
  one.item.remove();
  one.row = tell(refused, one, reason, "problem");
}

function save({ item }, photo) {
  counts.saved += 1;
  item.querySelector("progress").remove();
  item.querySelector(".upload-state").replaceChildren(link(photo, "saved"));
  item.dataset.photo = photo.id;
  const done = list.querySelectorAll("[data-photo]");
  if (done.length > MOST_SHOWN) done[done.length - 1].remove();
}

function repeat(one, photo) {
  counts.duplicate += 1;
  one.item.remove();
  tell(duplicates, one, "", "quiet", link(photo, "see it"));
}

function link(photo, text) {
  const element = document.createElement("a");
  element.href = form.dataset.photoUrl.replace("/0", `/${photo.id}`);
  element.textContent = text;
  return element;
}

/** A line of the lists at the end: which file, and why. */
function tell(section, one, reason, kind, ...more) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const why = document.createElement("span");
  row.className = "row";
  name.className = "grow";
  name.textContent = one.folder + one.file.name;
  why.className = `small ${kind}`;
  why.textContent = reason;
  row.append(name, why, ...more);
  section.querySelector("ul").append(row);
  section.hidden = false;
  return row;
}

again.addEventListener("click", () => {
  const files = interrupted.splice(0);
  files.forEach((one) => one.row.remove());
  counts.refused -= files.length;
  refused.hidden = !refused.querySelector("li");
  files.forEach((one) => (bytes.done -= one.file.size));
  queue.push(...files);
  advance();
});

function say(item, text, kind = "quiet") {
  const state = item.querySelector(".upload-state");
  state.className = `upload-state small ${kind}`;
  state.textContent = text;
}

function showThumbnail(item) {
  const image = new Image();
  image.alt = "";
  image.onload = () => item.querySelector(".upload-thumbnail").replaceChildren(image);
  image.src = form.dataset.thumbnailUrl.replace("/0/", `/${item.dataset.photo}/`);
}

document.addEventListener("chitra:events", (event) => {
  const ready = new Set(event.detail.filter((one) => one.step === "renditions").flatMap((one) => one.photos));
  list.querySelectorAll("[data-photo]").forEach((item) => ready.has(Number(item.dataset.photo)) && showThumbnail(item));
});

function addChosen(input) {
  add([...input.files].map((file) => ({ file, folder: file.webkitRelativePath.slice(0, -file.name.length) })));
  input.value = "";
}

for (const input of inputs) {
  input.addEventListener("change", () => addChosen(input));
  if (input.files.length) addChosen(input); // before this script was there
}
form.querySelector("[data-folder]").hidden = !("webkitdirectory" in inputs[0]);

/** Everything in what was dropped, folders in folders too. */
async function filesIn(entry, folder = "") {
  if (entry.isFile) return [{ file: await new Promise((done, fail) => entry.file(done, fail)), folder }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)); // a hundred at a time
    if (!some.length) return found;
    for (const one of some) found.push(...(await filesIn(one, `${folder}${entry.name}/`)));
  }
}

async function addDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return add([...transfer.files].map((file) => ({ file, folder: "" })));
  for (const entry of entries) add(await filesIn(entry).catch(() => []));
}

for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) document.addEventListener(type, () => form.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  addDropped(event.dataTransfer);
});
addEventListener("beforeunload", (event) => running && event.preventDefault());
