// The picture that the golden values belong to: RGB 0..1, [3,416,416]. Integers only, so that it is
// the same everywhere: soft gradients with two upright figures and a wide block.

export const SIDE = 416;

const inside = (x, y, [x1, y1, x2, y2]) => x >= x1 && x < x2 && y >= y1 && y < y2;
const SHAPES = [
  { box: [90, 120, 150, 290], rgb: [40, 30, 60] },
  { box: [105, 80, 135, 120], rgb: [200, 150, 120] },
  { box: [230, 210, 380, 300], rgb: [180, 20, 30] },
  { box: [250, 175, 350, 210], rgb: [60, 70, 90] },
];

function pixel(c, x, y) {
  const shape = SHAPES.findLast(({ box }) => inside(x, y, box));
  if (shape) return (shape.rgb[c] + ((x * 3 + y * 5) % 11)) / 255;
  return ((x + 2 * y + 37 * c + ((x >> 4) ^ (y >> 4)) * 3) % 256) / 255;
}

/** The same in another size, each pixel the one of the picture that lies there: [3,height,width]. */
export function scaledPicture(width, height) {
  const picture = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        picture[(c * height + y) * width + x] = pixel(c, Math.floor((x * SIDE) / width), Math.floor((y * SIDE) / height));
      }
    }
  }
  return picture;
}

export const testPicture = () => scaledPicture(SIDE, SIDE);
