// rollout status: follows a rollout to its end, with a line for each step.
import { openClient } from '../connect/client.ts'
import type { Rollout } from '../../src/generated/rest-types.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { isAbort, isReason, messageOf } from '../../src/kernel/errors.ts'
import { CliError, usageError } from '../errors.ts'
import { newCommand, timeoutOption, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { note, oneLine, out } from '../print.ts'
import { type RestClient } from '../connect/rest.ts'
import { renderColumns } from '../output/table.ts'
import { findRolloutTarget, readRollout, type RolloutTarget } from './target.ts'
import { judgeRollout, type RolloutVerdict } from './verdict.ts'

interface Flags extends CommonFlags {
  readonly watch?: boolean | string
  readonly timeout: number
}

const pollMs = 500

export const statusCommand = (): Command =>
  newCommand(
    'status -o',
    'Follow a rollout until it is done. Exit code 1 when it failed, stopped, or took too long.',
    [
      'stagely rollout status shop',
      'stagely rollout status stagelet/shop --timeout 5m',
      'stagely rollout status shop --watch=false     # how it stands now',
      'stagely rollout status shop -o wide',
    ],
  )
    .argument('<target...>', 'a project, or KIND/NAME: project/shop, stagelet/shop')
    .option('-w, --watch [bool]', 'wait for the end (default); --watch=false does not', true)
    .addOption(timeoutOption())
    .action(status)

const status = async (words: string[], flags: Flags): Promise<void> => {
  const { output } = flags
  if (output === 'name') throw usageError('-o name is not known here; use json, yaml or wide')
  const { api, rest } = await openClient(flags)
  const target = await findRolloutTarget(api, words)
  const view = await readRollout(rest, target.project)
  if (output === 'json' || output === 'yaml') await printAs(view, output, () => '')
  else if (output === 'wide') out(renderWide(view))
  const isOnce = flags.watch === false || flags.watch === 'false' || output !== undefined
  if (isOnce) {
    if (output !== undefined) return
    const verdict = judgeRollout(view, target)
    if (verdict.outcome === 'failed') throw failure(verdict)
    out(verdict.lines.map(oneLine).join('\n'))
    return
  }
  await follow(rest, target, { view, timeoutMs: flags.timeout })
}

/** Right after a write the view may describe the past: a bad end is checked again after this time. */
const settleMs = 2_500

const follow = async (
  rest: RestClient,
  target: RolloutTarget,
  { view, timeoutMs }: { view: Rollout; timeoutMs: number },
): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs)
  let said = ''
  let badSince: number | undefined
  let now = view
  for (;;) {
    const verdict = judgeRollout(now, target)
    const isBad = verdict.outcome === 'failed' || verdict.outcome === 'held'
    badSince = isBad ? (badSince ?? realClock.now()) : undefined
    const isOver = isBad && realClock.now() - (badSince ?? 0) >= settleMs
    if (verdict.outcome === 'done') {
      out(verdict.lines.map(oneLine).join('\n'))
      return
    }
    if (isOver) throw failure(verdict)
    const text = verdict.lines.map(oneLine).join('\n')
    if (!isBad && text !== said) out(text)
    said = text
    try {
      await realClock.sleep(pollMs, signal)
      now = await readAgain(rest, target.project, signal)
    } catch (error) {
      if (!isAbort(error)) throw error
      if (isBad) throw failure(verdict)
      const seconds = Math.round(timeoutMs / 1000)
      throw new CliError(`timed out after ${seconds} s: ${text}`)
    }
  }
}

/** Waits while a controller restarts. */
const readAgain = async (
  rest: RestClient,
  project: string,
  signal: AbortSignal | undefined,
): Promise<Rollout> => {
  for (let failures = 1; ; failures++) {
    try {
      return await readRollout(rest, project, signal)
    } catch (error) {
      if (!isReason(error, 'ServiceUnavailable') && !(error instanceof CliError)) throw error
      if (failures >= 30) throw error
      if (failures === 1) note(`… ${messageOf(error)}; trying again`)
      await realClock.sleep(1_000, signal)
    }
  }
}

const failure = ({ lines }: RolloutVerdict): CliError => new CliError(lines.join('\n'))

const renderWide = ({ stagelets, ...view }: Rollout): string => {
  const rows = stagelets.map((s) => [
    s.name,
    s.standing,
    String(s.wanted_revision ?? ''),
    String(s.running_revision ?? ''),
    s.agent,
    s.message.split('\n')[0] ?? '',
  ])
  const header = ['STAGELET', 'STANDING', 'WANTED', 'RUNNING', 'AGENT', 'MESSAGE']
  return `${view.project}: ${view.state}, ${oneLine(view.message)}\n\n${renderColumns(header, rows)}`
}
