// Looking closer at a picture: wheel, pinch, double click or double tap, + and −; dragged while it is large.
const MOST = 8;
const CLOSER = 2.5; // by a double click
const DOUBLE_TAP_MS = 300;
const FULL_FROM = 1.3; // from here on the original says more than the preview
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Makes `picture` zoomable within `stage`; `isLarge()` tells whether it is larger than the stage. */
export function zoomable(stage, picture) {
  const image = picture?.querySelector("img");
  if (!image) return { isLarge: () => false, by: () => {}, reset: () => {} };
  let [scale, x, y] = [1, 0, 0];
  let pinch = null;
  let drag = null;
  let tap = { at: 0, x: 0, y: 0 };

  function show() {
    const [width, height] = [picture.offsetWidth, picture.offsetHeight];
    x = clamp(x, (-width * (scale - 1)) / 2, (width * (scale - 1)) / 2);
    y = clamp(y, (-height * (scale - 1)) / 2, (height * (scale - 1)) / 2);
    picture.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("is-large", scale > 1);
    if (scale > FULL_FROM) loadFull();
  }

  /** So that the point of the picture under (clientX, clientY) stays there. */
  function to(wanted, clientX, clientY) {
    const next = clamp(wanted, 1, MOST);
    const box = picture.getBoundingClientRect();
    const [dx, dy] = [clientX - (box.left + box.width / 2), clientY - (box.top + box.height / 2)];
    x += dx * (1 - next / scale);
    y += dy * (1 - next / scale);
    scale = next;
    show();
  }

  function by(factor, clientX, clientY) {
    const box = stage.getBoundingClientRect();
    to(scale * factor, clientX ?? box.left + box.width / 2, clientY ?? box.top + box.height / 2);
  }

  function reset() {
    [scale, x, y] = [1, 0, 0];
    show();
  }

  async function loadFull() {
    const url = image.dataset.full;
    if (!url) return;
    delete image.dataset.full;
    const full = new Image();
    full.src = url;
    await full.decode().catch(() => null);
    if (full.naturalWidth) image.src = url;
  }

  const toggle = (event) => (scale > 1 ? reset() : to(CLOSER, event.clientX, event.clientY));
  const isElsewhere = (event) => !event.target.closest(".picture") || event.target.closest(".face-box, .box-layer, button, a");

  stage.addEventListener("wheel", (event) => {
    if (event.target.closest(".face-editor, .box-layer")) return;
    event.preventDefault();
    by(Math.exp(-clamp(event.deltaY, -120, 120) / 300), event.clientX, event.clientY);
  }, { passive: false });
  stage.addEventListener("dblclick", (event) => isElsewhere(event) || toggle(event));
  picture.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button || scale === 1 || isElsewhere(event)) return;
    drag = { x: event.clientX - x, y: event.clientY - y };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerType !== "mouse") return;
    [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    show();
  });
  for (const type of ["pointerup", "pointercancel"]) picture.addEventListener(type, () => (drag = null));

  const middle = ([a, b]) => [(a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2];
  const distance = ([a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  stage.addEventListener("touchstart", (event) => {
    if (event.target.closest(".face-editor, .box-layer")) return;
    if (event.touches.length === 2) pinch = { scale, distance: distance(event.touches) };
    else if (scale > 1) drag = { x: event.touches[0].clientX - x, y: event.touches[0].clientY - y };
  }, { passive: true });
  stage.addEventListener("touchmove", (event) => {
    if (pinch && event.touches.length === 2) {
      event.preventDefault();
      to((pinch.scale * distance(event.touches)) / pinch.distance, ...middle(event.touches));
    } else if (drag && scale > 1) {
      event.preventDefault();
      [x, y] = [event.touches[0].clientX - drag.x, event.touches[0].clientY - drag.y];
      show();
    }
  }, { passive: false });
  stage.addEventListener("touchend", (event) => {
    if (event.touches.length) return;
    const touch = event.changedTouches[0];
    const isTap = !pinch && (!drag || Math.hypot(touch.clientX - x - drag.x, touch.clientY - y - drag.y) < 10);
    [pinch, drag] = [null, null];
    const isSecond = event.timeStamp - tap.at < DOUBLE_TAP_MS && Math.hypot(touch.clientX - tap.x, touch.clientY - tap.y) < 30;
    if (isTap && isSecond && !isElsewhere(event)) {
      event.preventDefault(); // no double click after it
      toggle(touch);
    }
    tap = { at: isTap && !isSecond ? event.timeStamp : 0, x: touch.clientX, y: touch.clientY };
  });
  return { isLarge: () => scale > 1, by, reset };
}
