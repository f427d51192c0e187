// Which lines of a file are imported, and which of them as plain values.
import { defined } from '../../src/kernel/defined.ts'
import { kindsOfLines, staysInFile } from '../../src/secrets/managed-values.ts'
import { CliError } from '../errors.ts'
import { entryText, type Entry } from '../formats/entries.ts'
import { note } from '../print.ts'

interface Proposing {
  /** Of the file, for messages. */
  readonly shown: string
  /** Only lines of a `.env` say nothing but a key and a value. */
  readonly isDotenv: boolean
  /** The project has the key. */
  readonly isStored: (key: string) => boolean
  /** A service is named, or all lines are wanted. */
  readonly isPlaceSaid: boolean
  /** What looks like no secret becomes plain. */
  readonly takesPlain: boolean
}

/** Says what stays in the file. CliError where nothing is left. */
export const proposeEntries = (
  entries: readonly Entry[],
  { shown, isDotenv, isStored, isPlaceSaid, takesPlain }: Proposing,
): readonly Entry[] => {
  const texts = entries.map(({ key, value }) => ({ key, value: value && entryText(value) }))
  const lines = kindsOfLines(texts).map((kind, index) => ({
    entry: entries[index]!,
    kind: isDotenv || kind === 'Steers' ? kind : ('Secret' as const),
  }))
  const stays = lines.filter(
    ({ entry: { key, scope }, kind }) =>
      scope === undefined && staysInFile(kind, { isPlaceSaid, isStored: isStored(key) }),
  )
  const keysOf = (kind: string): string =>
    [...new Set(stays.filter((line) => line.kind === kind).map(({ entry }) => entry.key))].join(
      ', ',
    )
  const [steering, plain] = [keysOf('Steers'), keysOf('Plain')]
  const how = '--all takes them, --scope SERVICE gives all lines to one service.'
  if (steering !== '')
    note(
      `${shown}: left out, since they steer Compose and would go to every service: ${steering}. ${how}`,
    )
  if (plain !== '')
    note(`${shown}: left out, since they look like no secret and need none: ${plain}. ${how}`)
  const left = new Set(stays)
  const taken = lines.filter((line) => !left.has(line))
  if (taken.length === 0)
    throw new CliError(
      `${shown} holds no secrets of services; "--all" takes its lines all the same`,
    )
  return taken.map(({ entry, kind }) => ({
    ...entry,
    ...defined({
      isPlain: isDotenv && takesPlain && kind !== 'Secret' ? (true as const) : undefined,
    }),
  }))
}
