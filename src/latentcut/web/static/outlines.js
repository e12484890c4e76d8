// Outlines of masks: from pixels to closed rings, and from rings to lines on a canvas.

/** @typedef {import("./masks.js").Raster} Raster */

/**
 * Closed outlines along the edges between pixels, corner by corner.
 *
 * @typedef {object} Rings
 * @property {Int32Array} corners x, y, x, y, ... in blocks from the top-left corner of the raster
 * @property {Int32Array} starts where each ring begins, in corners; one more entry marks the end
 */

const MIN_SMOOTHED = 20; // pixel edges of a ring; a mean over seven would shrink smaller ones
const TOLERANCE = 0.12; // blocks
const WEIGHTS = [1, 6, 15, 20, 15, 6, 1].map((weight) => weight / 64);

/** @typedef {Pick<CanvasPath, "moveTo" | "lineTo" | "quadraticCurveTo" | "closePath">} Pen */

/**
 * Outlines of a raster; holes have their own. The mask lies to the right of the way along them.
 * Pixels that touch at a corner only are two parts, as everywhere in latentcut.
 *
 * @param {Raster} raster
 * @returns {Rings}
 */
export function traceRings({ width, height, data }) {
  const stride = width + 2;
  const padded = new Uint8Array(stride * (height + 2)); // no test for the border below
  for (let y = 0; y < height; y++) padded.set(data.subarray(y * width, (y + 1) * width), (y + 1) * stride + 1);

  // the pixels ahead of a grid point, by heading: right, down, left, up. Grid point (x, y) has
  // index y * stride + x and the pixel right below it, in the padding, is at + stride + 1
  const aheadRight = [stride + 1, stride, 0, 1];
  const aheadLeft = [1, stride + 1, stride, 0];
  const steps = [1, stride, -1, -stride];
  const isDone = new Uint8Array(padded.length); // upper edges that an outline went along

  /** @type {number[]} */
  const corners = [];
  const starts = [0];
  for (let y = 0; y < height; y++) {
    for (let x = 0, first = y * stride; x < width; x++, first++) {
      const below = first + stride + 1;
      if (!padded[below] || padded[below - stride] || isDone[below]) continue;
      let at = first;
      let heading = 0;
      do {
        if (heading === 0) isDone[at + stride + 1] = 1;
        at += steps[heading];
        const turn = !padded[at + aheadRight[heading]] ? 1 : padded[at + aheadLeft[heading]] ? 3 : 0;
        if (turn) {
          const row = Math.floor(at / stride);
          corners.push(at - row * stride, row);
          heading = (heading + turn) & 3;
        }
      } while (at !== first || heading !== 0);
      starts.push(corners.length / 2);
    }
  }
  return { corners: Int32Array.from(corners), starts: Int32Array.from(starts) };
}

/**
 * Draw rings exactly along the edges of the pixels.
 *
 * @param {Pen} pen
 * @param {Rings} rings
 */
export function drawExact(pen, { corners, starts }) {
  for (let ring = 0; ring + 1 < starts.length; ring++) {
    pen.moveTo(corners[2 * starts[ring]], corners[2 * starts[ring] + 1]);
    for (let at = starts[ring] + 1; at < starts[ring + 1]; at++) pen.lineTo(corners[2 * at], corners[2 * at + 1]);
    pen.closePath();
  }
}

/**
 * Draw rings as a person would: stairs become the slanted lines they stand for. No point is moved
 * by more than a pixel; tiny rings only get round corners.
 *
 * @param {Pen} pen
 * @param {Rings} rings
 */
export function drawSmooth(pen, rings) {
  const { corners, starts } = rings;
  for (let ring = 0; ring + 1 < starts.length; ring++) {
    const middles = edgeMiddles(corners, starts[ring], starts[ring + 1]);
    if (middles.length < 2 * MIN_SMOOTHED) drawRounded(pen, corners, starts[ring], starts[ring + 1]);
    else drawAveraged(pen, middles);
  }
}

/**
 * The middles of all pixel edges along a ring.
 *
 * @param {Int32Array} corners
 * @param {number} first
 * @param {number} end
 * @returns {Float64Array} x, y, x, y, ...
 */
function edgeMiddles(corners, first, end) {
  let num = 0;
  for (let at = first, from = end - 1; at < end; from = at++) {
    num += Math.abs(corners[2 * at] - corners[2 * from]) + Math.abs(corners[2 * at + 1] - corners[2 * from + 1]);
  }
  const middles = new Float64Array(2 * num);
  let put = 0;
  for (let at = first, from = end - 1; at < end; from = at++) {
    let [x, y] = [corners[2 * from], corners[2 * from + 1]];
    const dx = Math.sign(corners[2 * at] - x);
    const dy = Math.sign(corners[2 * at + 1] - y);
    for (; x !== corners[2 * at] || y !== corners[2 * at + 1]; x += dx, y += dy) {
      middles[put++] = x + dx / 2;
      middles[put++] = y + dy / 2;
    }
  }
  return middles;
}

