// A global secret that the stagelet does not list may set `${VAR}` only where that makes a variable of a container:
// whoever may write secrets must not choose what of the machine a container gets. To find what a secret would change,
// Compose is asked with a mark in its place, and without it. Pure.
import { createHash } from 'node:crypto'
import type { Environment } from '../../src/compose/environment.ts'
import { isRecord } from '../../src/kernel/record.ts'
import type { StackFault } from './allowed-folders.ts'

/** The environments with which Compose is asked. */
export interface ProbeEnvironments {
  /** With the secrets that the stagelet lists. */
  readonly without: Environment
  /** With a mark for each other secret that the files name. */
  readonly marked: Environment
  /** With other marks, for files that insist on a variable. */
  readonly again: Environment
  /** The marks, by key; '' for a secret that is empty. */
  readonly marks: ReadonlyMap<string, string>
}

/** The mark of a key. It does not depend on other secrets. */
const markOf = (key: string, value: string): string =>
  value === '' ? '' : `stagelymark${createHash('sha256').update(key).digest('hex').slice(0, 12)}x`

const otherMark = (mark: string): string => mark.replace(/x$/, 'y')

export const probeEnvironmentsOf = (
  sources: {
    readonly base: Environment
    readonly globals: Environment
    readonly listed: readonly string[]
  },
  isNamed: (key: string) => boolean,
): ProbeEnvironments => {
  const { base, globals, listed } = sources
  const all = Object.entries(globals)
  const named = all.filter(([key]) => !listed.includes(key) && isNamed(key))
  const marks = new Map(named.map(([key, value]) => [key, markOf(key, value)]))
  const without = { ...base, ...Object.fromEntries(all.filter(([key]) => listed.includes(key))) }
  const again = [...marks].map(([key, mark]) => [key, otherMark(mark)] as const)
  return {
    without,
    marked: { ...without, ...Object.fromEntries(marks) },
    again: { ...without, ...Object.fromEntries(again) },
    marks,
  }
}

/** Keys whose mark is in the text. */
export const markedIn = (text: string, { marks }: ProbeEnvironments): string[] =>
  [...marks]
    .filter(([, mark]) => mark !== '' && (text.includes(mark) || text.includes(otherMark(mark))))
    .map(([key]) => key)

type Json = Readonly<Record<string, unknown>>

const isExtension = (key: string): boolean => key.startsWith('x-')

const namesOf = (environment: unknown): unknown => {
  if (isRecord(environment)) return Object.keys(environment).sort()
  return Array.isArray(environment)
    ? environment.map((entry) => String(entry).split('=')[0])
    : environment
}

/** The parts of a stack that a secret must not change: all but the values of variables of containers. */
const protectedParts = (stack: Json): Json => {
  const services = isRecord(stack['services']) ? stack['services'] : {}
  const kept = Object.entries(services).map(([name, service]) => {
    const fields = Object.entries(isRecord(service) ? service : {}).filter(([k]) => !isExtension(k))
    return [
      name,
      Object.fromEntries(fields.map(([k, v]) => [k, k === 'environment' ? namesOf(v) : v])),
    ]
  })
  const rest = Object.entries(stack).filter(([key]) => !isExtension(key))
  return { ...Object.fromEntries(rest), services: Object.fromEntries(kept) }
}

interface Difference {
  /** Such as `services.web.volumes`. */
  readonly field: string
  readonly value: unknown
}

const deepest = 3

/** Compares down to the fields of services, networks and volumes. */
const differences = (a: unknown, b: unknown, path: readonly string[] = []): Difference[] => {
  if (path.length < deepest && isRecord(a) && isRecord(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differences(a[key], b[key], [...path, key]),
    )
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ field: path.join('.'), value: [a, b] }]
}

const fault = (uses: readonly { key: string; field: string }[]): StackFault => {
  const keys = [...new Set(uses.map((u) => u.key))].sort()
  const places = [...new Set(uses.map(({ key, field }) => `${key} in ${field}`))].sort()
  return {
    reason: 'VariableNotListed',
    message: `the compose file is filled by global secrets in other places than variables of containers: ${places.join(', ')}; whoever may write secrets could choose there what a container gets of this machine. Where that is meant, list them in the stagelet: spec.compose.variables: [${keys.join(', ')}]`,
  }
}

const useOf = (key: string): RegExp => new RegExp(`(^|[^$])(\\$\\$)*\\$\\{?${key}(?![A-Za-z0-9_])`)

/**
 * Assignments to variables that control Compose itself, such as its profiles, from other variables. A value in double
 * quotes may go over several lines.
 */
