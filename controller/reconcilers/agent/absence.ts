// How long an ephemeral agent is away, by a clock that nobody sets: pure. Agents that vanished together are held. Their
// network is the likely cause, and their machines may all run.

export interface Absence {
  /** By the Agent's status. */
  readonly since: string
  /** By the monotonic clock, in ms: from when it counts. */
  readonly from: number
  /** It vanished together with others, most of which are still away. */
  readonly isHeld: boolean
}

/** Often enough to see when agents are back that had vanished together. */
const lookAgainMs = 60_000

/** The absence, and in how many ms it is to be judged again; undefined: the agent is to be ended. */
export const countAbsence = (
  former: Absence | undefined,
  {
    since,
    isHeld,
    goneAfterMs,
    now,
  }: Pick<Absence, 'since' | 'isHeld'> & {
    readonly goneAfterMs: number
    readonly now: number
  },
): { readonly absence: Absence; readonly lookAgainIn: number | undefined } => {
  // Counted anew as the others come back: this agent may be the next.
  const goesOn = former?.since === since && !former.isHeld && !isHeld
  const from = goesOn ? former.from : now
  const left = isHeld ? lookAgainMs : from + goneAfterMs - now
  return {
    absence: { since, from, isHeld },
    lookAgainIn: left > 0 ? Math.min(left, lookAgainMs) : undefined,
  }
}
