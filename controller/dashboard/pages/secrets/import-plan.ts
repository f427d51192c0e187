// What a .env file brings: each line with what it does, and no value. Pure.
import { parseDotenv } from '../../../../src/formats/dotenv.ts'

export interface Target {
  readonly scope: string
  /** '' for all. */
  readonly stagelet: string
}

/** What is there already, staged or stored. */
export interface KnownSecret {
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
}

export type Does = 'new' | 'another value' | 'given again below'

export interface PlannedLine {
  readonly key: string
  readonly where: string
  readonly value: string
  readonly does: Does
}

export interface ImportPlan {
  readonly lines: readonly PlannedLine[]
  readonly faults: readonly { readonly where: string; readonly message: string }[]
}

/** Operations that one request holds. */
const most = 500
const keyRule = /^[A-Za-z_][A-Za-z0-9_.-]*$/

const sameStagelet = (one: KnownSecret, { stagelet }: Target): boolean =>
  (one.stagelet ?? '') === stagelet

export const isAt = (one: KnownSecret, key: string, target: Target): boolean =>
  one.key === key && one.scope === target.scope && sameStagelet(one, target)

/** The last of two lines with one key counts, as for Compose. */
export const planImport = (
  text: string,
  target: Target,
  known: readonly KnownSecret[],
): ImportPlan => {
  const { entries, faults } = parseDotenv(text)
  const last = new Map(entries.map(({ key, where }) => [key, where]))
  const badKeys = entries
    .filter(({ key }) => !keyRule.test(key))
    .map(({ where }) => ({
      where,
      message: 'a key has letters, digits, "_", "." and "-", and does not begin with a digit',
    }))
  const tooMany =
    last.size <= most
      ? []
      : [
          {
            where: 'the file',
            message: `has more than ${most} keys: "stagely secrets import" takes as many as there are`,
          },
        ]
  const doesOf = (key: string, where: string): Does => {
    if (last.get(key) !== where) return 'given again below'
    return known.some((one) => isAt(one, key, target)) ? 'another value' : 'new'
  }
  return {
    lines: entries.map((line) => ({ ...line, does: doesOf(line.key, line.where) })),
    faults: [...faults, ...badKeys, ...tooMany],
  }
}
