// What a file of secrets brings: each line with the place where it goes and what it does. Pure.
import type { LineFault } from '../../../../src/formats/dotenv.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import type { Structured, StructuredLine } from '../../../../src/formats/structured.ts'
import { kindsOfLines, staysInFile, type LineKind } from '../../../../src/secrets/managed-values.ts'
import { looksSecret } from '../../../../src/secrets/looks-secret.ts'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { isForAll } from '../../../../src/secrets/place.ts'
import type { Edit, StagedValue } from '../../../staging/staging.ts'
import { maskWords, maxValueBytes, tooLarge } from '../../../ui/text/value-warnings.ts'
import { isKey, keyFault, type EditTarget } from '../edit/edit-plan.ts'
import { valueManager } from '../edit/value-from.ts'

/** What becomes of a line, in the words of the page. */
export const doesText = {
  New: 'new',
  NewValue: 'new value',
  Repeated: 'repeated below',
  Skipped: 'skipped',
  ConfiguresCompose: 'skipped: configures Compose',
  NoSecret: 'skipped: looks like no secret',
} as const
type Does = keyof typeof doesText

type Visibility = 'Masked' | 'Plain'

export interface PlannedLine {
  readonly key: string
  readonly where: string
  readonly scope: string
  readonly stagelet: string
  readonly environments?: readonly string[] | undefined
  readonly bytes: number
  readonly does: Does
  /** Of a line that makes a secret. */
  readonly visibility: Visibility
  /** What one may not mean: see `maskWords`. */
  readonly odd?: string
  /** It looks like a secret, and would be plain. */
  readonly doubt?: boolean
}

/** What a person chose for one line, by its place in the file. */
export interface LineChoice {
  readonly isOut?: boolean
  readonly scope?: string
  readonly visibility?: Visibility
}
export type Choices = ReadonlyMap<string, LineChoice>

export interface FileImport {
  readonly lines: readonly PlannedLine[]
  readonly faults: readonly LineFault[]
}

type Known = Pick<
  Secret,
  'team' | 'project' | 'key' | 'scope' | 'stagelet' | 'environments' | 'value_from' | 'visibility'
>

const placeName = (
  key: string,
  { scope, stagelet = '', environments = [] }: Partial<EditTarget>,
): string => [key, scope, stagelet, ...[...environments].sort()].join('\n')

const byPlace = <T extends Known>(secrets: readonly T[]): ReadonlyMap<string, T> =>
  new Map(secrets.map((secret) => [placeName(secret.key, secret), secret]))

const bytesOf = ({ value, value_base64: base64 = '' }: StructuredLine): number =>
  value === undefined
    ? Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
    : new TextEncoder().encode(value).length

/** Undefined: the line says where the value comes from. */
const valueOf = ({ value, value_base64: base64 }: StructuredLine): StagedValue | undefined => {
  if (value !== undefined) return { value }
  return base64 === undefined ? undefined : { value_base64: base64 }
}

/** A line with its own place keeps it; what a person chose comes before both. */
const placeOf = (line: StructuredLine, target: EditTarget, choices: Choices): EditTarget => ({
  scope: choices.get(line.where)?.scope ?? line.scope ?? target.scope,
  ...(line.stagelet === undefined && line.environments === undefined
    ? { stagelet: target.stagelet, environments: target.environments }
    : { stagelet: line.stagelet ?? '', environments: line.environments }),
})

/** A list says itself what it holds. */
const kindsIn = (
  lines: readonly StructuredLine[],
  isDotenv: true | undefined,
): ReadonlyMap<StructuredLine, LineKind> => {
  const kinds = kindsOfLines(lines.map(({ key, value }) => ({ key, value })))
  return new Map(
    lines.map((line, index) => {
      const kind = kinds[index] ?? 'Secret'
      return [line, isDotenv === true || kind === 'Steers' ? kind : 'Secret']
    }),
  )
}

