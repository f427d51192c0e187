// secrets generate, secrets rotate: values that the controller makes and nobody has to see.
import { openClient } from '../connect/client.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { charsets, keypairs, type GenerateSpec } from '../../src/kinds/secret/value-source.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { mergePatch, pathOf, type KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { noteHeaders, waitOf, type Command, type WaitFlags } from '../options.ts'
import { out } from '../print.ts'
import { confirmNew } from '../apply/reach.ts'
import { stageletNames, stageletsOfProject, waitForSync } from '../wait/wait-in-sync.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import {
  chosenProject,
  identityOf,
  newSecret,
  readStoredSecrets,
  requireKnown,
  type SecretIdentity,
} from '../objects/secret-identity.ts'

interface Flags extends SecretFlags, WaitFlags {
  readonly note?: string
}

interface GenerateFlags extends Flags {
  readonly length?: number
  readonly charset?: GenerateSpec['charset']
  readonly keypair?: GenerateSpec['keypair']
  readonly replace?: boolean
  readonly yes?: boolean
}

const kind = servedKind('StagelySecret')
const waits = 'the containers that see it run it'

export const generateCommand = (): Command =>
  secretCommand('generate -m', 'Let the controller generate the value of a secret.', [
    'stagely secrets generate SESSION_KEY --project shop --scope backend',
    'stagely secrets generate PIN --project shop --length 8 --charset digits',
    'stagely secrets generate SIGNING_KEY --project shop --keypair ed25519 --wait',
  ])
    .waiting(waits)
    .argument('<key>', 'variable name, such as SESSION_KEY')
    .option('--length <number>', 'characters, 1 to 4096 (default: 32)', parseNumber)
    .choice('--charset <charset>', 'characters to choose from (default: alphanumeric)', charsets)
    .choice('--keypair <kind>', 'a private key as PKCS#8 PEM in place of a text', keypairs)
    .option('--replace', 'also where the secret has a value that somebody wrote')
    .option('-y, --yes', 'do not ask where the key was kept to fewer services')
    .action(generate)

export const rotateCommand = (): Command =>
  secretCommand('rotate -m', 'Generate a new value for a secret whose value is generated.', [
    'stagely secrets rotate SESSION_KEY --project shop --scope backend --wait',
    'stagely secrets rotate SESSION_KEY --project shop --scope backend -m "INC-42: it leaked"',
  ])
    .waiting(waits)
    .argument('<key>', 'variable name, such as SESSION_KEY')
    .action(rotateGenerated)

const generate = async (key: string, flags: GenerateFlags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  const identity = await identityIn(api, key, flags)
  const { length, charset, keypair } = flags
  const valueFrom = { generate: defined({ length, charset, keypair }) }
  const stored = await readStoredSecrets(api)
  const before = stored.find(identity)
  const headers = noteHeaders(flags)
  if (before === undefined) {
    const body = newSecret(identity, stored.hasName, { valueFrom })
    const isScopeSaid = flags.scope !== undefined
    await confirmNew(api, { object: body, identity, stored, isScopeSaid, yes: flags.yes })
    const made = await api.call(pathOf(kind, api.namespace), { method: 'POST', body, headers })
    out(`${fullName(kind, (made as KubeObject).metadata.name)} created`)
  } else {
    if (generatedOf(before) !== undefined)
      throw new CliError(
        `the value of ${key} is generated already: "stagely secrets rotate ${key}" makes a new one`,
      )
    if (flags.replace !== true)
      throw new CliError(
        `${key} has a value that was not generated: give --replace to generate a new one ("stagely secrets rollback ${key}" brings the former back)`,
      )
    const others = { secretRef: null, kubernetesSecret: null, rotation: null, external: null }
    const instead = { ...valueFrom, ...others }
    await patch(api, before, { value: null, valueFrom: instead }, headers)
    out(`${fullName(kind, before.metadata.name)} configured`)
  }
  await waitIn(api, identity, timeoutMs)
}

/** Makes a new value for a secret whose value is generated. */
export const rotateGenerated = async (key: string, flags: Flags): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api } = await openClient(flags)
  const identity = await identityIn(api, key, flags)
  const before = await requireKnown(api, identity)
  const generated = generatedOf(before)
  if (generated === undefined)
    throw new CliError(
      `the value of ${key} is not generated: give it a new one with "stagely secrets set ${key}", or let the controller make it with "stagely secrets generate ${key} --replace"`,
    )
  const generation = (generated.generation ?? 0) + 1
  await patch(api, before, { valueFrom: { generate: { generation } } }, noteHeaders(flags))
  out(`${fullName(kind, before.metadata.name)} rotated`)
  await waitIn(api, identity, timeoutMs)
}

const identityIn = async (api: KubeApi, key: string, flags: SecretFlags): Promise<SecretIdentity> =>
  identityOf(await chosenProject(api, flags.project), key, flags)

const generatedOf = (secret: KubeObject): GenerateSpec | undefined =>
  specOf('StagelySecret', secret).valueFrom?.generate

const patch = (
  api: KubeApi,
  { metadata: { name } }: KubeObject,
  spec: object,
  headers: Record<string, string>,
): Promise<unknown> =>
  api.call(pathOf(kind, api.namespace, name), {
    method: 'PATCH',
    body: { spec },
    headers,
    contentType: mergePatch,
  })

const waitIn = async (
  api: KubeApi,
  identity: SecretIdentity,
  timeoutMs: number | undefined,
): Promise<void> => {
  if (timeoutMs === undefined) return
  await waitForSync(
    api,
    stageletNames(await stageletsOfProject(api, identity.project, identity)),
    timeoutMs,
  )
}
