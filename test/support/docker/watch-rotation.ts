// Each status of a Rotation, as it is written, also over restarts of the controller.
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { realClock } from '../../../src/kernel/clock.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { World } from '../programs/processes.ts'
import { readUntil } from '../http/watch-lines.ts'

export interface RotationWatch {
  /** The newest one. */
  readonly status: RotationStatus
  /** Resolves with the first one, of now or later, for which it is true. */
  until(isMet: (status: RotationStatus) => boolean, withinMs: number): Promise<RotationStatus>
  stop(): void
}

const path = '/apis/stagely.dev/v1alpha1/namespaces/default/rotations?watch=true'

export const watchRotation = (
  { url, controllerDir }: Pick<World, 'url' | 'controllerDir'>,
  name: string,
  onStatus: (status: RotationStatus) => void = () => undefined,
): RotationWatch => {
  let status: RotationStatus = {}
  const ending = new AbortController()
  const waiting = new Set<() => void>()

  const take = (next: RotationStatus): void => {
    status = next
    onStatus(next)
    for (const look of [...waiting]) look()
  }
  const connect = async (): Promise<void> => {
    const [ca, token] = await Promise.all(
      ['ca.crt', 'admin-token'].map((file) => readFile(join(controllerDir, file), 'utf8')),
    )
    const headers = { authorization: `Bearer ${token!.trim()}` }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${url}${path}`, { ca, headers, signal: ending.signal }, resolve)
        .on('error', reject)
        .end()
    })
    await readUntil(response, ({ object }) => {
      const { kind, metadata } = object
      if (kind === 'Rotation' && metadata.name === name)
        take((object as unknown as { status?: RotationStatus }).status ?? {})
      return false
    })
  }
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // The controller is being killed and started again.
      await connect().catch(() => undefined)
      await realClock.sleep(50)
    }
  }
  void run()
  return {
    get status() {
      return status
    },
    until: (isMet, withinMs) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look)
          reject(
            new Error(`${name} is not there after ${withinMs / 1000} s: ${JSON.stringify(status)}`),
          )
        }, withinMs)
        const look = (): void => {
          if (!isMet(status)) return
          clearTimeout(late)
          waiting.delete(look)
          resolve(status)
        }
        waiting.add(look)
        look()
      }),
    stop: () => {
      ending.abort()
    },
  }
}
