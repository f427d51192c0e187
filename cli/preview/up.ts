// preview up: makes a preview of the template of a project, or deploys it anew, and waits until it is healthy.
import { openClient } from '../connect/client.ts'
import { InvalidArgumentError, Option } from 'commander'
import { writeFile } from 'node:fs/promises'
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import { currentCondition } from '../../src/resources/conditions.ts'
import { previewStageletName } from '../../src/kinds/project/preview.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { deployOutcome, pending, type WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import { projectPath, stageletPath, type RestClient } from '../connect/rest.ts'
import { CliError, Exit } from '../errors.ts'
import { parseLifetime, waitOf, type Command, type WaitFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { hanging, note } from '../print.ts'
import { waitForSync } from '../wait/wait-in-sync.ts'
import { previewCommand, templateProject, type PreviewFlags } from './find.ts'
import { commentOf, toPreview, type Preview } from './preview.ts'

type Pairs = Readonly<Record<string, string>>

interface Flags extends PreviewFlags, WaitFlags {
  readonly ttl?: string
  readonly image?: Pairs
  readonly set?: Pairs
  readonly comment?: string
  readonly json?: boolean
}

/** `KEY=VALUE`, which may be given again. A message never repeats the value. */
const pairs =
  (example: string) =>
  (text: string, before: Pairs = {}): Pairs => {
    const at = text.indexOf('=')
    if (at < 1) throw new InvalidArgumentError(`use NAME=VALUE, such as ${example}.`)
    return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
  }

export const upCommand = (): Command =>
  previewCommand(
    'up -o=data',
    'Make a preview, or deploy it anew with other images and values, and wait until it is healthy. What is not given stays as it is.',
    [
      'stagely preview up pr-42 --from shop',
      'stagely preview up pr-42 --from shop --ttl 72h --image web=ghcr.io/acme/web@sha256:…',
      'stagely preview up pr-42 --from shop --set FEATURE_X=on --comment comment.md --json',
    ],
  )
    .waitingByDefault('it is healthy')
    .argument('<name>', 'name of the preview, such as pr-42')
    .option('--ttl <time>', 'how long it lives after its last deploy: 72h', parseLifetime)
    .option(
      '--image <service=image>',
      'another image for a service; may be given again',
      pairs('web=ghcr.io/acme/web:1.2'),
    )
    .option(
      '--set <key=value>',
      'a plain value that its services get as a variable, no secret; may be given again',
      pairs('FEATURE_X=on'),
    )
    .option(
      '--comment <file>',
      'write a comment for a pull request, as Markdown, also of a failure',
    )
    .addOption(new Option('--json', 'as -o json'))
    .action(up)

const up = async (name: string, flags: Flags): Promise<void> => {
  const until = realClock.monotonic() + (waitOf(flags) ?? flags.timeout)
  const { rest } = await openClient(flags)
  const project = await templateProject(rest, flags)
  const before = await putPreview(rest, { project, name }, flags, until)
  note(`preview ${name} is stagelet ${before.name} on agent ${before.agent}`)
  const why = waitOf(flags) === undefined ? undefined : await waitUntilHealthy(flags, before, until)
  const { body } = await rest.call<Stagelet>(stageletPath(before.team, before.name))
  const preview = withFault(toPreview(body), why)
  if (flags.comment !== undefined) await writeFile(flags.comment, commentOf(preview))
  const output = flags.json === true ? 'json' : flags.output
  await printAs(preview, output, () => describe(preview))
  if (why === undefined) return
  note(`${hanging(why)}\nIts containers and logs stay until it ends: stagely preview logs ${name}`)
  throw new Exit(1)
}

/** A wait that failed counts, also where the state has not followed yet. */
const withFault = (preview: Preview, why: string | undefined): Preview =>
  why === undefined ? preview : { ...preview, state: 'Failed', message: preview.message ?? why }

const describe = ({ name, state, addresses, ends_at: ends }: Preview): string =>
  [
    `preview/${name} ${state.toLowerCase()}${ends === undefined ? '' : `, ends at ${ends}`}`,
    ...addresses,
  ].join('\n')

/** The stagelet of the name, as it is now. */
const formerOf = async (
  rest: RestClient,
  project: string,
  name: string,
): Promise<Stagelet | undefined> => {
  try {
    const path = stageletPath(rest.namespace, previewStageletName(project, name))
    return (await rest.call<Stagelet>(path)).body
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** Where a former preview of this name is being taken down, it is awaited. */
const putPreview = async (
  rest: RestClient,
  { project, name }: { readonly project: string; readonly name: string },
  { ttl, image: images, set }: Flags,
  until: number,
): Promise<Stagelet> => {
  const path = `${projectPath(rest.namespace, project)}/previews/${encodeURIComponent(name)}`
  const put = async (): Promise<Stagelet> =>
    (await rest.call<Stagelet>(path, { method: 'PUT', body: defined({ ttl, images, set }) })).body
  let said = false
  for (;;) {
    try {
      return await put()
    } catch (error) {
      if (!isReason(error, 'Conflict') || realClock.monotonic() >= until) throw error
      const former = await formerOf(rest, project, name)
      // It may have gone since the answer: then one more try says what else is in the way.
      if (former === undefined) return await put()
      if (former.deleting_since === undefined) throw error
      if (!said) note(`waits for the former preview ${name}, which is being taken down`)
      said = true
      await realClock.sleep(500)
    }
  }
}

/** In sync, and ready. */
const healthyOutcome =
  (startedBefore: string) =>
  (object: KubeObject | undefined, project: KubeObject | undefined): WaitOutcome => {
    const end = deployOutcome(object, startedBefore, project)
    const ready = object && currentCondition(object, 'Ready')
    if (end.kind !== 'done' || ready?.status === 'True') return end
    return pending(ready === undefined ? 'is not judged yet' : `${ready.reason}: ${ready.message}`)
  }

/** Why it is not healthy; undefined where it is. */
const waitUntilHealthy = async (
  flags: Flags,
  { team: namespace, name, last_rollout: rollout }: Stagelet,
  until: number,
): Promise<string | undefined> => {
  const { api } = await openClient(flags)
  const left = Math.max(1_000, until - realClock.monotonic())
  try {
    const judge = healthyOutcome(rollout?.started_at ?? '')
    await waitForSync(api, [{ namespace, name }], left, { judgeOf: () => judge, quiet: true })
    return undefined
  } catch (error) {
    if (error instanceof CliError) return messageOf(error)
    throw error
  }
}