/**
 * A closed line through weighted means of seven middles in a row.
 *
 * @param {Pen} pen
 * @param {Float64Array} middles
 */
function drawAveraged(pen, middles) {
  const num = middles.length / 2;
  const means = new Float64Array(middles.length);
  for (let at = 0; at < num; at++) {
    for (let offset = -3; offset <= 3; offset++) {
      const from = 2 * ((at + offset + num) % num);
      const weight = WEIGHTS[offset + 3];
      means[2 * at] += weight * middles[from];
      means[2 * at + 1] += weight * middles[from + 1];
    }
  }
  drawSparse(pen, means);
}

/**
 * A closed line through as few of the points as keep it within TOLERANCE of all of them: wide
 * lines cost a browser much per corner. From each point that is drawn, the cone of directions that
 * pass every later point closely enough gets narrower until a point lies outside of it.
 *
 * @param {Pen} pen
 * @param {Float64Array} points x, y, x, y, ...
 */
function drawSparse(pen, points) {
  let [fromX, fromY] = points;
  let [lastX, lastY] = points;
  let [axis, low, high] = [NaN, 0, 0];
  pen.moveTo(fromX, fromY);
  for (let at = 2; at < points.length; at += 2) {
    const [x, y] = [points[at], points[at + 1]];
    for (let isKept = false; !isKept; ) {
      const distance = Math.hypot(x - fromX, y - fromY);
      if (distance <= TOLERANCE) break;
      const angle = Math.atan2(y - fromY, x - fromX);
      if (Number.isNaN(axis)) [axis, low, high] = [angle, -Math.PI, Math.PI];
      const turn = ((angle - axis + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
      const spread = Math.asin(TOLERANCE / distance);
      if (turn >= low && turn <= high) {
        low = Math.max(low, turn - spread);
        high = Math.min(high, turn + spread);
        isKept = true;
      } else {
        pen.lineTo(lastX, lastY);
        [fromX, fromY, axis] = [lastX, lastY, NaN];
      }
    }
    [lastX, lastY] = [x, y];
  }
  pen.lineTo(lastX, lastY);
  pen.closePath();
}

/**
 * A ring with every corner rounded by half a pixel.
 *
 * @param {Pen} pen
 * @param {Int32Array} corners
 * @param {number} first
 * @param {number} end
 */
function drawRounded(pen, corners, first, end) {
  let [fromX, fromY] = [corners[2 * end - 2], corners[2 * end - 1]];
  for (let at = first; at < end; at++) {
    const [x, y] = [corners[2 * at], corners[2 * at + 1]];
    const next = at + 1 < end ? at + 1 : first;
    const beforeX = x - 0.5 * Math.sign(x - fromX);
    const beforeY = y - 0.5 * Math.sign(y - fromY);
    if (at === first) pen.moveTo(beforeX, beforeY);
    else pen.lineTo(beforeX, beforeY);
    const toX = corners[2 * next];
    const toY = corners[2 * next + 1];
    pen.quadraticCurveTo(x, y, x + 0.5 * Math.sign(toX - x), y + 0.5 * Math.sign(toY - y));
    [fromX, fromY] = [x, y];
  }
  pen.closePath();
}

/**
 * Draw those pieces of rings that may be seen in a window: for huge masks at a close look.
 *
 * @param {Pen} pen
 * @param {Rings} rings
 * @param {[number, number, number, number]} window x0, y0, x1, y1 in blocks
 */
export function drawWithin(pen, { corners, starts }, [x0, y0, x1, y1]) {
  for (let ring = 0; ring + 1 < starts.length; ring++) {
    const end = starts[ring + 1];
    let [fromX, fromY] = [corners[2 * end - 2], corners[2 * end - 1]];
    let isDown = false;
    for (let at = starts[ring]; at < end; at++) {
      const [x, y] = [corners[2 * at], corners[2 * at + 1]];
      const isSeen =
        Math.max(fromX, x) >= x0 && Math.min(fromX, x) <= x1 && Math.max(fromY, y) >= y0 && Math.min(fromY, y) <= y1;
      if (isSeen) {
        if (!isDown) pen.moveTo(fromX, fromY);
        pen.lineTo(x, y);
      }
      isDown = isSeen;
      [fromX, fromY] = [x, y];
    }
  }
}
