// Files go up three at a time, each with its own progress and its own answer.
// Large ones go in pieces, and go on where they stopped after a lost connection, a reload or a restart of the server.
const AT_ONCE = 3;
const MEGABYTE = 1024 * 1024;
const LARGE = 8 * MEGABYTE;
const PIECE = 32 * MEGABYTE;
const RETRY_AFTER_MS = [0, 1000, 3000, 5000, 10000, 20000, 30000];
const form = document.getElementById("upload");
const input = form.querySelector("input[type=file]");
const place = form.querySelector("select[name=library]"); // only there when there is a choice
const list = document.getElementById("uploads");
const summary = document.getElementById("upload-summary");
const blank = document.getElementById("upload-item");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const queue = [];
const counts = { saved: 0, duplicate: 0, refused: 0 };
let running = 0;

function add(files) {
  for (const file of files) {
    const item = blank.content.firstElementChild.cloneNode(true);
    item.querySelector(".upload-name").textContent = file.name;
    item.querySelector(".upload-state").textContent = "waiting";
    list.append(item);
    queue.push({ file, item, library: place?.value });
  }
  advance();
}

function advance() {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    send(queue.shift());
  }
  const parts = [
    running + queue.length && `${running + queue.length} to go`,
    counts.saved && `${counts.saved} saved`,
    counts.duplicate && `${counts.duplicate} already there`,
    counts.refused && `${counts.refused} refused`,
  ];
  summary.textContent = parts.filter(Boolean).join(" · ");
}

function send(one) {
  if (one.file.size > LARGE) sendInPieces(one);
  else sendWhole(one);
}

async function sendInPieces({ file, item, library }) {
  const end = (status, answer) => {
    running -= 1;
    finish(item, status, answer);
    advance();
  };
  const upload = new tus.Upload(file, {
    endpoint: into(form.dataset.tusUrl, library),
    chunkSize: PIECE,
    retryDelays: RETRY_AFTER_MS,
    removeFingerprintOnSuccess: true,
    headers: { "X-CSRFToken": token },
    metadata: { filename: file.name },
    onProgress: (sent, total) => progress(item, sent, total),
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

function progress(item, sent, total) {
  const percent = total ? Math.round((100 * sent) / total) : 0;
  item.querySelector("progress").value = percent;
  say(item, percent < 100 ? `${percent} %` : "being saved");
}

function sendWhole({ file, item, library }) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file);
  request.upload.onprogress = (event) => progress(item, event.loaded, event.lengthComputable ? event.total : 0);
  request.onloadend = () => {
    running -= 1;
    finish(item, request.status, parse(request.responseText));
    advance();
  };
  request.open("POST", into(form.dataset.url, library));
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

function finish(item, status, answer) {
  item.querySelector("progress").remove();
  const saved = answer.saved?.[0];
  const photo = saved ?? answer.duplicates?.[0];
  if (!photo) {
    counts.refused += 1;
    say(item, answer.message ?? (status ? `The server answered with ${status}.` : "The connection was lost. Try again."), "problem");
    return;
  }
  counts[saved ? "saved" : "duplicate"] += 1;
  const link = document.createElement("a");
  link.href = form.dataset.photoUrl.replace("/0", `/${photo.id}`);
  link.textContent = saved ? "saved" : "already there";
  item.querySelector(".upload-state").replaceChildren(link);
  item.dataset.photo = photo.id;
  if (!saved) showThumbnail(item);
}

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
input.addEventListener("change", () => {
  add(input.files);
  input.value = "";
});
for (const type of ["dragenter", "dragover"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) document.addEventListener(type, () => form.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});
addEventListener("beforeunload", (event) => running && event.preventDefault());
