// What one service gets by its environment: where each value comes from, and what stays whatever it is. Pure.
import { variablesOfText } from '../../src/compose/variables.ts'
import type { ComposeProject, ComposeService } from './compose-project.ts'
import { variableSource, type FoundSecret, type Kept } from './found-secret.ts'
import { partsOf, wholeVariable, type TextPart } from './interpolate.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import { otherPlaceOf, variablesInOtherPlaces } from './other-places.ts'

const storable = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/

export interface ServiceValue extends FoundSecret {
  /** The file that has the value now. */
  readonly file: string
  readonly isSecret: boolean
}

/** What stays is added to `kept`. */
export const valuesOfService = (
  project: ComposeProject,
  service: ComposeService,
  exclude: readonly string[],
  kept: Kept[],
): ServiceValue[] => {
  const values: ServiceValue[] = []
  for (const [key, value] of service.environment) {
    const found = findValue(project, service, key, value)
    const { file } = found
    const isWritten = found.from === undefined
    const place = isWritten && found.isSecret ? otherPlaceOf(project, value) : undefined
    const steers = found.isSecret ? undefined : whySteers(project, service, { key, file })
    if (steers !== undefined) kept.push({ key, file, why: steers })
    else if (!storable.test(key)) kept.push({ key, file, why: 'is no name that Stagely stores' })
    else if (exclude.includes(key)) kept.push({ key, file, why: 'excluded' })
    else if (isWritten && !found.isSecret && !namesFile(key, value)) continue
    else if (namesFile(key, value)) kept.push({ key, file, why: whyFile })
    else if (place !== undefined) kept.push({ key, file, why: whyWritten(place) })
    else values.push({ ...found, from: found.from ?? 'environment: in the compose file' })
  }
  return values
}

/** Settings of Compose, tags, ports and paths of the files are no values of services, also where an env_file gives a service all of `.env`. */
const whySteers = (
  project: ComposeProject,
  { written }: ComposeService,
  { key, file }: { readonly key: string; readonly file: string },
): string | undefined => {
  if (key.startsWith('COMPOSE_')) return 'steers Compose itself'
  const isOfDotenv = !written.has(key) && project.dotenvFiles.some(({ path }) => path === file)
  const place = isOfDotenv ? variablesInOtherPlaces(project).get(key) : undefined
  return place !== undefined && /^(image|ports|volumes)\b/.test(place)
    ? `used in ${place}`
    : undefined
}

const whyFile = 'names a file; "stagely seal --file" makes a secret of its content'

const whyWritten = (place: string): string =>
  `the same text stands in ${place}: write a variable in both places`

/** `POSTGRES_PASSWORD_FILE: /run/secrets/password` is configuration; the secret is in the file. */
const namesFile = (key: string, value: string): boolean =>
  /_(FILE|PATH|DIR)$/i.test(key) && /^(~|\.{0,2})\/\S*$|^[\w.-]+(\/[\w.-]+)+$/.test(value)

/** `from` is absent for what is written in the compose file itself. */
const findValue = (
  project: ComposeProject,
  service: ComposeService,
  key: string,
  value: string,
): Omit<ServiceValue, 'from'> & { from: string | undefined } => {
  const own = { key, value, scope: service.name }
  const composeFile = project.files[0] ?? ''
  const written = service.written.get(key)
  if (written === undefined) {
    // Later files have precedence.
    const { path = 'env_file' } =
      service.envFileEntries.findLast(({ path: name }) =>
        project.envFiles.some((file) => file.path === name && file.values.has(key)),
      ) ?? {}
    // An env_file that fills ${VAR} too has one value, not two.
    const isVariable =
      project.dotenvFiles.some((file) => file.path === path) && project.variables.get(key) === value
    const parts = isVariable ? { parts: [{ text: value, variable: key }] } : {}
    const source = isVariable ? variableSource(key, value) : `${key} of ${path}`
    return {
      ...own,
      ...parts,
      from: path,
      file: path,
      source,
      isSecret: looksSecret(key, value),
    }
  }
  const parts = partsOf(written ?? `\${${key}}`, project.variables)
  const names = [...new Set(parts.flatMap(({ variable = [] }) => variable))]
  if (names.length === 0) {
    const isSecret = variablesOfText(written ?? '').length === 0 && looksSecret(key, value)
    return { ...own, from: undefined, file: composeFile, isSecret }
  }
  const isSet = names.some((name) => project.variables.has(name))
  const from = names.map((name) => `\${${name}}`).join(', ')
  const file = project.dotenvFiles.findLast(({ values }) => names.some((n) => values.has(n)))?.path
  const whole = wholeVariable(parts)
  return {
    ...own,
    parts,
    file: file ?? composeFile,
    from: `environment: ${isSet ? '' : 'default of '}${from}`,
    isSecret: looksSecret(key, value) || (whole !== undefined && looksSecret(whole, value)),
    ...(whole !== undefined && { source: variableSource(whole, value) }),
  }
}

export const variablesOf = ({ parts = [] }: { readonly parts?: readonly TextPart[] }): string[] => [
  ...new Set(parts.flatMap(({ variable = [] }) => variable)),
]
