// secrets export: prints values of a project, for people with the right. Always audited.
import { openClient } from '../connect/client.ts'
import type { Command } from '../options.ts'
import type { SecretValue } from '../../src/generated/rest-types.ts'
import { CliError, usageError } from '../errors.ts'
import { renderDotenv } from '../formats/dotenv.ts'
import { makeEnvironment, steeredBy } from '../run/environment.ts'
import { toYaml } from '../output/yaml.ts'
import { note, outBytes } from '../print.ts'
import { shownOf, type SecretInput } from '../../src/kinds/secret/rest-fields.ts'
import { secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import {
  chosenProject,
  readStoredSecrets,
  requireViewer,
  type StoredSecrets,
} from '../objects/secret-identity.ts'
import { requireService } from './service.ts'
import { revealAll, revealedText } from './reveal.ts'

interface ExportFlags extends SecretFlags {
  readonly format: string
  readonly service?: string
  readonly asWritten?: boolean
}

export const exportCommand = (): Command =>
  secretCommand('export', 'Print the values of a project; only for those who may read them.', [
    'stagely secrets export --project shop --service backend > .env',
    'eval "$(stagely secrets export --project shop --service backend --format shell)"',
    'stagely secrets export --project shop --format json | stagely secrets import - --format json --project copy',
  ])
    .option(
      '--service <name>',
      'only what this service sees, or with "global" every one: for each key the one value',
    )
    .option('--format <format>', 'dotenv, shell, json or yaml', 'dotenv')
    .option(
      '--as-written',
      'with json or yaml: ${KEY} and valueFrom as they are, not the values that they stand for',
    )
    .action(exportSecrets)

const exportSecrets = async (flags: ExportFlags): Promise<void> => {
  const render = renderers[flags.format]
  if (render === undefined) {
    throw usageError(`--format ${flags.format} is not known; use dotenv, shell, json or yaml`)
  }
  const { service, scope, stagelet, environment: environments = [], asWritten = false } = flags
  const [environment, ...others] = environments
  if (others.length > 0)
    throw usageError('--environment names one here: values are shown as in this environment')
  if (asWritten && flags.format !== 'json' && flags.format !== 'yaml') {
    throw usageError('--as-written goes with --format json or yaml: the others hold values only')
  }
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  await requireViewer(api, project, { stagelet, environment })
  if (service !== undefined) await requireService(api, { project, stagelet }, service)
  const stored = await readStoredSecrets(api)
  const query = {
    service,
    scope,
    stagelet,
    environment,
    as_written: asWritten,
    way: 'export',
  } as const
  const secrets = await revealAll(rest, project, query)
  outBytes(Buffer.from(render(secrets, { project, stored, asWritten })))
}

interface Source {
  readonly project: string
  readonly stored: StoredSecrets
  readonly asWritten: boolean
}

type Render = (secrets: readonly SecretValue[], source: Source) => string

const renderers: Record<string, Render> = {
  dotenv: (secrets) => renderDotenv(flat(secrets)),
  shell: (secrets) => {
    const entries = flat(secrets)
    const odd = entries.find(({ key }) => !isShellName(key))
    if (odd !== undefined) {
      throw new CliError(`${odd.key} is no name of a shell variable: use --format dotenv or json`)
    }
    return renderShell(entries)
  },
  json: (...given) => `${JSON.stringify(whole(...given), null, 4)}\n`,
  yaml: (...given) => toYaml(whole(...given)),
}

/** The environment: one text for each key; when a key has several values, the person must choose. */
const flat = (secrets: readonly SecretValue[]): { key: string; value: string }[] => {
  const values = new Map<string, string>()
  for (const secret of secrets) {
    const value = revealedText(secret)
    if (secret.type === 'file' || value === undefined) {
      throw new CliError(`${secret.key} is no environment variable: use --format json or yaml`)
    }
    if (values.has(secret.key)) {
      throw new CliError(
        `${secret.key} has several values: say which with --service or --scope, or use --format json`,
      )
    }
    values.set(secret.key, value)
  }
  const made = makeEnvironment([...values].map(([name, value]) => ({ name, value })))
  made.warnings.forEach(note)
  return made.variables.map(({ name, value }) => ({ key: name, value }))
}

/** Everything that an import needs to make the same secrets again. */
const whole = (secrets: readonly SecretValue[], { project, stored, asWritten }: Source): object => {
  const made = secrets.map((secret): { secret: SecretValue; fields: SecretInput } => {
    const { key, scope, type, stagelet, environments } = secret
    const object = stored.find({ project, key, scope, stagelet, environments })
    const fields = object === undefined ? {} : shownOf({ ...object.spec })
    return { secret, fields: { key, scope, type, ...fields } }
  })
  const steering = [...new Set(secrets.map(({ key }) => key))].filter((key) => steeredBy(key))
  if (steering.length > 0)
    note(`Warning: for an import, and not for the environment of a program: ${steering.join(', ')}`)
  const finished = made.filter(({ fields }) => isMade(fields)).length
  if (finished > 0 && !asWritten) {
    const are = finished === 1 ? '1 secret is' : `${finished} secrets are`
    note(`${are} made from others or generated: written as values; --as-written keeps the way`)
  }
  return {
    secrets: made.map(({ secret, fields }) =>
      asWritten && fields['value_from'] !== undefined
        ? fields
        : { ...(asWritten ? fields : asValue(fields)), ...valueOf(secret) },
    ),
  }
}

const isMade = ({ references, value_from: from }: SecretInput): boolean =>
  references === true || from !== undefined

/** The finished value is no template: a `${` in it is literal. */
const asValue = ({ value_from: _from, references, ...fields }: SecretInput): SecretInput =>
  references === true ? { ...fields, references: false } : fields

const valueOf = ({ value = '', value_base64: base64 }: SecretValue): SecretInput =>
  base64 === undefined ? { value } : { value_base64: base64 }

/** Between single quotes a shell takes every byte literally, except the quote. */
const renderShell = (entries: readonly { key: string; value: string }[]): string =>
  entries.map(({ key, value }) => `export ${key}='${value.replaceAll("'", `'\\''`)}'\n`).join('')

/** True for a valid name of a shell variable. */
const isShellName = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)
