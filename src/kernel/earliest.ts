/** The earlier of two moments, of which either may be none. */
export const earliest = (a: number | undefined, b: number | undefined): number | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}
