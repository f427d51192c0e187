// Waits for several objects until the end of each is known, with a line for each step.
import { after } from '../../src/kernel/async/pause.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import type { WaitOutcome } from '../../src/rollout/wait-outcome.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { followObject, type FollowRef } from '../objects/follow.ts'
import { hanging, note, out, startProgress } from '../print.ts'

/**
 * Returns the present state of another object of the same namespace, which is followed from the first
 * call on.
 */
export type LookUp = (kind: 'Project', name: string) => KubeObject | undefined

export interface AwaitedObject {
  readonly ref: FollowRef
  /** Name in progress lines and failures, such as `stagelet/shop`. */
  readonly label: string
  readonly judge: (object: KubeObject | undefined, lookUp: LookUp) => WaitOutcome
  /** Printed at success; undefined: nothing. */
  readonly doneLine: string | undefined
}

/**
 * A status may describe the past for up to this time: a change set closes after 2 s at most. An end
 * that is still there then is real.
 */
const settleMs = 2_500

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

/** The last state of each awaited object, by its label. */
type LastStates = ReadonlyMap<string, KubeObject | undefined>

/**
 * Resolves when all have succeeded. Otherwise throws, with the reason of each failure and the last
 * state of each one that is late.
 */
export const waitForOutcomes = async (
  api: KubeApi,
  awaited: readonly AwaitedObject[],
  timeoutMs: number,
): Promise<LastStates> => {
  const over = new AbortController()
  const { signal } = over
  const isLate = realClock.sleep(timeoutMs, signal).then(
    () => over.abort(),
    () => undefined,
  )
  const bad: string[] = []
  const late: string[] = []
  const last = new Map<string, KubeObject | undefined>()
  const looks = createLooks(api, signal)
  const progress = startProgress()
  let ended = 0
  try {
    await Promise.all(
      awaited.map(async (awaitedObject) => {
        const { end, object } = await followToEnd(api, awaitedObject, { signal, looks })
        last.set(awaitedObject.label, object)
        ended += 1
        if (end.kind === 'done') {
          if (awaitedObject.doneLine !== undefined) out(awaitedObject.doneLine)
        } else if (end.kind === 'pending')
          late.push(hanging(`${awaitedObject.label}: ${end.message}`))
        else bad.push(hanging(`${awaitedObject.label}: ${end.reason}: ${end.message}`))
        if (awaited.length > 1) progress(`${ended} of ${awaited.length} have ended`)
      }),
    )
  } finally {
    progress(undefined)
    over.abort()
    await isLate
  }
  const seconds = Math.round(timeoutMs / 1000)
  const texts = [
    ...bad,
    ...(late.length === 0
      ? []
      : [`timed out after ${seconds} s waiting for:\n  ${late.join('\n  ')}`]),
  ]
  if (texts.length > 0) throw new CliError(texts.join('\n'))
  return last
}

interface Looks {
  of(namespace: string): LookUp
  /** Called at each change of a followed object. */
  onChange(listener: () => void): void
}

/** Follows an object once, although several callers need it. */
const createLooks = (api: KubeApi, signal: AbortSignal): Looks => {
  const objects = new Map<string, KubeObject | undefined>()
  const listeners: (() => void)[] = []
  const follow = (ref: FollowRef, key: string): void => {
    const take = (object: KubeObject | undefined): boolean => {
      objects.set(key, object)
      for (const listener of listeners) listener()
      return false
    }
    // It only explains more: without it the wait continues.
    followObject(api, ref, take, { signal, lost: () => undefined }).catch(() => undefined)
  }
  return {
    of: (namespace) => (kind, name) => {
      const key = `${kind} ${namespace}/${name}`
      if (!objects.has(key)) {
        objects.set(key, undefined)
        follow({ kind: servedKind(kind), namespace, name }, key)
      }
      return objects.get(key)
    },
    onChange: (listener) => listeners.push(listener),
  }
}

/** Ends with `pending` when the time is over. */
const followToEnd = async (
  api: KubeApi,
  { ref, label, judge }: AwaitedObject,
  { signal, looks }: { signal: AbortSignal; looks: Looks },
): Promise<{ end: WaitOutcome; object: KubeObject | undefined }> => {
  const ended = linkedAbort(signal)
  const lookUp = looks.of(ref.namespace)
  let object: KubeObject | undefined
  let hasAppeared = false
  let end: WaitOutcome = { kind: 'pending', message: 'is not read yet' }
  let said = ''
  let settling: AbortController | undefined
  const settle = (): void => {
    settling = linkedAbort(ended.signal)
    after(realClock, settleMs, settling.signal, () => ended.abort())
  }
  const rejudge = (): boolean => {
    end = judge(object, lookUp)
    if (end.kind === 'failed' && object !== undefined) {
      if (settling === undefined) settle()
    } else {
      settling?.abort()
      settling = undefined
    }
    if (end.kind === 'pending') {
      const line = firstLine(end.message)
      if (line !== said) note(`${label}: ${line}`)
      said = line
    }
    return end.kind === 'done' || (end.kind === 'failed' && object === undefined)
  }
  looks.onChange(() => {
    if (hasAppeared && rejudge()) ended.abort()
  })
  const check = (now: KubeObject | undefined): boolean => {
    object = now
    const isOver = rejudge()
    if (now === undefined && hasAppeared && end.kind === 'failed')
      end = { ...end, reason: 'Deleted', message: 'it was deleted while waiting' }
    hasAppeared = true
    return isOver
  }
  const lost = (why: string): void => {
    settling?.abort()
    settling = undefined
    const then = end.kind === 'pending' ? `; before: ${firstLine(end.message)}` : ''
    end = { kind: 'pending', message: `${why}; asking again${then}` }
    note(`${label}: ${end.message}`)
  }
  try {
    await followObject(api, ref, check, { signal: ended.signal, lost })
  } catch (error) {
    if (!isAbort(error)) throw error
  }
  ended.abort()
  return { end, object }
}
