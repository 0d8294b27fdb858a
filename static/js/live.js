// Live events of the libraries one may see, handed out at most once a second.
const PAUSES_MS = [1000, 2000, 5000, 10000, 30000];
const EVERY_MS = 1000;
const UNAUTHORISED = 4401;

let failures = 0;
let waiting = [];
let timer = null;

/** Calls `listener(events)` with everything that happened since the last call; [] after a reconnection. */
export function listen(listener) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/events`);
  socket.onopen = () => {
    show(false);
    if (failures) listener([]);
    failures = 0;
  };
  socket.onmessage = (message) => {
    waiting.push(JSON.parse(message.data));
    timer ??= setTimeout(() => {
      const events = waiting;
      [waiting, timer] = [[], null];
      listener(events);
    }, EVERY_MS);
  };
  socket.onclose = (event) => {
    if (event.code === UNAUTHORISED) return;
    const pause = PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)];
    if (failures > 2) show(true);
    setTimeout(() => listen(listener), pause);
  };
}

function show(isLost) {
  document.getElementById("live-state").hidden = !isLost;
}
