// secrets set: one value, without a manifest.
import { openClient } from '../connect/client.ts'
import { Option } from 'commander'
import { defined } from '../../src/kernel/defined.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { audiences, type visibilities } from '../../src/kinds/secret/schema.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { looksSecret } from '../../src/secrets/looks-secret.ts'
import { mergePatch, pathOf, type KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { noteHeaders, waitOf, type Command, type WaitFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { confirm } from '../prompt.ts'
import { renderDryRun } from '../apply/dry-run.ts'
import { confirmNew } from '../apply/reach.ts'
import { reviewObjects } from '../apply/review.ts'
import { stageletNames, stageletsOfProject, waitForSync } from '../wait/wait-in-sync.ts'
import { parseNumber, secretCommand, type SecretFlags } from '../objects/secret-flags.ts'
import { secretPath } from '../connect/rest.ts'
import { cutText, followersText, readLinks } from './follow.ts'
import {
  chosenProject,
  identityOf,
  newSecret,
  readStoredSecrets,
  refuseShared,
} from '../objects/secret-identity.ts'
import { readGivenValue, refuseArgv, valueAsField, type ValueFlags } from './values.ts'

type Audience = (typeof audiences)[number]

interface SetFlags extends SecretFlags, ValueFlags, WaitFlags {
  readonly value?: string
  readonly references?: boolean
  readonly detach?: boolean
  readonly plain?: boolean
  readonly audience?: Audience
  readonly file?: string
  readonly fileTarget?: string
  readonly expectVersion?: number
  readonly dryRun?: boolean
  readonly note?: string
  readonly yes?: boolean
}

export const setCommand = (): Command =>
  secretCommand('set -m', 'Set the value of one secret, from stdin, a file or a hidden prompt.', [
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend      # asks for it',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend < key.txt',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --dry-run < key.txt  # which services get new containers',
    'stagely secrets set TLS_KEY --project shop --from-file tls.key --wait',
    'stagely secrets set TLS_KEY --project shop --from-file tls.key --file ./certs/tls.key',
    'stagely secrets set DB_URL --project shop --stagelet staging < url.txt',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --environment production < key.txt',
    'echo debug | stagely secrets set LOG_LEVEL --project shop --plain',
    'stagely secrets set HOOK_KEY --project shop --audience Controller < hook.key',
    "echo 'postgres://app:${DB_PASSWORD}@db/app' | stagely secrets set DB_URL --project shop --references",
  ])
    .waiting('the containers that see it run it')
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .option('--from-file <file>', 'read the value from a file, byte for byte')
    .option('--keep-newline', 'keep the newline at the end of stdin; else one is dropped')
    .addOption(new Option('--value <value>').hideHelp())
    .option('--references', '${KEY} in the value is the value of another secret of the project')
    .option('--no-references', 'the value is plain text, also if it was a template')
    .option('--detach', 'give it a value of its own, although it follows other secrets until now')
    .option('--plain', 'the value is no secret: it is shown where its name is')
    .option('--no-plain', 'the value is masked, also if it was plain')
    .choice(
      '--audience <audience>',
      'who gets the value: Controller keeps it from every service and agent',
      audiences,
    )
    .option('--file <path>', 'deliver it as the file of this path in the Compose file')
    .option('--file-target <path>', 'deliver it as a file, at this path of the container')
    .option(
      '--expect-version <number>',
      'refuse unless the stored version is this one; 0: there is none',
      parseNumber,
    )
    .option('--dry-run', 'say what would change and whom it reaches; change nothing')
    .option(
      '-y, --yes',
      'do not ask where the key was kept to fewer services, or a plain value looks like a secret',
    )
    .action(set)

/** CliError where something else gives the value. */
export const refuseGiven = (key: string, before: KubeObject): void => {
  const { external, rotation, secretRef, generate } =
    specOf('StagelySecret', before).valueFrom ?? {}
  const why =
    external !== undefined
      ? `store "${external.store}" gives it: change "${external.key}" there`
      : rotation !== undefined
        ? `Rotation "${rotation.name}" makes it: "stagely rotation run ${rotation.name}" makes a new one`
        : secretRef !== undefined
          ? `it is that of secret "${secretRef.name}": set that one`
          : generate && `it is generated: "stagely secrets rotate ${key}" makes a new one`
  if (why !== undefined)
    throw new CliError(`nobody types the value of ${key} (spec.valueFrom): ${why}`)
}

/**
 * Which secrets follow it, as a text. CliError where something else gives the value, and where a text without a reference
 * takes the place of one that follows other secrets: it would follow no more.
 */
const followersOf = async (
  before: KubeObject,
  { references, value }: GivenValue,
  flags: SetFlags,
): Promise<string | undefined> => {
  refuseGiven(specOf('StagelySecret', before).key, before)
  const links = await readLinks((await openClient(flags)).rest, before)
  const follows = specOf('StagelySecret', before).references === true
  if (follows && references === undefined && value?.includes('${') !== true)
    throw new CliError(cutText(links, before, flags.namespace))
  return followersText(links)
}

const set = (key: string, flags: SetFlags): Promise<void> => {
  refuseArgv(key, flags.value)
  return writeSecret(key, flags, () => readGivenValue(key, flags))
}

/** Asks where the flags say too little; `readValue` is called before the controller is asked. */
export const writeSecret = async (
  key: string,
  flags: SetFlags,
  readValue: () => Promise<Buffer>,
): Promise<void> => {
  const timeoutMs = waitOf(flags)
  const { api, rest } = await openClient(flags)
  const project = await chosenProject(api, flags.project)
  const { audience, expectVersion, plain } = flags
  const references = flags.detach === true ? false : flags.references
  const value: GivenValue = {
    ...defined({ references, audience }),
    ...(plain !== undefined && { visibility: plain ? 'Plain' : 'Masked' }),
    ...fileOf(flags),
    ...valueAsField(await readValue()),
  }
  const identity = identityOf(project, key, flags)
  const headers = noteHeaders(flags)
  const kind = servedKind('StagelySecret')
  const stored = await readStoredSecrets(api)
  const before = stored.find(identity)
  const followers = before && (await followersOf(before, value, flags))
  if (before === undefined && (expectVersion ?? 0) > 0)
    throw new CliError(
      `version ${expectVersion ?? 0} of ${key} was expected, and there is no such secret`,
    )
  const sayFollowers = (): void => {
    if (followers !== undefined) note(followers)
  }
  if (flags.dryRun === true) {
    if (before === undefined) refuseShared(stored, identity)
    const object =
      before === undefined ? newSecret(identity, stored.hasName, value) : changed(before, value)
    if (await showWrite(api, object, { before, expectVersion })) sayFollowers()
    return
  }
  await confirmPlain(key, value, before, flags.yes)
  if (before === undefined) {
    const body = newSecret(identity, stored.hasName, value)
    const isScopeSaid = flags.scope !== undefined || audience === 'Controller'
    await confirmNew(api, { object: body, identity, stored, isScopeSaid, yes: flags.yes })
    const after = (await api.call(pathOf(kind, api.namespace), {
      method: 'POST',
      body,
      headers,
    })) as KubeObject
    out(`${fullName(kind, after.metadata.name)} created`)
  } else if (expectVersion !== undefined) {
    const { body } = await rest.call<{ version: number }>(
      secretPath(rest, project, before.metadata.name),
      {
        method: 'PATCH',
        body: { ...restFields(value), expected_version: expectVersion },
        headers,
      },
    )
    if (sayWritten(before, body.version)) sayFollowers()
  } else {
    const after = (await api.call(pathOf(kind, api.namespace, before.metadata.name), {
      method: 'PATCH',
      body: { spec: value },
      headers,
      contentType: mergePatch,
    })) as KubeObject
    if (sayWritten(before, versionOf(after))) sayFollowers()
  }
  if (timeoutMs === undefined) return
  await waitForSync(api, stageletNames(await stageletsOfProject(api, project, identity)), timeoutMs)
}

/** Asks where everybody would be shown what looks like a secret. */
const confirmPlain = async (
  key: string,
  { visibility, value }: GivenValue,
  before: KubeObject | undefined,
  yes: boolean | undefined,
): Promise<void> => {
  const stays = before && specOf('StagelySecret', before).visibility
  if ((visibility ?? stays) !== 'Plain' || value === undefined || !looksSecret(key, value)) return
  const question = `The value of ${key} looks like a secret. Show it to everybody who sees its name?`
  await confirm({ question }, yes)
}

const fileOf = ({ file: path, fileTarget: target }: SetFlags): Pick<GivenValue, 'type' | 'file'> =>
  path === undefined && target === undefined
    ? {}
    : { type: 'file', file: defined({ path, target }) }

interface GivenValue {
  readonly type?: 'file'
  readonly file?: { readonly path?: string; readonly target?: string }
  readonly visibility?: (typeof visibilities)[number]
  readonly references?: boolean
  readonly audience?: Audience
  readonly value?: string
  readonly valueBase64?: string
}

const restFields = ({ valueBase64, ...more }: GivenValue): object =>
  valueBase64 === undefined ? more : { ...more, value_base64: valueBase64 }

const versionOf = (secret: KubeObject): number => statusOf('StagelySecret', secret).version ?? 0

/** An equal value makes no version. True where there is a new one. */
const sayWritten = (before: KubeObject, version: number): boolean => {
  const isNew = version !== versionOf(before)
  const verdict = isNew ? 'configured' : 'unchanged'
  out(`${fullName(servedKind('StagelySecret'), before.metadata.name)} ${verdict}`)
  return isNew
}

/** The stored object with the given fields, to be reviewed. */
const changed = (before: KubeObject, value: GivenValue): KubeObject => {
  const { apiVersion, kind, spec, metadata } = before
  const { name, namespace, labels, annotations } = metadata
  return {
    apiVersion,
    kind,
    metadata: { name, ...defined({ namespace, labels, annotations }) },
    spec: { ...spec, ...value },
  }
}

/** Says what the write would do. True where the value would change. */
const showWrite = async (
  api: KubeApi,
  object: KubeObject,
  { before, expectVersion }: { before: KubeObject | undefined; expectVersion: number | undefined },
): Promise<boolean> => {
  const version = before === undefined ? 0 : versionOf(before)
  const { key } = specOf('StagelySecret', object)
  if (expectVersion !== undefined && expectVersion !== version)
    throw new CliError(`version ${expectVersion} of ${key} was expected, and ${version} is stored`)
  const review = await reviewObjects(api, [object])
  const faults = review.faults.map(({ field, message }) => `${field && `${field}: `}${message}`)
  if (faults.length > 0) throw new CliError(faults.join('\n'))
  // A review notes what was applied; this write does not.
  const changes = review.changes.map((change) =>
    change.action === 'Update' && !change.valueChanged && change.fields.length === 0
      ? { ...change, action: 'Unchanged' as const }
      : change,
  )
  out(renderDryRun({ ...review, changes }, [object]))
  return changes.some(({ valueChanged }) => valueChanged)
}
