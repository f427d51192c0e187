// Spans of time, in ms: from the first moment up to the last, which is not in it. Pure.

export interface Span {
  readonly from: number
  /** Infinity: it goes on. */
  readonly to: number
}

export const meets = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to

/** What the holes leave of a span, in order. */
export const without = <T extends Span>(span: T, holes: readonly Span[]): T[] =>
  holes.reduce<T[]>(
    (left, hole) =>
      left.flatMap((part) =>
        meets(part, hole)
          ? [
              { ...part, to: hole.from },
              { ...part, from: hole.to },
            ].filter(({ from, to }) => from < to)
          : [part],
      ),
    [span],
  )

/** The parts of a span between the begins and ends of others, in order. */
export const cutBy = (span: Span, others: readonly Span[]): Span[] => {
  const inside = others
    .flatMap(({ from, to }) => [from, to])
    .filter((at) => at > span.from && at < span.to)
  const at = [...new Set([span.from, ...inside, span.to])].sort((a, b) => a - b)
  return at.slice(1).map((to, i) => ({ from: at[i]!, to }))
}

/** Each begins where something changed, and lasts until the next change; an undefined state is left out. */
export const spansOf = <S>(
  changes: readonly { readonly at: number; readonly state: S | undefined }[],
): (Span & { readonly state: S })[] =>
  changes.flatMap(({ at, state }, i) => {
    const to = changes[i + 1]?.at ?? Infinity
    return state === undefined || at >= to ? [] : [{ from: at, to, state }]
  })
