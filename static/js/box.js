// A box over a picture that is drawn, moved and resized by pointer or keys; in fractions of the picture.
const STEP = 0.01;
const SMALLEST = 0.01;
const CORNERS = ["nw", "ne", "sw", "se"];
const clamp = (value, low = 0, high = 1) => Math.min(Math.max(value, low), high);

/** Shows the box `start` (x1, y1, x2, y2), or lets one be drawn when there is none; calls `changed` with “x1,y1,x2,y2” after each change. */
export function editBox(picture, start, changed) {
  const layer = document.createElement("div");
  layer.className = "box-layer";
  const element = document.createElement("div");
  element.className = "box-edit";
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Box around the face: arrows move it, with Shift they resize it");
  for (const corner of CORNERS) {
    const handle = document.createElement("span");
    handle.className = `handle ${corner}`;
    handle.dataset.corner = corner;
    element.append(handle);
  }
  layer.append(element);
  picture.append(layer);
  let box = start ?? [0.4, 0.35, 0.6, 0.65];
  let grip = null;

  function show() {
    const [x1, y1, x2, y2] = box;
    Object.assign(element.style, { left: `${100 * x1}%`, top: `${100 * y1}%`, width: `${100 * (x2 - x1)}%`, height: `${100 * (y2 - y1)}%` });
    changed(box.map((number) => number.toFixed(5)).join(","));
  }

  function at(event) {
    const area = layer.getBoundingClientRect();
    return [clamp((event.clientX - area.left) / area.width), clamp((event.clientY - area.top) / area.height)];
  }

  function shift(dx, dy) {
    const [x1, y1, x2, y2] = box;
    const [x, y] = [clamp(x1 + dx, 0, 1 - (x2 - x1)), clamp(y1 + dy, 0, 1 - (y2 - y1))];
    box = [x, y, x + x2 - x1, y + y2 - y1];
  }

  function span([ax, ay], [bx, by]) {
    box = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  }

  layer.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    layer.setPointerCapture(event.pointerId);
    const [x1, y1, x2, y2] = box;
    const { corner } = event.target.dataset;
    const fixed = { nw: [x2, y2], ne: [x1, y2], sw: [x2, y1], se: [x1, y1] }[corner];
    const isInside = event.target === element;
    grip = { fixed: fixed ?? (isInside ? null : at(event)), last: at(event), before: box };
    element.focus({ preventScroll: true });
  });
  layer.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const now = at(event);
    if (grip.fixed) span(grip.fixed, now);
    else shift(now[0] - grip.last[0], now[1] - grip.last[1]);
    grip.last = now;
    show();
  });
  for (const type of ["pointerup", "pointercancel"]) {
    layer.addEventListener(type, () => {
      if (grip && (box[2] - box[0] < SMALLEST || box[3] - box[1] < SMALLEST)) box = grip.before;
      grip = null;
      show();
    });
  }
  for (const type of ["touchstart", "touchend"]) layer.addEventListener(type, (event) => event.stopPropagation());
  element.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [x1, y1, x2, y2] = box;
    if (event.shiftKey) box = [x1, y1, clamp(x2 + dx, x1 + SMALLEST), clamp(y2 + dy, y1 + SMALLEST)];
    else shift(dx, dy);
    show();
  });
  show();
  return { element, remove: () => layer.remove() };
}
