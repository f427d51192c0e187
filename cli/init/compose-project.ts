// Reads an existing Compose project through Compose. An additional file on stdin makes Compose print
// the content of each env file and the value of each variable.
import { relative, resolve } from 'node:path'
import { chosenFiles } from '../../src/compose/files.ts'
import { undoubled } from '../../src/compose/config-output.ts'
import { openCompose, type Compose } from '../../src/compose/compose.ts'
import type { Environment } from '../../src/compose/environment.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isRecord } from '../../src/kernel/record.ts'
import { CliError } from '../errors.ts'
import type { StackSource } from '../migrate/environment.ts'
import { readAsWritten, type RawServices } from './as-written.ts'
import {
  fieldTexts,
  hostsOf,
  usesOf,
  variablesIn,
  type FieldText,
  type ServiceDeclaration,
  type ServiceUses,
} from './service-uses.ts'

interface ProjectRequest {
  /** Absolute. */
  readonly directory: string
  readonly files: readonly string[] | undefined
  readonly envFiles: readonly string[] | undefined
  readonly profiles: readonly string[] | undefined
  readonly projectName: string | undefined
  readonly env: Environment
  /** Variables of another tool. They count more than those of files, as in Compose. */
  readonly source?: StackSource | undefined
}

export interface ComposeService extends ServiceUses {
  readonly name: string
  /** True when a plain `up` with the chosen profiles starts it. */
  readonly enabled: boolean
  /** Environment of its containers, with all files and variables resolved. */
  readonly environment: ReadonlyMap<string, string>
  readonly image?: string
  /** The names by which other services reach it. */
  readonly hosts: readonly string[]
  /** Services that it depends on. */
  readonly dependsOn: readonly string[]
  /** Those among them after whose re-creation it is restarted (`restart: true`). */
  readonly restartsAfter: readonly string[]
}

/** A file of variables; the path is relative to the project's folder. */
interface VariableFile {
  readonly path: string
  readonly values: ReadonlyMap<string, string>
}

export interface ComposeProject {
  readonly name: string
  readonly directory: string
  /** Compose files, relative to the folder. */
  readonly files: readonly string[]
  /** Sorted by name; includes services of inactive profiles. */
  readonly services: readonly ComposeService[]
  /** Values of the `${VAR}` that are set. */
  readonly variables: ReadonlyMap<string, string>
  /** Files for `${VAR}`: `.env`, unless other files were given. Then the source, by its name in place of a path. */
  readonly dotenvFiles: readonly VariableFile[]
  /** The `env_file`s of services. */
  readonly envFiles: readonly VariableFile[]
  /** Every text outside of services, before interpolation. */
  readonly texts: readonly FieldText[]
  /** Top-level `secrets:` with files, relative to the folder. */
  readonly secretFiles: readonly { readonly name: string; readonly path: string }[]
}

interface RawProject {
  readonly name?: string
  readonly services?: RawServices
  readonly secrets?: Readonly<Record<string, { readonly file?: string }>>
  readonly 'x-stagely-probe'?: {
    readonly set?: Readonly<Record<string, string>>
    readonly values?: Readonly<Record<string, string>>
    readonly texts?: readonly string[]
  }
}

