// What init leaves in the user's files, and why. Pure.
import { variablesOfText } from '../../src/compose/variables.ts'
import type { ComposeProject } from './compose-project.ts'
import type { Kept } from './found-secret.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import { variablesInOtherPlaces } from './other-places.ts'

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Each key of a file once, by the first reason, in order. */
export const inOrder = (kept: readonly Kept[]): Kept[] =>
  [
    ...new Map(
      kept.toReversed().map((value) => [JSON.stringify([value.key, value.file]), value]),
    ).values(),
  ].sort((a, b) => compare(a.file, b.file) || compare(a.key, b.key))

/** Variables of `.env` that no secret replaces. */
export const keptVariables = (project: ComposeProject, replaced: ReadonlySet<string>): Kept[] => {
  const elsewhere = variablesInOtherPlaces(project)
  return project.dotenvFiles.flatMap(({ path: file, values }) =>
    [...values].flatMap(([key, value]) => {
      if (replaced.has(key)) return []
      if (key.startsWith('COMPOSE_')) return [{ key, file, why: 'steers Compose itself' }]
      const place = elsewhere.get(key)
      if (place !== undefined) {
        const more = looksSecret(key, value) ? `; --global ${key} makes it a secret` : ''
        return [{ key, file, why: `used in ${place}${more}` }]
      }
      return isUsed(project, key) ? [] : [{ key, file, why: 'no service uses it' }]
    }),
  )
}

export const keptFiles = ({ secretFiles }: ComposeProject): Kept[] =>
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
