// The years along the right edge of the timeline: a mark shows where one is, a click or a drag goes elsewhere.
const LABEL_PX = 22;
let months = []; // { label, year, month, cursor, count, start } in the order of the timeline; start is 0 to 1
let rail = null;
let goTo = null;

/** Makes the rail of the months in the choice `select`; `jump(cursor)` shows what comes after it. */
export function makeScrubber(select, jump) {
  const options = [...select.options].filter((option) => option.value);
  const total = options.reduce((sum, option) => sum + Number(option.dataset.count), 0);
  if (rail || !document.body.classList.contains("has-scrubber")) return; // all is in one page
  let seen = 0;
  months = options.map((option) => {
    const count = Number(option.dataset.count);
    const start = seen / total;
    seen += count;
    return { label: option.textContent.replace(/ \(.*/, ""), month: option.dataset.month, cursor: option.value, start, share: count / total };
  });
  goTo = jump;
  rail = document.createElement("div");
  rail.className = "scrubber";
  rail.setAttribute("aria-hidden", "true"); // the choice of months does the same for keys and readers
  rail.innerHTML = '<span class="scrubber-now"></span><span class="scrubber-label"></span>';
  document.body.append(rail);
  labelYears();
  rail.addEventListener("pointerdown", onPointer);
  rail.addEventListener("pointermove", onPointer);
  rail.addEventListener("pointerup", onPointer);
  rail.addEventListener("pointerleave", () => rail.classList.remove("is-used"));
  addEventListener("scroll", onScroll, { passive: true });
  addEventListener("resize", labelYears);
  showPlace();
}

function labelYears() {
  rail.querySelectorAll(".scrubber-year").forEach((year) => year.remove());
  let [last, lowest] = ["", -LABEL_PX];
  for (const { month, start } of months) {
    const year = month.slice(0, 4);
    if (year === last) continue;
    last = year;
    const y = start * rail.clientHeight;
    if (y - lowest < LABEL_PX || rail.clientHeight - y < LABEL_PX / 2) continue;
    lowest = y;
    const mark = document.createElement("span");
    mark.className = "scrubber-year";
    mark.textContent = Number(year);
    mark.style.top = `${100 * start}%`;
    rail.append(mark);
  }
}

function monthAt(fraction) {
  return months.findLast((month) => month.start <= fraction) ?? months[0];
}

function onPointer(event) {
  const box = rail.getBoundingClientRect();
  const fraction = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1);
  const month = monthAt(fraction);
  const label = rail.querySelector(".scrubber-label");
  label.textContent = month.label;
  label.style.top = `${100 * fraction}%`;
  rail.classList.add("is-used");
  if (event.type === "pointerdown") {
    event.preventDefault();
    rail.setPointerCapture(event.pointerId);
  }
  if (event.type === "pointerup") {
    goTo(month.cursor);
    if (event.pointerType !== "mouse") rail.classList.remove("is-used");
  }
}

let rest = null;

/** Small screens show the rail only while they are scrolled. */
function onScroll() {
  document.body.classList.add("is-scrolling");
  clearTimeout(rest);
  rest = setTimeout(() => document.body.classList.remove("is-scrolling"), 1500);
  requestAnimationFrame(showPlace);
}

/** The mark stands at the month of the first day in sight. */
function showPlace() {
  if (!rail) return;
  const top = rail.getBoundingClientRect().top;
  const day = [...document.querySelectorAll("#timeline > .day")].find((one) => one.getBoundingClientRect().bottom > top);
  const month = day && months.find((one) => one.month === day.dataset.day.slice(0, 7));
  if (!month) return;
  const [, , date] = day.dataset.day.split("-").map(Number);
  rail.querySelector(".scrubber-now").style.top = `${100 * (month.start + month.share * (1 - date / 31))}%`;
}
