// Which parts run which version, and which of them is to be upgraded next: controllers first, then agents, then commands. Pure.

export interface RunningPart {
  readonly part: 'controller' | 'agent' | 'command'
  /** The address of a controller; the namespace and name of an agent; where the command is. */
  readonly name: string
  /** Absent: unknown. */
  readonly version?: string
}

export interface UpgradePlan {
  /** The newest version that runs anywhere; absent: none is known. */
  readonly newest?: string
  readonly parts: readonly RunningPart[]
  /** Parts that are older than the newest one, in the order in which they are upgraded. */
  readonly behind: readonly RunningPart[]
  readonly unknown: readonly RunningPart[]
}

const byNumbers = new Intl.Collator('en', { numeric: true })

/** As semantic versions are ordered: 0.2.0-rc.1 comes before 0.2.0. */
export const compareVersions = (a: string, b: string): number => {
  const [[mainOfA = '', earlyA], [mainOfB = '', earlyB]] = [a.split(/-(.*)/), b.split(/-(.*)/)]
  const order = byNumbers.compare(mainOfA, mainOfB)
  if (order !== 0 || earlyA === earlyB) return order
  if (earlyA === undefined || earlyB === undefined) return earlyA === undefined ? 1 : -1
  return byNumbers.compare(earlyA, earlyB)
}

const order = ['controller', 'agent', 'command']

export const upgradePlan = (all: readonly RunningPart[]): UpgradePlan => {
  const parts = [...all].sort(
    (a, b) => order.indexOf(a.part) - order.indexOf(b.part) || byNumbers.compare(a.name, b.name),
  )
  const newest = parts
    .flatMap(({ version }) => version ?? [])
    .sort(compareVersions)
    .at(-1)
  return {
    ...(newest !== undefined && { newest }),
    parts,
    behind: parts.filter(
      ({ version }) =>
        version !== undefined && newest !== undefined && compareVersions(version, newest) < 0,
    ),
    unknown: parts.filter(({ version }) => version === undefined),
  }
}
