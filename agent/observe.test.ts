import { describe, expect, it } from 'vitest'
import type { Engine } from './docker/engine.ts'
import { observeProject, type ObservedContainer } from './observe.ts'

/** What the engine says of a container with a health check of five tries. */
const healthFor = async (
  state: string,
  Status: string,
  FailingStreak: number,
): Promise<ObservedContainer['health']> => {
  const summary = { Id: 'id', Names: ['/p-web-1'], Labels: { 'com.docker.compose.service': 'web' } }
  const engine = {
    listContainers: () => Promise.resolve([summary]),
    inspect: () =>
      Promise.resolve({
        State: { Status: state, StartedAt: '', Health: { Status, FailingStreak } },
        Config: { Healthcheck: { Retries: 5 } },
        HostConfig: { RestartPolicy: { Name: 'no' } },
      }),
  } as unknown as Engine
  return (await observeProject(engine, 'p'))[0]?.health
}

describe('the health of a container', () => {
  it('is what its checks say while it runs', async () => {
    for (const status of ['starting', 'healthy'])
      expect(await healthFor('running', status, 1)).toBe(status)
    expect(await healthFor('running', 'unhealthy', 5)).toBe('unhealthy')
  })

  it('is not known where the engine does not check it, and calls it unhealthy for that', async () => {
    for (const state of ['paused', 'exited', 'restarting'])
      expect(await healthFor(state, 'unhealthy', 5)).toBeUndefined()
    // It was paused, and no check came by since.
    expect(await healthFor('running', 'unhealthy', 4)).toBe('starting')
  })
})
