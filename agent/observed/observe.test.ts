import { describe, expect, it } from 'vitest'
import type { Engine } from '../docker/engine.ts'
import { observeOneOffs, observeProject } from './observe.ts'
import { type ObservedContainer } from './container.ts'

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

/** Two containers of a project, of which `web` holds what `mode` says. */
const cutOffFor = async (mode: object, listed: readonly string[]): Promise<boolean | undefined> => {
  const summaries = ['db', 'web'].map((service) => ({
    Id: `id-${service}`,
    Names: [`/p-${service}-1`],
    Labels: { 'com.docker.compose.service': service },
  }))
  const inspect = (id: string) =>
    Promise.resolve(
      listed.includes(id)
        ? {
            State: { Status: 'running', StartedAt: '' },
            Config: {},
            HostConfig: { RestartPolicy: { Name: 'no' }, ...(id === 'id-web' ? mode : {}) },
          }
        : undefined,
    )
  const engine = { listContainers: () => Promise.resolve(summaries), inspect }
  return (await observeProject(engine as unknown as Engine, 'p')).at(-1)?.cutOff
}

describe('what a container shares', () => {
  it.each([
    { NetworkMode: 'container:old' },
    { IpcMode: 'container:old' },
    { PidMode: 'container:old' },
    { VolumesFrom: ['id-db', 'old:ro'] },
  ])('is cut off where the container of %j is gone, and only there', async (mode) => {
    expect(await cutOffFor(mode, ['id-db', 'id-web'])).toBe(true)
    expect(await cutOffFor(mode, ['id-db', 'id-web', 'old'])).toBe(false)
  })

  it('is whole where it is its own, or of a container that is there', async () => {
    for (const mode of [{ NetworkMode: 'p_default' }, { NetworkMode: 'container:id-db' }, {}])
      expect(await cutOffFor(mode, ['id-db', 'id-web'])).toBe(false)
  })
})

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

describe('containers of compose run', () => {
  it('are told by service while they run, with the secrets that they have', async () => {
    const summary = (
      service: string,
      digest: string | undefined,
      state: string,
      oneOff = 'True',
    ) => ({
      Id: 'id',
      Names: ['/p'],
      Status: '',
      Created: 0,
      State: state,
      Labels: {
        'com.docker.compose.service': service,
        'com.docker.compose.oneoff': oneOff,
        ...(digest === undefined ? {} : { 'dev.stagely.digest': digest }),
      } as Record<string, string>,
    })
    const all = [
      ...[
        summary('web', 'a', 'running'),
        summary('web', undefined, 'paused'),
        summary('web', 'b', 'exited'),
      ],
      ...[summary('db', 'c', 'running', 'False'), summary('job', 'd', 'running')],
    ]
    const found = await observeOneOffs({ listContainers: () => Promise.resolve(all) }, 'p')
    expect([...found.running]).toEqual([
      ['web', ['a', '']],
      ['job', ['d']],
    ])
    // It can be started again.
    expect(found.ended).toEqual([{ service: 'web', container: 'p', digest: 'b' }])
  })
})
