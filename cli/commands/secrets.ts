// secrets: list them, and set one without a manifest. A value comes from stdin or a file, never from
// the command line, which other users of the machine can read.
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { SecretSpec } from '../../src/resources/stagelysecret.ts'
import { asTable, mergePatch, pathOf } from '../api.ts'
import { CliError, usageError } from '../errors.ts'
import { fullName, kindOf } from '../kinds.ts'
import { listObjects } from '../objects.ts'
import { newCommand, openApi, parseWait, type CommonFlags } from '../options.ts'
import { note, out } from '../print.ts'
import { readStdin } from '../read-manifests.ts'
import { renderTable, type Table } from '../table.ts'
import { waitForStagelets } from '../wait-in-sync.ts'

export const command = (): Command => {
  const group = newCommand('secrets', 'List and set secrets.', [
    'stagely secrets list --project shop',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend < key.txt',
  ])
  group.addCommand(listCommand())
  group.addCommand(setCommand())
  return group
}

const listCommand = (): Command =>
  newCommand('list', 'List secrets: names and versions, never values.', [
    'stagely secrets list --project shop',
    'stagely secrets list --project shop --scope backend',
  ])
    .option('-p, --project <name>', 'only of this project')
    .option('-s, --scope <scope>', 'only of this scope')
    .action(list)

const list = async (flags: CommonFlags & { project?: string; scope?: string }): Promise<void> => {
  const api = await openApi(flags)
  const query = { includeObject: 'Object' }
  const table = (await api.call(pathOf(kindOf('StagelySecret'), api.namespace), {
    accept: asTable,
    query,
  })) as Table
  const rows = table.rows.filter(({ object }) => {
    const spec = object?.spec as SecretSpec | undefined
    if (flags.project !== undefined && spec?.projectRef.name !== flags.project) return false
    return flags.scope === undefined || spec?.scope === flags.scope
  })
  if (rows.length === 0) note(`No secrets found in ${api.namespace} namespace.`)
  else out(renderTable({ columnDefinitions: table.columnDefinitions, rows }))
}

interface SetFlags extends CommonFlags {
  readonly project: string
  readonly scope: string
  readonly stagelet?: string
  readonly fromFile?: string
  readonly keepNewline?: boolean
  readonly wait?: boolean | string
}

const setCommand = (): Command =>
  newCommand('set', 'Set the value of one secret, read from stdin or a file.', [
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend < key.txt',
    'stagely secrets set TLS_KEY --project shop --from-file tls.key --wait',
    'stagely secrets set DB_URL --project shop --stagelet staging < url.txt',
  ])
    .argument('<key>', 'variable name, such as DATABASE_URL')
    .requiredOption('-p, --project <name>', 'project that the secret belongs to')
    .option('-s, --scope <scope>', '"global" or one service', 'global')
    .option('--stagelet <name>', 'only for this stagelet, where it beats the project-wide one')
    .option('--from-file <file>', 'read the value from a file in place of stdin')
    .option('--keep-newline', 'keep the newline at the end of the value; else one is dropped')
    .option(
      '--wait [timeout]',
      'wait until the containers that see it run it (2m when no time is given)',
    )
    .action(set)

const set = async (key: string, flags: SetFlags): Promise<void> => {
  if (key.includes('='))
    throw usageError('the value does not belong on the command line; give it on stdin')
  const timeoutMs = parseWait(flags.wait, 120_000)
  const value = await readValue(flags)
  const api = await openApi(flags)
  const kind = kindOf('StagelySecret')
  const known = (await listObjects(api, kind, { namespace: api.namespace })).find((object) => {
    const spec = object.spec as unknown as SecretSpec
    const sameSet =
      spec.projectRef.name === flags.project && spec.stageletRef?.name === flags.stagelet
    return sameSet && spec.key === key && spec.scope === flags.scope
  })
  let after: KubeObject
  if (known === undefined) {
    const body = newSecret(key, flags, api.namespace, value)
    after = (await api.call(pathOf(kind, api.namespace), { method: 'POST', body })) as KubeObject
    out(`${fullName(kind, after.metadata.name)} created`)
  } else {
    const path = pathOf(kind, api.namespace, known.metadata.name)
    after = (await api.call(path, {
      method: 'PATCH',
      body: { spec: value },
      contentType: mergePatch,
    })) as KubeObject
    const moved = after.metadata.resourceVersion !== known.metadata.resourceVersion
    out(`${fullName(kind, after.metadata.name)} ${moved ? 'configured' : 'unchanged'}`)
  }
  if (timeoutMs === undefined) return
  const stagelets = (
    await listObjects(api, kindOf('Stagelet'), { namespace: api.namespace })
  ).filter(
    ({ spec }) =>
      (spec as { projectRef?: { name?: string } } | undefined)?.projectRef?.name === flags.project,
  )
  const names = stagelets.map(({ metadata }) => ({ namespace: api.namespace, name: metadata.name }))
  await waitForStagelets(api, names, timeoutMs)
}

/** Text where the bytes are UTF-8, else base64. */
const readValue = async ({
  fromFile,
  keepNewline,
}: SetFlags): Promise<{ value: string } | { valueBase64: string }> => {
  let bytes: Buffer
  if (fromFile !== undefined && fromFile !== '-') {
    try {
      bytes = await readFile(fromFile)
    } catch (error) {
      throw new CliError(
        `cannot read ${fromFile} (${(error as NodeJS.ErrnoException).code ?? 'failed'})`,
        1,
        error,
      )
    }
  } else {
    if (process.stdin.isTTY) note('Type the value, then Ctrl-D:')
    bytes = await readStdin()
    // `echo value |` adds a newline that nobody means.
    if (keepNewline !== true && bytes.at(-1) === 10)
      bytes = bytes.subarray(0, bytes.at(-2) === 13 ? -2 : -1)
  }
  try {
    return { value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { valueBase64: bytes.toString('base64') }
  }
}

/** The name that the API gives as well: key and scope in lower case, `_` as `-`. */
const newSecret = (
  key: string,
  { project, scope, stagelet }: SetFlags,
  namespace: string,
  value: object,
): object => {
  const parts = stagelet === undefined ? [key, scope] : [key, scope, stagelet]
  const name = parts.join('.').toLowerCase().replaceAll('_', '-').replace(/^-+/, '')
  return {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name, namespace },
    spec: {
      projectRef: { name: project },
      key,
      scope,
      ...(stagelet === undefined ? {} : { stageletRef: { name: stagelet } }),
      ...value,
    },
  }
}
