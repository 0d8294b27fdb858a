// Thumbhashes behind photos until they are loaded.
import { thumbHashToDataURL } from "../vendor/thumbhash/thumbhash.js";

const seen = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => paint(entry.target)),
  { rootMargin: "600px" },
);

function paint(element) {
  seen.unobserve(element);
  const image = element.querySelector("img");
  if (image?.complete && image.naturalWidth) return;
  const bytes = Uint8Array.from(atob(element.dataset.thumbhash), (character) => character.charCodeAt(0));
  element.style.backgroundImage = `url(${thumbHashToDataURL(bytes)})`;
}

export function watchPlaceholders(root) {
  root.querySelectorAll("[data-thumbhash]").forEach((element) => seen.observe(element));
}
