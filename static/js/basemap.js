// Land and borders, drawn from a file of our own: the map needs no network.
/* global L, topojson */

const WORLD_PX = 256; // at zoom 0
const REACH = 85.0511287798066; // degrees of latitude at which the map ends
const FINEST_PX = 0.5; // nearer points are left out

/**
 * A line on a map that is 1 wide and 1 high, with the box around it. Across the date line it goes on beyond the
 * edge; one around a pole, which does not come back to where it began, is closed along the edge of the map.
 */
function outline(coordinates) {
  let [turns, last] = [0, coordinates[0][0]];
  const points = coordinates.map(([longitude, latitude]) => {
    if (Math.abs(longitude - last) > 180) turns += Math.sign(last - longitude);
    last = longitude;
    const sine = Math.sin((Math.min(Math.max(latitude, -REACH), REACH) * Math.PI) / 180);
    return [longitude / 360 + 0.5 + turns, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
  });
  const edge = Math.round(points[0][1]);
  if (turns) points.push([points.at(-1)[0], edge], [points[0][0], edge]);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { points, west: Math.min(...xs), east: Math.max(...xs), north: Math.min(...ys), south: Math.max(...ys) };
}

async function loadWorld(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const world = await answer.json();
  const land = topojson.feature(world, world.objects.land).features.flatMap(({ geometry }) => geometry.coordinates.flat());
  const borders = topojson.mesh(world, world.objects.countries, (one, other) => one !== other).coordinates;
  return { land: land.map(outline), borders: borders.map(outline) };
}

/** A path of what touches the square with this corner, on a map `scale` pixels wide that goes on at its edges. */
function trace(context, outlines, corner, size, scale) {
  const [west, north, east, south] = [corner.x, corner.y, corner.x + size, corner.y + size].map((edge) => edge / scale);
  context.beginPath();
  for (const one of outlines) {
    if (one.north > south || one.south < north) continue;
    for (let world = Math.ceil(west - one.east); world <= east - one.west; world += 1) {
      follow(context, one.points, { x: corner.x - world * scale, y: corner.y }, scale);
    }
  }
}

function follow(context, points, corner, scale) {
  let [lastX, lastY] = [Infinity, Infinity];
  for (const point of points) {
    const [x, y] = [point[0] * scale - corner.x, point[1] * scale - corner.y];
    if (lastX === Infinity) context.moveTo(x, y);
    else if (Math.abs(x - lastX) + Math.abs(y - lastY) < FINEST_PX) continue;
    else context.lineTo(x, y);
    [lastX, lastY] = [x, y];
  }
}

const Basemap = L.GridLayer.extend({
  options: { className: "basemap", tileSize: 512, attribution: "Natural Earth · Names: GeoNames, CC BY 4.0" },

  createTile(place, done) {
    const tile = document.createElement("canvas");
    const size = this.getTileSize().x;
    const ratio = Math.min(devicePixelRatio, 2);
    tile.width = tile.height = size * ratio;
    this.world.then(
      ({ land, borders }) => {
        const colors = getComputedStyle(this.getContainer());
        const [corner, scale] = [{ x: place.x * size, y: place.y * size }, WORLD_PX * 2 ** place.z];
        const context = tile.getContext("2d");
        context.scale(ratio, ratio);
        context.fillStyle = colors.color;
        context.strokeStyle = colors.outlineColor;
        trace(context, land, corner, size, scale);
        context.fill("evenodd");
        trace(context, borders, corner, size, scale);
        context.stroke();
        done(null, tile);
      },
      (error) => done(error, tile),
    );
    return tile;
  },
});

/** The layer; the style sheet says its colours, and it follows the theme. */
export function makeBasemap(url) {
  const layer = new Basemap();
  layer.world = loadWorld(url);
  new MutationObserver(() => layer.redraw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layer.redraw());
  return layer;
}
