// Where a value stands outside of `environment`: in a command, a health check, an image. A value that stands in both
// places is one value, so that it moves in both places, or in none. Pure.
import { variablesOfText } from '../../src/compose/variables.ts'
import type { ComposeProject } from './compose-project.ts'
import type { FoundSecret } from './found-secret.ts'
import { partsOf } from './interpolate.ts'
import { hasSecretForm, looksSecret } from '../../src/secrets/looks-secret.ts'
import { passwordIn } from '../../src/secrets/password-in-text.ts'

interface OtherText {
  readonly place: string
  readonly field: string
  readonly text: string
}

const textsOf = ({ services, texts }: ComposeProject): OtherText[] => [
  ...services.flatMap(({ name, texts: own }) =>
    own.map(({ field, text }) => ({ place: `${field} of ${name}`, field, text })),
  ),
  ...texts.map(({ field, text }) => ({ place: field, field, text })),
]

/** Variables that are used outside of `environment`, each with the first place that uses it. */
export const variablesInOtherPlaces = (project: ComposeProject): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const { place, text } of textsOf(project)) {
    for (const name of variablesOfText(text)) if (!found.has(name)) found.set(name, place)
  }
  return found
}

/** Where programs get their passwords as an argument. */
const argumentFields = new Set(['command', 'entrypoint', 'healthcheck', 'post_start', 'pre_stop'])

/** Words that mean something else too, as `postgres` does. */
const isOrdinary = ({ services }: ComposeProject, value: string): boolean =>
  services.some(
    ({ name, environment }) =>
      name === value ||
      [...environment].some(([key, entry]) => entry === value && !looksSecret(key, entry)),
  )

const border = /^$|[\s"'=:@/]/

/** Whether the value stands in the text as a word, or as several: `/hunter2` has a sign of its own that ends words. */
const hasWord = (text: string, value: string): boolean => {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    if (border.test(text.charAt(at - 1)) && border.test(text.charAt(at + value.length))) return true
  }
  return false
}

/** The argument of a program that holds this very text. */
export const otherPlaceOf = (project: ComposeProject, value: string): string | undefined =>
  value.length < 4 || isOrdinary(project, value)
    ? undefined
    : textsOf(project).find(({ field, text }) => argumentFields.has(field) && hasWord(text, value))
        ?.place

/** Every value that a variable has where it is used: more than one where its defaults differ. */
const valuesOfVariables = (project: ComposeProject): ReadonlyMap<string, ReadonlySet<string>> => {
  const values = new Map<string, Set<string>>()
  const written = project.services.flatMap((service) =>
    [...service.written].map(([key, text]) => text ?? `\${${key}}`),
  )
  for (const text of [...written, ...textsOf(project).map((file) => file.text)]) {
    for (const part of partsOf(text, project.variables)) {
      if (part.variable === undefined) continue
      values.set(part.variable, (values.get(part.variable) ?? new Set()).add(part.text))
    }
  }
  return values
}

/** The variable is a secret by its own name, by the key that it fills, or as the password in a URL or in pairs. */
const makesSecret = (name: string, value: string, secrets: readonly FoundSecret[]): boolean =>
  looksSecret(name, value) ||
  secrets.some(({ key, value: whole, parts = [] }) => {
    if (!parts.some(({ variable }) => variable === name)) return false
    const isWhole = parts.length === 1 && (looksSecret(key, value) || hasSecretForm(value))
    return isWhole || passwordIn(whole)?.password === value
  })

interface SharedVariable {
  readonly name: string
  /** undefined: it has several, since defaults differ. */
  readonly value: string | undefined
  /** The first place outside of `environment` that uses it. */
  readonly place: string
}

/** Secrets that stand in `environment` and in another place. */
export const sharedVariables = (
  project: ComposeProject,
  secrets: readonly FoundSecret[],
): SharedVariable[] => {
  const elsewhere = variablesInOtherPlaces(project)
  const values = valuesOfVariables(project)
  const used = new Set(
    secrets.flatMap(({ parts = [] }) => parts.flatMap(({ variable = [] }) => variable)),
  )
  return [...used].sort().flatMap((name) => {
    const place = elsewhere.get(name)
    const [value = '', ...others] = values.get(name) ?? []
    if (place === undefined || !makesSecret(name, value, secrets)) return []
    return [{ name, place, value: others.length === 0 ? value : undefined }]
  })
}

/** The value of a variable that all its uses agree on. */
export const valueOfVariable = (project: ComposeProject, name: string): string | undefined => {
  const [value, ...others] = valuesOfVariables(project).get(name) ?? []
  return others.length === 0 ? (value ?? project.variables.get(name)) : project.variables.get(name)
}