const steered = /^\s*(export\s+)?COMPOSE_\w+\s*[=:](?:.*\$|[ \t]*"(?:\\[^$]|[^"\\$])*\\?\$)/m

/** A fault where a secret sets a variable that controls Compose itself, in an env file of the stack: no model shows that. */
export const checkSteering = (
  { marks }: ProbeEnvironments,
  envFiles: readonly string[],
): StackFault | undefined => {
  const uses = envFiles
    .filter((text) => steered.test(text))
    .flatMap((text) => [...marks.keys()].filter((key) => useOf(key).test(text)))
    .map((key) => ({ key, field: 'an env file that sets COMPOSE_…' }))
  return uses.length === 0 ? undefined : fault(uses)
}

/** Fields of the stack, as written, that name the key, without variables of containers. */
const writtenUses = (written: Json, key: string): string[] => {
  const use = useOf(key)
  const found: string[] = []
  const visit = (value: unknown, path: readonly string[]): void => {
    if (path.length < deepest && isRecord(value))
      for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name])
    else if (use.test(JSON.stringify(value ?? null))) found.push(path.join('.'))
  }
  visit(protectedParts(written), [])
  return found
}

/** Secrets and configs whose content comes from a variable of Compose's environment. */
const contentUses = (stack: Json, { marks }: ProbeEnvironments): { key: string; field: string }[] =>
  ['secrets', 'configs'].flatMap((kind) =>
    Object.entries(isRecord(stack[kind]) ? stack[kind] : {}).flatMap(([name, value]) => {
      const key = isRecord(value) ? value['environment'] : undefined
      return typeof key === 'string' && marks.has(key)
        ? [{ key, field: `${kind}.${name}.environment` }]
        : []
    }),
  )

export interface Answers {
  /** The stack with marks, and as written; undefined where Compose did not tell it. */
  readonly marked: Json | undefined
  /** Without the secrets, or with other marks. */
  readonly other: Json | undefined
  readonly isWithout: boolean
  readonly written: Json | undefined
  /** Keys whose marks are in messages of Compose. */
  readonly quoted: readonly string[]
}

/** A fault where a secret would set more than variables of containers. */
export const checkFilling = (
  probes: ProbeEnvironments,
  answers: Answers,
): StackFault | undefined => {
  const { marked, other, isWithout, written, quoted } = answers
  const keys = [...probes.marks.keys()]
  if (keys.length === 0) return undefined
  const byText = keys.flatMap((key) =>
    writtenUses(written ?? {}, key).map((field) => ({ key, field })),
  )
  if (marked === undefined || other === undefined) {
    const rest = quoted.filter((key) => !byText.some((u) => u.key === key))
    const uses = [...byText, ...rest.map((key) => ({ key, field: 'its files' }))]
    if (uses.length > 0) return fault(uses)
    // Compose accepts one of the two and refuses the other: the secrets make that difference.
    const isForThem = marked !== undefined || isWithout
    return isForThem ? fault(keys.map((key) => ({ key, field: 'its files' }))) : undefined
  }
  const changed = differences(protectedParts(marked), protectedParts(other)).flatMap(
    ({ field, value }) => {
      const quotedKeys = markedIn(JSON.stringify(value), probes)
      const suspects = byText.filter((u) => u.field === field).map((u) => u.key)
      const found = quotedKeys.length > 0 ? quotedKeys : suspects.length > 0 ? suspects : keys
      return found.map((key) => ({ key, field }))
    },
  )
  // The model does not show paths of env files, and two marks do not differ in `${VAR:+…}`: the text is searched, too.
  const files = byText.filter(({ field }) => !isWithout || field.endsWith('.env_file'))
  const uses = [...changed, ...files, ...contentUses(marked, probes)]
  return uses.length === 0 ? undefined : fault(uses)
}

/** Keys that set variables of containers, as far as the stack shows it. */
export const fillsContainers = (
  probes: ProbeEnvironments,
  { marked, written }: Pick<Answers, 'marked' | 'written'>,
): string[] => {
  const variables = (stack: Json | undefined): unknown[] => {
    const services = isRecord(stack?.['services']) ? Object.values(stack['services']) : []
    return services.map((s) => (isRecord(s) ? (s['environment'] ?? null) : null))
  }
  const shown = markedIn(JSON.stringify(variables(marked)), probes)
  const text = JSON.stringify(variables(written))
  const named = [...probes.marks.keys()].filter((key) =>
    new RegExp(`(?<![A-Za-z0-9_])${key}(?![A-Za-z0-9_])`).test(text),
  )
  return [...new Set([...shown, ...named])]
}
