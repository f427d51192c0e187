// Which variables and env files a service uses, and where. The input is Compose's description without
// interpolation (`config --no-interpolate --format json`).
import { isRecord } from '../../src/kernel/record.ts'
import { textsIn, variablesOfText } from '../../src/compose/variables.ts'

interface EnvFileEntry {
  readonly path: string
  readonly required?: boolean
  readonly format?: string
}

export interface ServiceDeclaration {
  readonly environment?:
    Readonly<Record<string, string | number | boolean | null>> | readonly string[]
  /** A text or a list of texts before Compose 2.24. */
  readonly env_file?: string | readonly (string | EnvFileEntry)[]
  /** Normalized by Compose: a map by service. */
  readonly depends_on?: unknown
  readonly network_mode?: unknown
  readonly ipc?: unknown
  readonly pid?: unknown
  readonly [field: string]: unknown
}

/** A text of a field, such as `command` of a service or the top-level `configs`. */
export interface FieldText {
  readonly field: string
  readonly text: string
}

/** Every text of these fields. Compose reads no extension (`x-…`). */
export const fieldTexts = (fields: Readonly<Record<string, unknown>>): FieldText[] =>
  Object.entries(fields).flatMap(([field, value]) =>
    field.startsWith('x-') ? [] : [...textsIn(value)].map((text) => ({ field, text })),
  )

export interface ServiceUses {
  /**
   * Its `environment`: the text before interpolation; null when a variable of the same name is passed
   * on.
   */
  readonly written: ReadonlyMap<string, string | null>
  readonly envFileEntries: readonly EnvFileEntry[]
  /** Every text outside of `environment`, before interpolation. */
  readonly texts: readonly FieldText[]
  /** Services whose container it shares a namespace or volumes with: it is re-created with them. */
  readonly sharesWith: readonly string[]
}

/** Every variable that the files use, sorted. */
export const variablesIn = (
  services: Readonly<Record<string, ServiceDeclaration>>,
  others: readonly FieldText[],
): string[] => {
  const names = new Set(others.flatMap(({ text }) => variablesOfText(text)))
  for (const text of textsIn(services)) for (const name of variablesOfText(text)) names.add(name)
  for (const service of Object.values(services)) {
    for (const [key, text] of writtenOf(service)) if (text === null) names.add(key)
  }
  return [...names].filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)).sort()
}

/** A service's `environment`: the text of each key, null for a key alone. */
export const writtenOf = ({ environment = {} }: ServiceDeclaration): Map<string, string | null> =>
  Array.isArray(environment)
    ? new Map(
        (environment as string[]).map((item) => {
          const at = item.indexOf('=')
          return at < 0 ? [item, null] : [item.slice(0, at), item.slice(at + 1)]
        }),
      )
    : new Map(
        Object.entries(environment).map(([key, value]) => [
          key,
          value === null ? null : String(value),
        ]),
      )

export const declaredEnvFiles = ({ env_file: files = [] }: ServiceDeclaration): EnvFileEntry[] =>
  (typeof files === 'string' ? [files] : files).map((file) =>
    typeof file === 'string' ? { path: file } : file,
  )

/** The names by which other services reach it. */
export const hostsOf = (
  name: string,
  { container_name: container, hostname, networks }: ServiceDeclaration = {},
): string[] => {
  const aliases = Object.values(isRecord(networks) ? networks : {}).flatMap((network) =>
    isRecord(network) && Array.isArray(network['aliases']) ? (network['aliases'] as unknown[]) : [],
  )
  const names = [name, container, hostname, ...aliases]
  return [...new Set(names.filter((each) => typeof each === 'string'))]
}

export const usesOf = (
  service: ServiceDeclaration,
  shown: (path: string) => string,
): ServiceUses => {
  const { environment: _, ...others } = service
  const modes = [service.network_mode, service.ipc, service.pid]
  return {
    written: writtenOf(service),
    envFileEntries: declaredEnvFiles(service).map((entry) => ({
      ...entry,
      path: shown(entry.path),
    })),
    texts: fieldTexts(others),
    sharesWith: modes.flatMap((mode) =>
      typeof mode === 'string' && mode.startsWith('service:') ? [mode.slice(8)] : [],
    ),
  }
}
