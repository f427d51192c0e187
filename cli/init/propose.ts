// Proposes which service sees which key, from the present use in the project. Pure.
import type { ComposeProject, ComposeService } from './compose-project.ts'
import { variablesOfText } from '../../src/compose/variables.ts'
import {
  looksSecret,
  urlWithPassword,
  type FoundSecret,
  type ProposedSecret,
} from './found-secret.ts'
import { shareValues, variableSource } from './share-values.ts'

/** A value that stays where it is, and why. */
interface Kept {
  readonly key: string
  readonly file: string
  readonly why: string
}

export interface Proposal {
  readonly secrets: readonly ProposedSecret[]
  readonly kept: readonly Kept[]
  /**
   * Services that the first `up` with Stagely re-creates: those that see a secret, and those that share
   * with them.
   */
  readonly recreated: readonly string[]
  readonly untouched: readonly string[]
}

export interface Wishes {
  /** Keys that stay in the user's files. */
  readonly exclude: readonly string[]
  /** Variables that become global secrets, for `${VAR}` outside `environment`. */
  readonly global: readonly string[]
  /** false: a value in several places becomes a secret in each of them. */
  readonly references?: boolean
}

const storable = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/
export const propose = (project: ComposeProject, wishes: Wishes): Proposal => {
  const kept: Kept[] = []
  const seen = project.services.flatMap((service) => secretsOf(project, service, wishes, kept))
  const found = withGlobals(seen, project.services.length)
  const isThere = (key: string): boolean => found.some((s) => s.key === key && s.scope === 'global')
  const wished = asked(project, wishes).filter(({ key }) => !isThere(key))
  const all = [...found, ...wished]
  const secrets = wishes.references === false ? all : shareValues(project, all)
  kept.push(...keptVariables(project, wishes), ...keptFiles(project))
  const sees = (name: string): boolean =>
    secrets.some(({ scope }) => scope === 'global' || scope === name)
  const enabled = project.services.filter((service) => service.enabled)
  const recreated = enabled
    .filter(({ name, sharesWith }) => sees(name) || sharesWith.some(sees))
    .map(({ name }) => name)
  return {
    secrets: secrets.sort((a, b) => compare(a.key, b.key) || compare(a.scope, b.scope)),
    kept: unique(kept).sort((a, b) => compare(a.file, b.file) || compare(a.key, b.key)),
    recreated,
    untouched: enabled.map(({ name }) => name).filter((name) => !recreated.includes(name)),
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const unique = (kept: readonly Kept[]): Kept[] => [
  ...new Map(kept.map((k) => [JSON.stringify([k.key, k.file]), k])).values(),
]

/** The secrets of one service; its other values are added to `kept`. */
const secretsOf = (
  project: ComposeProject,
  service: ComposeService,
  { exclude }: Wishes,
  kept: Kept[],
): FoundSecret[] => {
  const secrets: FoundSecret[] = []
  for (const [key, value] of service.environment) {
    const { file: named, from, ...origin } = originOf(project, service, key, value)
    const file = named ?? project.files[0] ?? ''
    if (key.startsWith('COMPOSE_')) kept.push({ key, file, why: 'steers Compose itself' })
    else if (!storable.test(key)) kept.push({ key, file, why: 'is no name that Stagely stores' })
    else if (exclude.includes(key)) kept.push({ key, file, why: 'excluded' })
    else if (from === undefined) continue
    else if (namesFile(key, value)) kept.push({ key, file, why: whyFile })
    else secrets.push({ key, scope: service.name, value, from, ...origin })
  }
  return secrets
}

const whyFile = 'names a file; "stagely seal --file" makes a secret of its content'

/** `POSTGRES_PASSWORD_FILE: /run/secrets/password` is configuration; the secret is in the file. */
const namesFile = (key: string, value: string): boolean =>
  /_(FILE|PATH|DIR)$/i.test(key) && /^(~|\.{0,2})\/\S*$|^[\w.-]+(\/[\w.-]+)+$/.test(value)

interface Origin extends Pick<FoundSecret, 'source' | 'written'> {
  /** undefined: plain configuration in the compose file itself. */
  readonly from: string | undefined
  readonly file: string | undefined
}

const originOf = (
  project: ComposeProject,
  service: ComposeService,
  key: string,
  value: string,
): Origin => {
  const written = service.written.get(key)
  if (written === undefined) {
    // Later files have precedence.
    const entry = service.envFileEntries.findLast(({ path }) =>
      project.envFiles.some((file) => file.path === path && file.values.has(key)),
    )
    const path = entry?.path ?? 'env_file'
    return { from: path, file: entry?.path, source: `${key} of ${path}` }
  }
  const used = written === null ? [key] : variablesOfText(written)
  const set = used.filter((name) => project.variables.has(name))
  if (set.length > 0) {
    const names = set.map((name) => `\${${name}}`).join(', ')
    const file = project.dotenvFiles.findLast(({ values }) => set.some((n) => values.has(n)))?.path
    const [only = ''] = set
    const isWhole = used.length === 1 && value === project.variables.get(only)
    const whole = isWhole ? { source: variableSource(only) } : { written: written ?? '' }
    return { from: `environment: ${names}`, file, ...whole }
  }
  const isSecret = value !== '' && (looksSecret(key) || urlWithPassword.test(value))
  const literal = used.length === 0 && isSecret
  if (!literal) return { from: undefined, file: undefined }
  return { from: 'environment: in the compose file', file: undefined }
}

/** Replaces equal secrets of all services by one global secret. */
const withGlobals = (seen: readonly FoundSecret[], serviceCount: number): FoundSecret[] => {
  const byKey = new Map<string, FoundSecret[]>()
  for (const secret of seen) byKey.set(secret.key, [...(byKey.get(secret.key) ?? []), secret])
  return [...byKey.values()].flatMap((all) => {
    const same = all.every(({ value }) => value === all[0]?.value)
    return serviceCount > 1 && all.length === serviceCount && same
      ? [{ ...all[0]!, scope: 'global' }]
      : all
  })
}

const asked = (project: ComposeProject, { global }: Wishes): FoundSecret[] =>
  global.flatMap((key) => {
    const value = project.variables.get(key)
    if (value === undefined) return []
    return [{ key, scope: 'global', value, from: `\${${key}}`, source: variableSource(key) }]
  })

/** Variables of `.env` that no secret replaces. */
const keptVariables = (project: ComposeProject, { global }: Wishes): Kept[] =>
  project.dotenvFiles.flatMap(({ path: file, values }) =>
    [...values.keys()].flatMap((key) => {
      if (global.includes(key)) return []
      if (key.startsWith('COMPOSE_')) return [{ key, file, why: 'steers Compose itself' }]
      const user = project.services.find(({ elsewhere }) => elsewhere.has(key))
      if (user !== undefined) {
        const where = `${user.elsewhere.get(key) ?? ''} of ${user.name}`
        const more = looksSecret(key) ? `; --global ${key} makes it a secret` : ''
        return [{ key, file, why: `used in ${where}${more}` }]
      }
      return isUsed(project, key) ? [] : [{ key, file, why: 'no service uses it' }]
    }),
  )

const keptFiles = ({ secretFiles }: ComposeProject): Kept[] =>
  secretFiles.map(({ name, path }) => ({
    key: name,
    file: path,
    why: 'a file; "stagely seal --file" makes a secret of type file',
  }))

const isUsed = (project: ComposeProject, variable: string): boolean =>
  project.services.some(
    ({ written, environment }) =>
      environment.has(variable) ||
      [...written].some(([, text]) => text !== null && variablesOfText(text).includes(variable)),
  )

/** Keys of global secrets that the files use elsewhere than in variables of containers. */
export const usedElsewhere = (
  { services }: ComposeProject,
  secrets: readonly Pick<ProposedSecret, 'key' | 'scope'>[],
): string[] => {
  const globals = new Set(secrets.filter((s) => s.scope === 'global').map((s) => s.key))
  return [...globals].filter((key) => services.some((s) => s.elsewhere.has(key))).sort()
}
