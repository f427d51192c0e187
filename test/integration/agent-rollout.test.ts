// What the agent does to a real stack: exact environments, and only what must be re-created is.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'

const compose = `services:\n${idleService('backend')}${idleService('frontend')}${idleService('postgres')}`
const database = held('DATABASE_URL', 'postgres://user:pass@postgres:5432/db')
const redis = held('REDIS_URL', 'redis://redis:6379')
const backendPort = held('PORT', '8080', 'backend')
const frontendPort = held('PORT', '3000', 'frontend')
const stripe = held('STRIPE_SECRET_KEY', 'sk_test_abc123', 'backend')
const api = held('NEXT_PUBLIC_API_URL', 'https://api.example.com', 'frontend')
const seed = [database, redis, backendPort, frontendPort, stripe, api]

describe('a rollout', () => {
  let stack: Stack
  let machine: Machine

  beforeAll(async () => {
    stack = await createStack(compose)
    machine = await startMachine(stack)
    await machine.roll(seed)
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
  })

  it('gives each service exactly the environment of its table', async () => {
    const globals = {
      DATABASE_URL: 'postgres://user:pass@postgres:5432/db',
      REDIS_URL: 'redis://redis:6379',
    }
    expect(await stack.environmentOf('backend')).toEqual({
      ...globals,
      PORT: '8080',
      STRIPE_SECRET_KEY: 'sk_test_abc123',
    })
    expect(await stack.environmentOf('frontend')).toEqual({
      ...globals,
      PORT: '3000',
      NEXT_PUBLIC_API_URL: 'https://api.example.com',
    })
    expect(await stack.environmentOf('postgres')).toEqual(globals)
  })

  it('reports the labels it read from the engine, and that the gate passed with them', async () => {
    const report = machine.reports.at(-1)!
    const containers = await stack.containers()
    for (const service of ['backend', 'frontend', 'postgres']) {
      const digest = digestFor(service, seed)
      expect(containers[service]?.label).toBe(digest)
      expect(report.passed[service]).toBe(digest)
      expect(report.services.find((s) => s.name === service)?.digests).toEqual([digest])
    }
    expect(report.pendingEdits).toEqual([])
    expect(report.rollout).toMatchObject({
      result: 'Healthy',
      recreated: ['backend', 'frontend', 'postgres'],
    })
  })

  it('re-creates only the service that sees a changed secret', async () => {
    const before = await stack.containers()
    const report = await machine.roll([
      ...seed.filter((e) => e !== stripe),
      held('STRIPE_SECRET_KEY', 'sk_new', 'backend'),
    ])
    expect(recreatedBetween(before, await stack.containers())).toEqual(['backend'])
    expect(report.rollout).toMatchObject({ result: 'Healthy', recreated: ['backend'] })
    expect(report.rollout?.cascaded).toBeUndefined()
    expect((await stack.environmentOf('backend'))['STRIPE_SECRET_KEY']).toBe('sk_new')
  })

  it('re-creates every service once for a changed global', async () => {
    const before = await stack.containers()
    const report = await machine.roll([
      ...seed.filter((e) => e !== redis),
      held('REDIS_URL', 'redis://other:6379'),
    ])
    expect(report.rollout?.recreated).toEqual(['backend', 'frontend', 'postgres'])
    expect(recreatedBetween(before, await stack.containers())).toEqual([
      'backend',
      'frontend',
      'postgres',
    ])
  })

  it('re-creates a service once for three changed secrets', async () => {
    const before = await stack.containers()
    await machine.roll([
      database,
      held('REDIS_URL', 'redis://other:6379'),
      frontendPort,
      api,
      held('PORT', '9090', 'backend'),
      held('STRIPE_SECRET_KEY', 'sk_third', 'backend'),
      held('EXTRA', 'more', 'backend'),
    ])
    const after = await stack.containers()
    expect(recreatedBetween(before, after)).toEqual(['backend'])
    expect(await stack.docker('inspect', '-f', '{{.RestartCount}}', after['backend']!.id)).toBe(
      '0\n',
    )
  })

  it('takes a removed secret out of the container, and restarts nothing when nothing changes', async () => {
    await machine.roll(seed)
    const before = await stack.containers()
    await machine.roll(seed)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    expect(await stack.environmentOf('backend')).not.toHaveProperty('EXTRA')
  })

  it('heals a hand-run up that dropped the override', async () => {
    await stack.docker(
      'compose',
      '--project-directory',
      stack.directory,
      '-p',
      stack.project,
      'up',
      '-d',
      '-t',
      '1',
    )
    expect((await stack.containers())['backend']?.label).toBe('')
    // The latest report may still be the one from before the hand-run up: the containers tell.
    const secretOf = async (): Promise<string | undefined> =>
      (await stack.environmentOf('backend').catch(() => undefined))?.['STRIPE_SECRET_KEY']
    await expect.poll(secretOf).toBe('sk_test_abc123')
    const report = await machine.until(
      (r) =>
        r.phase === 'Settled' &&
        r.passed['backend'] === digestFor('backend', seed) &&
        (r.rollout?.recreated?.length ?? 0) === 3,
    )
    expect(report.services.every((s) => s.digests.length === 1 && s.digests[0] !== '')).toBe(true)
  })

  it('leaves the user’s folder as it was', async () => {
    expect(await readdir(stack.directory)).toEqual(['docker-compose.yml'])
    expect(await readFile(join(stack.directory, 'docker-compose.yml'), 'utf8')).toBe(compose)
  })
})