/** The last of two lines for one secret counts, as for Compose. */
export const planFileImport = (
  { lines, faults, isDotenv }: Structured,
  target: EditTarget,
  secrets: readonly Known[],
  choices: Choices = new Map(),
): FileImport => {
  const stored = byPlace(secrets)
  const kinds = kindsIn(lines, isDotenv)
  const storedKeys = new Set(secrets.map(({ key }) => key))
  /** Without a scope, it would go to every service. */
  const stays = (line: StructuredLine): boolean =>
    choices.get(line.where)?.isOut === undefined &&
    line.scope === undefined &&
    staysInFile(kinds.get(line) ?? 'Secret', {
      isPlaceSaid: !isForAll(placeOf(line, target, choices)),
      isStored: storedKeys.has(line.key),
    })
  const isOut = (line: StructuredLine): boolean =>
    choices.get(line.where)?.isOut === true || stays(line)
  const nameOf = (line: StructuredLine): string =>
    placeName(line.key, placeOf(line, target, choices))
  const last = new Map(
    lines.filter((line) => !isOut(line)).map((line) => [nameOf(line), line.where]),
  )
  const doesOf = (line: StructuredLine): Does => {
    if (stays(line)) return kinds.get(line) === 'Steers' ? 'ConfiguresCompose' : 'NoSecret'
    if (isOut(line)) return 'Skipped'
    if (last.get(nameOf(line)) !== line.where) return 'Repeated'
    return stored.has(nameOf(line)) ? 'NewValue' : 'New'
  }
  const visibilityOf = (line: StructuredLine): Visibility => {
    const listed = line.fields?.['visibility']
    const there = stored.get(nameOf(line))
    const proposed = isDotenv === true && kinds.get(line) !== 'Secret' ? 'Plain' : 'Masked'
    const given = there === undefined ? proposed : (there.visibility ?? 'Masked')
    const said = listed === 'Plain' || listed === 'Masked' ? listed : undefined
    return choices.get(line.where)?.visibility ?? said ?? given
  }
  const badKeys = lines
    .filter(({ key }) => !isKey(key))
    .map(({ where }) => ({ where, message: keyFault }))
  const large = lines
    .filter((line) => bytesOf(line) > maxValueBytes)
    .map(({ key, where }) => ({ where, message: `${key} ${tooLarge}` }))
  const notGiven = lines.flatMap((line) => {
    const found = isOut(line) || valueOf(line) === undefined ? undefined : stored.get(nameOf(line))
    const manager = found === undefined ? undefined : valueManager(found)
    return manager === undefined
      ? []
      : [{ where: line.where, message: `${line.key}: ${manager.says}` }]
  })
  return {
    lines: lines.map((line) => {
      const [odd] = maskWords(line.value ?? '')
      return {
        key: line.key,
        where: line.where,
        ...placeOf(line, target, choices),
        bytes: bytesOf(line),
        does: doesOf(line),
        visibility: visibilityOf(line),
        ...defined({ odd }),
        doubt: visibilityOf(line) === 'Plain' && looksSecret(line.key, line.value ?? ''),
      }
    }),
    faults: [...faults, ...badKeys, ...large, ...notGiven],
  }
}

export const isTaken = ({ does }: PlannedLine): boolean => does === 'New' || does === 'NewValue'

/** A repeated line is not skipped: the last one counts. */
export const isSkipped = ({ does }: PlannedLine): boolean =>
  does === 'Skipped' || does === 'ConfiguresCompose' || does === 'NoSecret'

/** `stored` are the secrets that exist. */
export const editsOfImport = (
  { lines }: Structured,
  plan: FileImport,
  stored: readonly Secret[],
): { readonly edit: Omit<Edit, 'id'>; readonly value: StagedValue | undefined }[] => {
  const secretAt = byPlace(stored)
  return lines.flatMap((line, index) => {
    const planned = plan.lines[index]
    if (planned === undefined || !isTaken(planned)) return []
    const { key, scope, stagelet, bytes } = planned
    const found = secretAt.get(placeName(key, planned))
    const value = valueOf(line)
    const { environments } = planned
    const isSaid = line.fields?.['visibility'] !== undefined
    const isOther = planned.visibility !== (found?.visibility ?? 'Masked')
    const visibility = isSaid || isOther ? planned.visibility : undefined
    const more = defined({ environments: environments && [...environments], visibility })
    const fields = Object.keys(more).length === 0 ? line.fields : { ...line.fields, ...more }
    const type = line.fields?.['type'] === 'file' ? 'file' : (found?.type ?? 'env')
    const edit: Omit<Edit, 'id'> = {
      op: found === undefined ? 'create' : 'update',
      key,
      scope,
      type,
      stagelet: stagelet === '' ? undefined : stagelet,
      bytes: value === undefined ? undefined : bytes,
      ...defined({ secretId: found?.id, fromVersion: found?.version, fields }),
    }
    return [{ edit, value }]
  })
}