/** CliError with Compose's message when Compose refuses the files. */
export const readComposeProject = async (asked: ProjectRequest): Promise<ComposeProject> => {
  const { directory, files: given, envFiles, source } = asked
  const request = {
    ...asked,
    env: { ...Object.fromEntries(source?.variables ?? []), ...asked.env },
  }
  const files = await chosenFiles({
    directory,
    ...defined({ files: given && [...given], envFiles: envFiles && [...envFiles] }),
  })
  if (files.length === 0) {
    throw new CliError(`no compose file in ${directory}: name it with --file, or another folder`)
  }
  const compose = await openCompose(request.env)
  const ask = asker(compose, request, files)
  const enabled = await ask([], ['--services']).catch(tellRefused)
  const { services: written = {}, ...others } = await askAsWritten(ask, { directory, files })
  const texts = fieldTexts(others)
  const probe = probeOf(
    variablesIn(written, texts),
    written,
    (envFiles ?? ['.env']).map((file) => resolve(directory, file)),
  )
  const flags = ['--profile', '*', '-f', '-']
  const answer = parseProject(
    undoubled(
      await ask(flags, ['--format', 'json'], JSON.stringify(probe.override)).catch(tellRefused),
    ),
  )
  const fileOf = (path: string, service: string): VariableFile => ({
    path: relative(directory, path) || path,
    values: environmentOf(answer.services?.[service]),
  })
  return {
    name: answer.name ?? '',
    directory,
    files: files.map((file) => relative(directory, resolve(directory, file))),
    services: Object.keys(answer.services ?? {})
      .filter((name) => !name.startsWith(probePrefix))
      .map((name) => ({
        name,
        enabled: enabled.split('\n').includes(name),
        environment: environmentOf(answer.services?.[name]),
        hosts: hostsOf(name, answer.services?.[name]),
        ...defined({ image: textOf(answer.services?.[name]?.image) }),
        dependsOn: Object.keys(answer.services?.[name]?.depends_on ?? {}),
        restartsAfter: restartsAfter(answer.services?.[name]),
        ...usesOf(written[name] ?? {}, (path) => relative(directory, path) || path),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    variables: variablesOf(answer),
    texts,
    dotenvFiles: [
      ...probe.dotenv.map(([path, service]) => fileOf(path, service)),
      ...(source === undefined ? [] : [{ path: source.name, values: source.variables }]),
    ],
    envFiles: probe.envFiles.map(([path, service]) => fileOf(path, service)),
    secretFiles: Object.entries(answer.secrets ?? {}).flatMap(([name, { file }]) =>
      file === undefined ? [] : [{ name, path: relative(directory, file) || file }],
    ),
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

const restartsAfter = ({ depends_on: all }: ServiceDeclaration = {}): string[] =>
  Object.entries(isRecord(all) ? all : {}).flatMap(([name, source]) =>
    isRecord(source) && source['restart'] === true ? name : [],
  )

type Ask = (flags: readonly string[], verb: readonly string[], stdin?: string) => Promise<string>

const asker =
  (compose: Compose, request: ProjectRequest, files: readonly string[]): Ask =>
  async (flags, verb, stdin) => {
    const base = [
      '--ansi',
      'never',
      ...(request.projectName === undefined ? [] : ['-p', request.projectName]),
      ...(request.envFiles ?? []).flatMap((file) => ['--env-file', file]),
      ...(request.profiles ?? []).flatMap((profile) => ['--profile', profile]),
      ...files.flatMap((file) => ['-f', file]),
    ]
    const { stdout } = await compose.run({
      flags: [...base, ...flags],
      verb: ['config', ...verb],
      cwd: request.directory,
      env: request.env,
      mask: withoutValues,
      ...defined({ stdin }),
    })
    return stdout
  }

/** Compose's own description, or the parsed files when a variable prevents one. */
const askAsWritten = async (
  ask: Ask,
  files: { readonly directory: string; readonly files: readonly string[] },
): Promise<RawProject> => {
  try {
    return parseProject(await ask(['--profile', '*'], ['--no-interpolate', '--format', 'json']))
  } catch {
    const paths = { paths: files.files, root: files.directory }
    return { services: await readAsWritten(paths, filler(ask)) }
  }
}

/** Compose interpolates variables in every field, also in extension fields. */
const filler =
  (ask: Ask) =>
  async (texts: readonly string[]): Promise<readonly string[]> => {
    if (!texts.some((text) => text.includes('$'))) return texts
    const probe = JSON.stringify({ 'x-stagely-probe': { texts } })
    const answer = await ask(['-f', '-'], ['--format', 'json'], probe).catch(tellRefused)
    return parseProject(undoubled(answer))['x-stagely-probe']?.texts ?? texts
  }

const said = (error: unknown): string => (error instanceof Error ? error.message : '')

const tellRefused = (error: unknown): never => {
  throw new CliError(`Compose does not accept the project: ${said(error)}`, 1, error)
}

/** Compose quotes a broken interpolation completely, and it may hold a value. */
const withoutValues = (stderr: string): string =>
  stderr.replace(/(invalid interpolation format for [^\s:]+)[^]*/g, '$1')

/** The parser's message would quote the user's files. */
const parseProject = (stdout: string): RawProject => {
  try {
    return JSON.parse(stdout) as RawProject
  } catch {
    throw new CliError('Compose described the project in no JSON that is whole')
  }
}

interface Probe {
  readonly override: object
  /** Each path, with the service of the probe that reads it. */
  readonly dotenv: readonly (readonly [string, string])[]
  readonly envFiles: readonly (readonly [string, string])[]
}

const probePrefix = 'stagely-probe-'

/** An override with a service for each env file, and a field for each `${VAR}`. */
const probeOf = (
  names: readonly string[],
  written: RawServices,
  dotenvPaths: readonly string[],
): Probe => {
  const entries = new Map<string, object>()
  for (const service of Object.values(written)) {
    for (const entry of usesOf(service, (path) => path).envFileEntries) {
      entries.set(entry.path, { ...entry, required: false })
    }
  }
  const dotenv = dotenvPaths.map((path, i) => [path, `${probePrefix}dotenv-${i}`] as const)
  const envFiles = [...entries.keys()].map((path, i) => [path, `${probePrefix}file-${i}`] as const)
  const service = (entry: object): object => ({ image: 'scratch', env_file: [entry] })
  const each = (text: (name: string) => string): object =>
    Object.fromEntries(names.map((name) => [name, text(name)]))
  return {
    dotenv,
    envFiles,
    override: {
      services: Object.fromEntries([
        ...dotenv.map(([path, name]) => [name, service({ path, required: false })]),
        ...envFiles.map(([path, name]) => [name, service(entries.get(path) ?? {})]),
      ]) as object,
      'x-stagely-probe': {
        set: each((name) => `\${${name}+set}`),
        values: each((name) => `\${${name}-}`),
      },
    },
  }
}

const environmentOf = (service: ServiceDeclaration | undefined): Map<string, string> => {
  const environment = (service?.environment ?? {}) as Record<string, string | number | null>
  return new Map(
    Object.entries(environment).flatMap(([key, value]) =>
      value === null ? [] : [[key, String(value)] as const],
    ),
  )
}

const variablesOf = (answer: RawProject): Map<string, string> => {
  const { set = {}, values = {} } = answer['x-stagely-probe'] ?? {}
  return new Map(
    Object.entries(values).flatMap(([name, value]) =>
      set[name] === 'set' ? [[name, value] as const] : [],
    ),
  )
}
