// The built command, and a controller in this process: a process of its own costs a second of CPU more, and is
// for tests that kill it or look at what it prints.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandsIn, type Commands } from './cli.ts'
import { startTestController } from './controller.ts'

export interface CommandWorld extends Commands {
  readonly dir: string
  readonly url: string
  readonly controllerDir: string
  /** Of an object of the default namespace, by `projects/shop`. */
  read(resource: string): Promise<unknown>
  /** A merge patch of one. */
  patch(resource: string, patch: object): Promise<void>
  /** The controller ends, and another one begins with its folder and its database, at another port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export const startCommandWorld = async (): Promise<CommandWorld> => {
  const dir = await mkdtemp(join(tmpdir(), 'stagely-world-'))
  const dataDir = join(dir, 'controller')
  let controller = await startTestController({ dataDir })
  const call = async (method: string, resource: string, body?: object): Promise<unknown> => {
    const path = `/apis/stagely.dev/v1alpha1/namespaces/default/${resource}`
    const headers = { 'content-type': 'application/merge-patch+json' }
    const init = body === undefined ? {} : { body, headers }
    const answer = await controller.call(method, path, init)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json()
  }
  return {
    dir,
    get url() {
      return controller.url
    },
    controllerDir: dataDir,
    ...commandsIn(() => ({
      HOME: dir,
      STAGELY_SERVER: controller.url,
      STAGELY_TOKEN: controller.token,
      STAGELY_CA_FILE: join(dataDir, 'ca.crt'),
    })),
    read: (resource) => call('GET', resource),
    patch: async (resource, patch) => {
      await call('PATCH', resource, patch)
    },
    restart: async () => {
      await controller.stop()
      controller = await startTestController({ dataDir })
    },
    stop: async () => {
      await controller.remove()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
