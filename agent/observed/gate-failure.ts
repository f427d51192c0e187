// Describes a container that failed its gate, or is unhealthy later: how and how often it ended, and the output of its
// health check and log. Masked.
import { describeOutOfMemory } from '../../src/kinds/observation/schema.ts'
import type { Engine } from '../docker/engine.ts'
import type { ObservedContainer } from './container.ts'

export type GateReason =
  | 'Exited'
  | 'CrashLoop'
  | 'Unhealthy'
  | 'TimedOut'
  | 'Paused'
  | 'LabelMismatch'
  | 'Missing'
  | 'NotStarted'

export interface GateFailure {
  readonly service: string
  readonly reason: GateReason
  /** What happened, with health output and the last log lines; masked. */
  readonly message: string
}

/** A container that failed, and why. */
export interface FailedContainer {
  readonly reason: Exclude<GateReason, 'Missing'>
  readonly container: ObservedContainer
  /** The container when it was last seen ended: after a restart the engine no longer tells how it ended. */
  readonly lastEnd?: ObservedContainer | undefined
}

/** The engine keeps this much of a health check's output. The line that it cuts is dropped, as it may hold half a secret. */
const maxHealthBytes = 4096
const wholeOutput = (text: string): string =>
  Buffer.byteLength(text) < maxHealthBytes ? text : text.slice(0, text.lastIndexOf('\n') + 1)

/** More lines are read than shown, so that the masker sees a secret of several lines whole. */
const readLines = 100
const shownLines = 20

const headlines: Readonly<Record<FailedContainer['reason'], (c: ObservedContainer) => string>> = {
  Exited: (c) => `exited with code ${c.exitCode}`,
  CrashLoop: () => 'keeps crashing',
  Unhealthy: () => 'is unhealthy',
  TimedOut: () => 'was not ready in time',
  Paused: ({ name }) => `is paused; "docker unpause ${name}" lets it go on`,
  NotStarted: () => 'was made and does not run',
  LabelMismatch: () => 'still carries another digest although Compose reported success',
}

const headlineOf = (reason: FailedContainer['reason'], c: ObservedContainer): string =>
  `${c.name} ${headlines[reason](c)}`

/** True where the container ran and does not run now. */
export const isDown = ({ state }: ObservedContainer): boolean =>
  ['restarting', 'exited', 'dead'].includes(state)

const facts = ({ reason, container: c, lastEnd }: FailedContainer): string => {
  const end = isDown(c) ? c : lastEnd
  const outOfMemory = c.outOfMemory ?? end?.outOfMemory
  return [
    ...(reason === 'TimedOut' ? [`state ${c.state}`] : []),
    ...(reason === 'TimedOut' && c.health !== undefined ? [`health ${c.health}`] : []),
    c.restartCount === 1 ? '1 restart' : `${c.restartCount} restarts`,
    ...(end === undefined || reason === 'Exited' ? [] : [`last exit code ${end.exitCode}`]),
    ...(outOfMemory === undefined ? [] : [describeOutOfMemory(outOfMemory)]),
  ].join(', ')
}

/** The description without the log. */
export const describeFailed = (failed: FailedContainer, mask: (text: string) => string): string => {
  const { reason, container: c } = failed
  const headline = `service ${c.service}: container ${headlineOf(reason, c)}`
  if (reason === 'LabelMismatch' || reason === 'Paused') return headline
  // Texts are masked before they are cut: half a secret would not be found.
  const output = c.health === 'healthy' ? '' : mask(wholeOutput(c.healthOutput)).trim()
  return [
    `${headline} (${facts(failed)})`,
    ...(c.error === '' ? [] : [`engine: ${mask(c.error)}`]),
    ...(output === '' ? [] : [`health check: ${output.slice(-1024)}`]),
  ].join('\n')
}

/** One line for each of these services with a paused container: that may be why another service has failed. */
export const pausedAmong = (
  containers: readonly ObservedContainer[],
  services: readonly string[],
): string[] =>
  containers
    .filter((c) => c.state === 'paused' && services.includes(c.service))
    .map((c) => `it depends on ${c.service}, whose container ${headlineOf('Paused', c)}`)

export const gateFailureOf = async (
  { engine, mask }: { readonly engine: Engine; readonly mask: (text: string) => string },
  failed: FailedContainer,
): Promise<GateFailure> => {
  const { reason, container: c } = failed
  const parts = [describeFailed(failed, mask)]
  if (reason !== 'LabelMismatch') {
    const logs = await engine.logs(c.id, readLines).catch(() => '')
    const lines = mask(logs).trim().split('\n').slice(-shownLines).join('\n')
    if (lines !== '') parts.push(`last log lines:\n${lines.slice(-4096)}`)
  }
  return { service: c.service, reason, message: parts.join('\n') }
}

export const missingFailure = (service: string): GateFailure => ({
  service,
  reason: 'Missing',
  message: `service ${service} has no container`,
})
