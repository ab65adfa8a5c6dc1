/* How many columns show the most of all pictures; pure. */

export interface Fit {
  readonly columns: number;
  readonly rows: number;
  /** Of each cell, CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Taller than the window: it is scrolled. */
  readonly scrolls: boolean;
}

/* Below this a window is a phone: tiles as small as all of them would have to be help nobody. */
const PHONE_WIDTH = 560;
const FEW = 4;

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/* A cell need not be wider than the widest picture is at its height, nor higher than the highest is. */
function trimmed(columns: number, rows: number, width: number, height: number, ratios: readonly number[]): Fit {
  return {
    columns,
    rows,
    width: Math.floor(Math.min(width, height * Math.max(...ratios))),
    height: Math.floor(Math.min(height, width / Math.min(...ratios))),
    scrolls: false,
  };
}

function phoneFit(ratios: readonly number[], width: number, gap: number): Fit {
  const columns = ratios.length > FEW ? 2 : 1;
  const cell = Math.floor((width - (columns - 1) * gap) / columns);
  const ratio = total(ratios) / ratios.length;
  return { columns, rows: Math.ceil(ratios.length / columns), width: cell, height: Math.floor(cell / ratio), scrolls: true };
}

/** `ratios` are the pictures' widths by their heights, in any order but none of them 0. */
export function fitGrid(ratios: readonly number[], width: number, height: number, gap: number): Fit | null {
  if (ratios.length === 0 || width <= 0 || height <= 0) return null;
  if (width < PHONE_WIDTH && height > width) return phoneFit(ratios, width, gap);
  let best: Fit | null = null;
  let most = -1;
  for (let columns = 1; columns <= ratios.length; columns++) {
    const rows = Math.ceil(ratios.length / columns);
    const cellWidth = (width - (columns - 1) * gap) / columns;
    const cellHeight = (height - (rows - 1) * gap) / rows;
    if (cellWidth < 1 || cellHeight < 1) continue;
    const shown = total(ratios.map((ratio) => Math.min(cellWidth, cellHeight * ratio) * Math.min(cellHeight, cellWidth / ratio)));
    /* Of two that are as good, side by side. */
    if (shown < most * 0.999) continue;
    most = shown;
    best = trimmed(columns, rows, cellWidth, cellHeight, ratios);
  }
  return best;
}
