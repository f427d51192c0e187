// secrets export: values out of a project, for those who may read them. Always in the audit.
import type { Command } from 'commander'
import { CliError, usageError } from '../errors.ts'
import { renderDotenv } from '../formats/dotenv.ts'
import { isShellName, renderShell } from '../formats/shell.ts'
import { openApi } from '../options.ts'
import { toYaml } from '../output.ts'
import { outBytes } from '../print.ts'
import { openRest } from '../rest.ts'
import type { SecretSpec } from '../../src/resources/stagelysecret.ts'
import { secretCommand, type SecretFlags } from './flags.ts'
import { projectOf, readKnownSecrets, specOf, type KnownSecrets } from './identity.ts'
import { revealAll, revealedText, type Revealed } from './reveal.ts'

interface ExportFlags extends SecretFlags {
  readonly format: string
  readonly service?: string
}

export const exportCommand = (): Command =>
  secretCommand('export', 'Print the values of a project; only for those who may read them.', [
    'stagely secrets export --project shop --service backend > .env',
    'eval "$(stagely secrets export --project shop --service backend --format shell)"',
    'stagely secrets export --project shop --format json | stagely secrets import - --format json --project copy',
  ])
    .option('--service <name>', 'only what this service sees: for each key the value that it gets')
    .option('--format <format>', 'dotenv, shell, json or yaml', 'dotenv')
    .action(exportSecrets)

const exportSecrets = async (flags: ExportFlags): Promise<void> => {
  const render = renderers[flags.format]
  if (render === undefined) {
    throw usageError(`--format ${flags.format} is not known; use dotenv, shell, json or yaml`)
  }
  const api = await openApi(flags)
  const project = await projectOf(api, flags.project)
  const known = await readKnownSecrets(api)
  const { service, scope, stagelet } = flags
  const query = { service, scope, stagelet, way: 'export' } as const
  const secrets = await revealAll(await openRest(flags), project, query)
  outBytes(Buffer.from(render(secrets, project, known)))
}

type Render = (secrets: readonly Revealed[], project: string, known: KnownSecrets) => string

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

/** One text for each key; where a key has several values, somebody must say which. */
const flat = (secrets: readonly Revealed[]): { key: string; value: string }[] => {
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
  return [...values].map(([key, value]) => ({ key, value }))
}

/** Everything that an import needs to make the same secrets again. */
const whole: (...given: Parameters<Render>) => object = (secrets, project, known) => ({
  secrets: secrets.map(({ key, scope, stagelet, type, value, value_base64: base64 }) => {
    const object = known.find({ project, key, scope, stagelet })
    const file: SecretSpec['file'] = object === undefined ? undefined : specOf(object).file
    return {
      key,
      scope,
      type,
      ...(stagelet === undefined ? {} : { stagelet }),
      ...(base64 === undefined ? { value: value ?? '' } : { value_base64: base64 }),
      ...(file?.path === undefined ? {} : { file_path: file.path }),
      ...(file?.mode === undefined ? {} : { file_permissions: file.mode }),
    }
  }),
})
