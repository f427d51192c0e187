// Asks the engine by its socket: what a test looks at twenty times a second is no process each time.
import { request } from 'node:http'
import { createInterface } from 'node:readline'

const socketPath = (): string =>
  (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')

/** What it answers; undefined where there is no such thing, or nothing to say. */
export const askEngine = <T>(
  path: string,
  method: 'GET' | 'DELETE' = 'GET',
): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(), path, method }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode === 200) resolve(JSON.parse(text) as T)
        else if (statusCode === 204 || statusCode === 404) resolve(undefined)
        else reject(new Error(`${method} ${path}: ${statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })

/** The query that finds what belongs to a Compose project. */
const ofProject = (project: string): string => {
  const label = [`com.docker.compose.project=${project}`]
  return `filters=${encodeURIComponent(JSON.stringify({ label }))}`
}

interface Listed {
  readonly Id: string
  /** Each with a slash before it. */
  readonly Names: readonly string[]
}

export const containersOfProject = async (project: string): Promise<readonly Listed[]> =>
  (await askEngine<Listed[]>(`/containers/json?all=true&${ofProject(project)}`)) ?? []

/** Takes away its containers, networks and volumes; `compose down` is a process, and waits for each to end. */
export const removeProject = async (project: string): Promise<void> => {
  const removeAll = (paths: readonly string[]): Promise<unknown> =>
    Promise.all(paths.map((path) => askEngine(path, 'DELETE')))
  const containers = await containersOfProject(project)
  await removeAll(containers.map(({ Id }) => `/containers/${Id}?force=true&v=true`))
  const networks = await askEngine<{ Id: string }[]>(`/networks?${ofProject(project)}`)
  await removeAll((networks ?? []).map(({ Id }) => `/networks/${Id}`))
  const volumes = await askEngine<{ Volumes: { Name: string }[] | null }>(
    `/volumes?${ofProject(project)}`,
  )
  await removeAll((volumes?.Volumes ?? []).map(({ Name }) => `/volumes/${Name}`))
}

/** One line of the engine's `/events`. */
export interface EngineEvent {
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly timeNano: number
}

export interface EngineEvents {
  /** From `since` (unix seconds) until now, in order. */
  since(since: number): Promise<EngineEvent[]>
  stop(): void
}

/**
 * Follows the events of one Compose project. Asked afterwards, the engine tells the last 256 only, of
 * all containers together: https://docs.docker.com/reference/cli/docker/system/events/
 */
export const followEvents = async (project: string): Promise<EngineEvents> => {
  const seen = new Map<string, EngineEvent>()
  const see = (line: string): void => {
    const event = JSON.parse(line) as EngineEvent
    seen.set(`${event.timeNano} ${event.Action} ${event.Actor.ID}`, event)
  }
  const path = `/events?${ofProject(project)}`
  const following = await follow(path, see)
  return {
    since: async (since) => {
      // The newest lines may still be on their way.
      const asked = await follow(`${path}&since=${since}&until=${Date.now() / 1000}`, see)
      await asked.ended
      return [...seen.values()]
        .filter(({ timeNano }) => timeNano >= since * 1e9)
        .sort((a, b) => a.timeNano - b.timeNano)
    },
    stop: following.stop,
  }
}

/** Resolves when the engine begins to answer. */
const follow = (
  path: string,
  onLine: (line: string) => void,
): Promise<{ ended: Promise<void>; stop: () => void }> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(), path }, (response) => {
      const lines = createInterface({ input: response }).on('line', onLine)
      // stop() breaks the answer off, which both tell.
      response.on('error', () => undefined)
      lines.on('error', () => undefined)
      const ended = new Promise<void>((done) => lines.once('close', done))
      resolve({ ended, stop: () => void sent.destroy() })
    })
    sent.on('error', reject)
    sent.end()
  })
