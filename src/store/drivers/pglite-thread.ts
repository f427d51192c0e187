// The thread of the embedded database, from the side of its callers.
import { Worker } from 'node:worker_threads'
import { StagelyError, messageOf } from '../../kernel/errors.ts'

type Told =
  | { readonly listener: number; readonly payload: string }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly parts: object } }

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export interface DatabaseThread {
  /** The answer of `kind` in pglite-worker.js. ServiceUnavailable where the thread has ended. */
  readonly ask: (kind: string, ...args: readonly unknown[]) => Promise<unknown>
  /** Calls `onNotify` with what each NOTIFY on `channel` says; returns how to stop that. */
  readonly listen: (
    channel: string,
    onNotify: (payload: string) => void,
  ) => Promise<() => Promise<void>>
  /** Resolves when the thread has ended. */
  readonly end: () => Promise<void>
}

/** What is thrown here ends the process, as a fault that nobody handles: it must not go on without its database. */
const endProcess = (error: Error): void => {
  setImmediate(() => {
    throw error
  })
}

/** Starts the database of `folder`. Where the thread ends by itself, `onLost` is told, and all who wait are refused. */
export const startDatabaseThread = async (
  folder: string,
  onLost: (error: Error) => void = endProcess,
): Promise<DatabaseThread> => {
  // The environment holds keys that are not its business.
  const worker = new Worker(new URL('pglite-worker.js', import.meta.url), {
    workerData: { folder },
    env: {},
    execArgv: [],
  })
  const waiting = new Map<number, Waiting>()
  const listeners = new Map<number, (payload: string) => void>()
  let ids = 0
  let lost: Error | undefined
  let isEnding = false

  const settle = (id: number, how: (call: Waiting) => void): void => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (call !== undefined) how(call)
    // A program that waits for nothing else may end.
    if (waiting.size === 0) worker.unref()
  }
  worker.on('message', (message: Told) => {
    if ('listener' in message) listeners.get(message.listener)?.(message.payload)
    else if ('error' in message)
      settle(message.id, ({ reject }) =>
        reject(Object.assign(new Error(message.error.message), message.error.parts)),
      )
    else settle(message.id, ({ resolve }) => resolve(message.result))
  })
  worker.once('error', (error) => {
    lost = error
  })
  worker.once('exit', () => {
    const why = lost === undefined ? '' : `: ${messageOf(lost)}`
    lost = new StagelyError('ServiceUnavailable', `the embedded database has ended${why}`)
    for (const id of waiting.keys()) settle(id, ({ reject }) => reject(lost!))
    if (!isEnding) onLost(lost)
  })

  const ask: DatabaseThread['ask'] = (kind, ...args) =>
    new Promise((resolve, reject) => {
      if (lost !== undefined) {
        reject(lost)
        return
      }
      const id = ++ids
      if (waiting.size === 0) worker.ref()
      waiting.set(id, { resolve, reject })
      worker.postMessage({ id, kind, args })
    })
  const end = async (): Promise<void> => {
    isEnding = true
    await worker.terminate()
  }
  try {
    await ask('open')
  } catch (error) {
    await end()
    throw error
  }
  return {
    ask,
    listen: async (channel, onNotify) => {
      const id = ++ids
      listeners.set(id, onNotify)
      await ask('listen', id, channel)
      return async () => {
        listeners.delete(id)
        await ask('unlisten', id)
      }
    },
    end,
  }
}
