// Keys that move in a table: pure.
const clamp = (at: number, length: number): number => Math.max(0, Math.min(length - 1, at))

/** Where a key leads from a row and a column; undefined: it is not a key that moves. */
export const nextCell = (
  key: string,
  { row, column }: { row: number; column: number },
  { rows, columns, page }: { rows: number; columns: number; page: number },
): { row: number; column: number } | undefined => {
  const to = (nextRow: number, nextColumn = column) => ({
    row: clamp(nextRow, rows),
    column: clamp(nextColumn, columns),
  })
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return to(row + 1)
    case 'ArrowUp':
    case 'k':
      return to(row - 1)
    case 'ArrowRight':
    case 'l':
      return to(row, column + 1)
    case 'ArrowLeft':
    case 'h':
      return to(row, column - 1)
    case 'PageDown':
      return to(row + page)
    case 'PageUp':
      return to(row - page)
    case 'Home':
      return to(row, 0)
    case 'End':
      return to(row, columns - 1)
    case 'Mod+Home':
      return to(0, 0)
    case 'Mod+End':
      return to(rows - 1, columns - 1)
    default:
      return undefined
  }
}
