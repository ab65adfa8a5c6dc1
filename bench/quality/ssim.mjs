// SSIM of luma (Wang et al., 2004) as FFmpeg's filter has it: windows of 8x8 pixels, one for every four
// pixels, the mean of all. Here also of those that lie in boxes, and of those that touch none.

const PIXELS = 64, C1 = 0.01 ** 2 * 255 ** 2 * PIXELS, C2 = 0.03 ** 2 * 255 ** 2 * PIXELS * (PIXELS - 1);

/** Sums of each block of 4x4 pixels: of a, of b, of both squared, of the product. */
function blockSums(a, b, width, columns, rows) {
  const sums = new Float64Array(4 * columns * rows);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sa = 0, sb = 0, ss = 0, sab = 0;
      for (let y = 0; y < 4; y++)
        for (let at = (4 * row + y) * width + 4 * column, end = at + 4; at < end; at++) {
          const p = a[at], q = b[at];
          sa += p;
          sb += q;
          ss += p * p + q * q;
          sab += p * q;
        }
      sums.set([sa, sb, ss, sab], 4 * (row * columns + column));
    }
  return sums;
}

function windowSsim(sums, columns, row, column) {
  const at = 4 * (row * columns + column), below = at + 4 * columns;
  const sum = (k) => sums[at + k] + sums[at + 4 + k] + sums[below + k] + sums[below + 4 + k];
  const a = sum(0), b = sum(1), variances = PIXELS * sum(2) - a * a - b * b, covariance = PIXELS * sum(3) - a * b;
  return ((2 * a * b + C1) * (2 * covariance + C2)) / ((a * a + b * b + C1) * (variances + C2));
}

/** Where an 8x8 window from x, y stands: 'inside' a box, 'outside' all, or on an edge. */
function place(boxes, x, y) {
  let edge = false;
  for (const [left, top, right, bottom] of boxes) {
    if (x >= left && y >= top && x + 8 <= right && y + 8 <= bottom) return 'inside';
    edge ||= x < right && y < bottom && x + 8 > left && y + 8 > top;
  }
  return edge ? 'edge' : 'outside';
}

/** Means over frames of luma (bytes, one frame after the other) with the boxes of each frame. */
export function ssimByPlace(original, shown, width, height, boxes) {
  const columns = width >> 2, rows = height >> 2;
  const sum = { inside: 0, outside: 0, edge: 0 }, count = { inside: 0, outside: 0, edge: 0 };
  for (let frame = 0; frame < boxes.length; frame++) {
    const from = frame * width * height, to = from + width * height;
    const sums = blockSums(original.subarray(from, to), shown.subarray(from, to), width, columns, rows);
    for (let row = 0; row + 1 < rows; row++)
      for (let column = 0; column + 1 < columns; column++) {
        const where = place(boxes[frame], 4 * column, 4 * row);
        sum[where] += windowSsim(sums, columns, row, column);
        count[where]++;
      }
  }
  const all = (of) => of.inside + of.outside + of.edge;
  return { inside: sum.inside / count.inside, outside: sum.outside / count.outside, whole: all(sum) / all(count), share: count.inside / all(count) };
}
