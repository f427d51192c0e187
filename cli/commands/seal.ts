// seal: seals a value for a manifest in Git. Only the controller can open it, and only in its one
// place.
import { openClient } from '../connect/client.ts'
import type { SealingKey } from '../../src/generated/rest-types.ts'
import { Option } from 'commander'
import {
  parseSealingFile,
  parseSealingKey,
  renderSealingFile,
  sealValue,
} from '../../src/protocol/sealed-value.ts'
import { defined } from '../../src/kernel/defined.ts'
import { checkValue } from '../../src/kinds/secret/value.ts'
import { notForController } from '../../src/kinds/secret/cel.ts'
import { audiences, type SecretSpec } from '../../src/kinds/secret/schema.ts'
import { findEndpoint } from '../connect/connect.ts'
import { CliError, usageError } from '../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { out } from '../print.ts'
import { type RestClient } from '../connect/rest.ts'
import { parseNames } from '../objects/secret-flags.ts'
import { identityOf, nameFor, type SecretIdentity } from '../objects/secret-identity.ts'
import { readValueFile, readGivenValue, refuseArgv, type ValueFlags } from '../secrets/values.ts'
import { everyService, isForAll, stageletIn } from '../../src/secrets/place.ts'

interface SealFlags extends CommonFlags, ValueFlags {
  readonly project?: string
  readonly scope: string
  readonly stagelet?: string
  readonly environment?: readonly string[]
  readonly audience?: 'Services' | 'Controller'
  readonly file?: string
  readonly keyFile?: string
  readonly fetchKey?: boolean
  readonly value?: string
}

export const command = (): Command =>
  newCommand('seal', 'Encrypt a value for a manifest in Git: only the controller can decrypt it.', [
    'stagely seal --fetch-key -n team-a > sealing.pub   # once; it is not a secret',
    'stagely seal DB_URL --project shop --scope backend --key-file sealing.pub < url.txt',
    'stagely seal DB_URL -n team-a --project shop -o yaml < url.txt > db-url.yaml',
    'stagely seal TLS_KEY --project shop --file ./certs/tls.key --from-file tls.key -o yaml',
  ])
    .argument('[key]', 'variable name, such as DATABASE_URL')
    .option('-p, --project <name>', 'project of the secret')
    .option('-s, --scope <scope>', '"global" or one service', everyService)
    .option('--stagelet <name>', 'for a secret of just this stagelet')
    .option('--environment <names>', 'for a secret of just these environments', parseNames)
    .choice(
      '--audience <audience>',
      'Controller: for a secret that no service and no agent ever sees',
      audiences,
    )
    .option(
      '--file <path>',
      'with -o: a secret of type file, at this path of the compose directory',
    )
    .option('--from-file <file>', 'read the value from a file, byte for byte')
    .option('--keep-newline', 'keep the newline at the end of stdin; else one is dropped')
    .option('--key-file <file>', 'public key to seal with: nothing goes over the network')
    .option('--fetch-key', 'print the public key of the controller, and seal nothing')
    .addOption(new Option('--value <value>').hideHelp())
    .choice('-o, --output <format>', 'a whole StagelySecret as json or yaml', ['json', 'yaml'])
    .addHelpText(
      'after',
      `
What is sealed opens for exactly this namespace, project, key, scope, stagelet, environments and audience: copied anywhere
else, the controller refuses it. A new sealing key leaves what old ones sealed valid.`,
    )
    .action(seal)

const seal = async (key: string | undefined, flags: SealFlags): Promise<void> => {
  if (flags.fetchKey === true) {
    if (key !== undefined || flags.keyFile !== undefined)
      throw usageError('--fetch-key seals nothing: give no KEY and no --key-file with it')
    const { namespace, publicKey, uid } = await fetchKey((await openClient(flags)).rest)
    const uids = new Map(uid === undefined ? [] : [[namespace, uid]])
    out(renderSealingFile({ publicKey, uids }))
    return
  }
  if (key === undefined) throw usageError('name the KEY of the secret, or use --fetch-key')
  refuseArgv(key, flags.value)
  const { project, scope, stagelet } = flags
  if (project === undefined) throw usageError('say which project with --project')
  if (
    flags.audience === 'Controller' &&
    (!isForAll({ scope }) || (stagelet ?? flags.environment ?? flags.file))
  )
    throw usageError(
      `${notForController}: give no --scope, --stagelet, --environment or --file with it`,
    )
  if (flags.file !== undefined && flags.output === undefined)
    throw usageError('--file is for the manifest that -o yaml prints')
  const { namespace, publicKey, uid: namespaceUid } = await findKey(flags)
  const identity = identityOf(project, key, flags)
  const value = await readGivenValue(key, flags)
  const type = flags.file === undefined ? 'env' : 'file'
  // With a bare sealed value the type is unknown: a file secret may hold any bytes.
  const faults = flags.output === undefined ? [] : checkValue({ type, key }, value)
  if (faults.length > 0) throw new CliError(faults.map(({ message }) => message).join('; '))
  const whose = whoseOf(flags, identity)
  const place = { namespace, namespaceUid, ...identity, stagelet: stageletIn(whose) }
  const sealedValue = sealValue(publicKey, place, value)
  const { output, file } = flags
  const more = { ...whose, sealedValue, file }
  const manifest = manifestOf(namespace, identity, more)
  await printAs(manifest, output, () => sealedValue)
}

interface KeyOfNamespace {
  readonly namespace: string
  readonly publicKey: Buffer
  /** Uid of the namespace; undefined when it is not known. */
  readonly uid: string | undefined
}

const fetchKey = async (rest: RestClient): Promise<KeyOfNamespace> => {
  const { namespace } = rest
  const { body } = await rest.call<SealingKey>('/sealing-key', { query: { namespace } })
  return { namespace, publicKey: parseSealingKey(body.public_key), uid: body.namespace_uid }
}

/** Offline no kubeconfig is read: the namespace is that of -n, the environment or the login. */
const findKey = async (flags: SealFlags): Promise<KeyOfNamespace> => {
  const { keyFile } = flags
  if (keyFile === '-') throw usageError('stdin is for the value: --key-file names a file')
  if (keyFile === undefined) return fetchKey((await openClient(flags)).rest)
  const namespace = flags.namespace ?? (await findEndpoint(flags.context))?.namespace ?? 'default'
  const { publicKey, uids } = parseSealingFile((await readValueFile(keyFile)).toString('utf8'))
  return { namespace, publicKey, uid: uids.get(namespace) }
}

type Whose = Pick<SecretSpec, 'audience' | 'stageletRef' | 'environments'>

const whoseOf = ({ audience }: SealFlags, { stagelet, environments }: SecretIdentity): Whose =>
  defined({
    audience,
    stageletRef: stagelet === undefined ? undefined : { name: stagelet },
    environments: environments && [...environments],
  })

const manifestOf = (
  namespace: string,
  identity: SecretIdentity,
  { sealedValue, file, ...whose }: Whose & { sealedValue: string; file: string | undefined },
): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: nameFor({ ...identity, ...whose }, () => false), namespace },
  spec: {
    projectRef: { name: identity.project },
    key: identity.key,
    scope: identity.scope,
    ...whose,
    ...(file !== undefined && { type: 'file', file: { path: file } }),
    sealedValue,
  },
})
