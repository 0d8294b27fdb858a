// The map of Places. What it shows is in the address, so that the way back leads to the same view.
/* global L */
import { makeBasemap } from "./basemap.js";
import { toast } from "./toasts.js";

const CELL_PX = 64; // as the server has them
const WORLD_PX = 256; // at zoom 0
const MOST_ZOOM = 18;
const COVER_PX = 56;
const NEAR_PX = 80; // covers nearer than this would hide each other's numbers and names
const view = document.getElementById("map");
const link = document.getElementById("map-photos");
const status = document.getElementById("map-status");
const { clustersUrl, photosUrl, thumbnailUrl, worldUrl, tiles, attribution, bbox } = view.dataset;
const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
const map = L.map(view, {
  minZoom: 1,
  maxZoom: MOST_ZOOM,
  maxBounds: [[-85.06, -Infinity], [85.06, Infinity]],
  maxBoundsViscosity: 1,
  zoomAnimation: !isStill,
  fadeAnimation: !isStill,
  inertia: !isStill,
});
const shown = new Map(); // markers by what they show
let request = null;

map.attributionControl.setPrefix(false);
L.control.scale({ position: "bottomright" }).addTo(map);
makeBasemap(worldUrl).addTo(map);
if (tiles) {
  const owed = document.createElement("span");
  owed.textContent = attribution;
  // Many servers of tiles refuse who does not say where they are shown.
  L.tileLayer(tiles, { maxZoom: MOST_ZOOM, attribution: owed.innerHTML, referrerPolicy: "strict-origin" }).addTo(map);
}
map.on("moveend", onMove);
addEventListener("hashchange", start);
start();

/** Where the address says; else around what was asked for; else the world. */
function start() {
  const [, zoom, latitude, longitude] = location.hash.match(/^#(\d+)\/(-?[\d.]+)\/(-?[\d.]+)$/) ?? [];
  if (zoom) map.setView([latitude, longitude], zoom);
  else if (bbox) map.fitBounds(boundsOf(bbox.split(",").map(Number)));
  else map.setView([25, 10], Math.floor(Math.log2(view.clientWidth / WORLD_PX)));
}

/** Of west, south, east, north; one across the date line goes on beyond it. */
function boundsOf([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east < west ? east + 360 : east]);
}

/** The whole cells that are in sight, in degrees; west and east are beyond 180 where the world is seen again. */
function cellsInSight() {
  const { min, max } = map.getPixelBounds();
  const size = WORLD_PX * 2 ** map.getZoom();
  const [west, east] = [Math.floor(min.x / CELL_PX), Math.ceil(max.x / CELL_PX)].map((edge) => (360 * edge * CELL_PX) / size - 180);
  const [top, bottom] = [Math.floor(min.y / CELL_PX) * CELL_PX, Math.ceil(max.y / CELL_PX) * CELL_PX];
  return {
    west,
    east,
    north: top <= 0 ? 90 : map.unproject([0, top]).lat, // beyond the map too, up to the pole
    south: bottom >= size ? -90 : map.unproject([0, bottom]).lat,
  };
}

function asQuery({ west, south, east, north }) {
  const wrapped = (degrees) => L.Util.wrapNum(degrees, [-180, 180]);
  const edges = east - west < 360 ? [wrapped(west), south, -wrapped(-east), north] : [-180, south, 180, north];
  return edges.map((edge) => edge.toFixed(6)).join(",");
}

async function onMove() {
  const { lat, lng } = map.getCenter().wrap();
  history.replaceState(history.state, "", `#${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
  const cells = cellsInSight();
  const box = asQuery(cells);
  request?.abort();
  request = new AbortController();
  try {
    const answer = await fetch(`${clustersUrl}?bbox=${box}&zoom=${map.getZoom()}`, { signal: request.signal });
    if (!answer.ok) throw new Error(`The server answered with an error (${answer.status}).`);
    show((await answer.json()).clusters, cells, box);
  } catch (error) {
    if (error.name === "AbortError") return;
    toast(error instanceof TypeError ? "The server cannot be reached." : error.message);
  }
}

/** Those too near each other become one; the largest come first. */
function apart(clusters) {
  const found = [];
  for (const cluster of clusters) {
    const point = map.project([cluster.latitude, cluster.longitude]);
    const near = found.find((one) => one.point.distanceTo(point) < NEAR_PX);
    if (near) Object.assign(near, { count: near.count + cluster.count, bbox: around(near.bbox, cluster.bbox) });
    else found.push({ ...cluster, point });
  }
  return found;
}

function around([west, south, east, north], other) {
  return [Math.min(west, other[0]), Math.min(south, other[1]), Math.max(east, other[2]), Math.max(north, other[3])];
}

function show(clusters, cells, box) {
  const there = new Set();
  for (const cluster of apart(clusters)) {
    const first = cluster.longitude + 360 * Math.ceil((cells.west - cluster.longitude) / 360);
    for (let longitude = first; longitude <= cells.east; longitude += 360) {
      const key = JSON.stringify([longitude, cluster]);
      there.add(key);
      if (!shown.has(key)) shown.set(key, makeMarker(cluster, longitude).addTo(map));
    }
  }
  for (const [key, marker] of shown) {
    if (there.has(key)) continue;
    marker.remove();
    shown.delete(key);
  }
  const count = clusters.reduce((sum, cluster) => sum + cluster.count, 0);
  link.hidden = count === 0;
  link.href = `${photosUrl}?bbox=${box}`;
  link.textContent = count === 1 ? "Show this photo" : `Show these ${number(count)} photos`;
  status.textContent = count === 0 ? "No photos here" : "";
}

const number = (count) => count.toLocaleString("en");

function makeMarker(cluster, longitude) {
  const cover = document.createElement("div");
  cover.className = "map-cover";
  if (cluster.photo_id) {
    const picture = new Image();
    picture.src = thumbnailUrl.replace("/0/", `/${cluster.photo_id}/`);
    picture.alt = "";
    picture.draggable = false;
    cover.append(picture);
  }
  const [count, city] = ["map-count", "map-city"].map((name) => Object.assign(document.createElement("span"), { className: name }));
  count.textContent = number(cluster.count);
  city.textContent = cluster.city;
  const html = document.createElement("div");
  html.append(cover, count, city);
  const icon = L.divIcon({ className: "map-cluster", html, iconSize: [COVER_PX, COVER_PX] });
  const words = `${cluster.city ? `${cluster.city}, ` : ""}${number(cluster.count)} photo${cluster.count === 1 ? "" : "s"}`;
  const marker = L.marker([cluster.latitude, longitude], { icon, title: words, riseOnHover: true, zIndexOffset: Math.min(cluster.count, 10000) });
  marker.on("click", () => open(cluster, longitude - cluster.longitude));
  marker.on("keypress", ({ originalEvent }) => {
    if (originalEvent.key !== "Enter") return;
    view.focus({ preventScroll: true });
    open(cluster, longitude - cluster.longitude);
  });
  return marker;
}

/** Nearer, until it comes apart; where it never does, its photos. `shift` leads to the world it was seen in. */
function open(cluster, shift) {
  const [west, south, east, north] = cluster.bbox;
  const bounds = L.latLngBounds([south, west + shift], [north, east + shift]);
  const corners = [bounds.getNorthWest(), bounds.getSouthEast()].map((corner) => map.project(corner, MOST_ZOOM));
  const { x, y } = corners[1].subtract(corners[0]);
  if (map.getZoom() === MOST_ZOOM || Math.max(x, y) < CELL_PX) return void (location.href = `${photosUrl}?bbox=${cluster.bbox}`);
  const fitting = map.getBoundsZoom(bounds, false, L.point(2 * CELL_PX, 2 * CELL_PX));
  map.setView(bounds.getCenter(), Math.max(fitting, map.getZoom() + 1));
}
