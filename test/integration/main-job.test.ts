// The main job, end to end: apply, the right environments, a change, exactly the right containers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHereAfter } from '../support/programs/controller-here.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { soak } from '../support/soak.ts'
import {
  projectYaml,
  secretYaml,
  seedEnvironments,
  seedSecretsYaml,
  stageletYaml,
} from '../support/shop.ts'
import {
  createStack,
  creationsSince,
  idleService,
  recreatedBetween,
  type Stack,
} from '../support/docker/stack.ts'

const compose = `services:\n${['backend', 'frontend', 'postgres'].map((s) => idleService(s)).join('')}`

const inSync = (world: World, timeout = '60s'): Promise<string> =>
  world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', timeout)

/** A request of a person that another one has approved, and nobody used. */
const grantedAccess = async (world: World): Promise<{ isThereOnce(): Promise<void> }> => {
  const policy = 'metadata: {name: guard}\nspec: {projects: [shop], approvals: {users: [admin]}}\n'
  await world.apply(`apiVersion: stagely.dev/v1alpha1\nkind: AccessPolicy\n${policy}`)
  await world.must('admin', 'user', 'create', 'dev')
  await world.must('admin', 'team', 'add', 'default', 'dev', '--role', 'developer')
  const token = (await world.must('token', 'create', 'cli', '--user', 'dev')).trim()
  const dev = (...args: string[]) => world.cliWithin({ STAGELY_TOKEN: token }, ...args)
  const asked = await dev('access', 'request', '-p', 'shop', '--reason', 'INC-42', '-o', 'json')
  const { name } = JSON.parse(asked.stdout) as { name: string }
  await world.must('access', 'approve', name)
  return {
    isThereOnce: async () => {
      const key = ['STRIPE_SECRET_KEY', '-p', 'shop', '--scope', 'backend', '--reveal']
      const read = await dev('secrets', 'get', ...key)
      expect([read.code, read.stdout]).toEqual([0, 'acknowledged-then-killed'])
      const listed = await world.must('access', 'list', '-p', 'shop', '-o', 'json')
      expect(JSON.parse(listed)).toMatchObject([{ name, state: 'Active', uses: 1 }])
      const log = JSON.parse(
        await world.must('admin', 'audit', 'list', '--kind', 'AccessRequest', '-o', 'json'),
      ) as { action: string }[]
      expect(log.map(({ action }) => action)).toEqual([
        'access',
        'approve access',
        'request access',
      ])
      await world.must('delete', 'accesspolicy', 'guard', '--yes')
    },
  }
}

/** Of a change, and of a look at what runs as soon as that is said to be in sync. */
const rounds = soak(3, 40)
const databases = ['postgres', 'pglite'] as const

describe.each(databases.slice(0, soak(1, 2)))('the main job on %s', (database) => {
  let world: World
  let stack: Stack
  let fresh: TestDatabase | undefined

  beforeAll(async () => {
    stack = await createStack(compose)
    if (database === 'postgres') fresh = await freshDatabase()
    world = await startWorld({
      ...(fresh === undefined ? {} : { databaseUrl: fresh.url }),
      controllerBy: controllerHereAfter(2),
      agentBy: agentHereAfter(1),
    })
    const applied = await world.apply(
      projectYaml() + seedSecretsYaml() + stageletYaml(stack.directory, stack.project),
    )
    expect(applied).toMatchObject({ code: 0 })
    await inSync(world)
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
    await fresh?.drop()
  })

  /** What the commands and the agent do is the same on both databases, and shown on one. */
  const itOnce = (what: string, shows: () => Promise<void>): void => {
    if (database === 'postgres') it(what, shows)
  }

  it('gives each service exactly the environment of its table', async () => {
    for (const [service, environment] of Object.entries(seedEnvironments)) {
      expect(await stack.environmentOf(service), service).toEqual(environment)
    }
  })

  itOnce('applies the same again without a write or a restart', async () => {
    const before = await stack.containers()
    const again = await world.apply(
      projectYaml() + seedSecretsYaml() + stageletYaml(stack.directory, stack.project),
    )
    expect(
      again.stdout
        .trim()
        .split('\n')
        .every((line) => line.endsWith('unchanged')),
    ).toBe(true)
    await inSync(world)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  itOnce('re-creates only backend when a secret of backend changes', async () => {
    const before = await stack.containers()
    expect(
      (await world.apply(secretYaml('STRIPE_SECRET_KEY', 'sk_test_rotated', 'backend'))).code,
    ).toBe(0)
    await inSync(world)
    expect(recreatedBetween(before, await stack.containers())).toEqual(['backend'])
    expect((await stack.environmentOf('backend'))['STRIPE_SECRET_KEY']).toBe('sk_test_rotated')
  })

  itOnce(
    're-creates exactly who sees a secret that refers to the changed one, with the finished value',
    async () => {
      const referring =
        secretYaml('QUEUE_PASSWORD', 'first-password', 'postgres') +
        secretYaml('QUEUE_URL', 'amqp://q:${postgres/QUEUE_PASSWORD}@q', 'frontend').replace(
          '  value:',
          '  references: true\n  value:',
        )
      expect((await world.apply(referring)).code).toBe(0)
      await inSync(world)
      expect(await stack.environmentOf('frontend')).toMatchObject({
        QUEUE_URL: 'amqp://q:first-password@q',
      })
      const before = await stack.containers()
      await world.apply(secretYaml('QUEUE_PASSWORD', 'second-password', 'postgres'))
      await inSync(world)
      const again = recreatedBetween(before, await stack.containers())
      expect(again.sort()).toEqual(['frontend', 'postgres'])
      expect(await stack.environmentOf('frontend')).toMatchObject({
        QUEUE_URL: 'amqp://q:second-password@q',
      })
      expect(
        (await world.cli('delete', 'stagelysecret', 'shop-queue-password.postgres', '--yes')).code,
      ).toBe(1)
      for (const name of ['shop-queue-url.frontend', 'shop-queue-password.postgres'])
        await world.must('delete', 'stagelysecret', name, '--yes')
      await inSync(world)
    },
  )

  itOnce('re-creates all three once each when a global changes', async () => {
    const since = Math.floor(Date.now() / 1000)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await world.apply(secretYaml('REDIS_URL', 'redis://other:6379'))
    await inSync(world)
    expect(await creationsSince(stack, since + 1)).toEqual({ backend: 1, frontend: 1, postgres: 1 })
  })

  itOnce('re-creates a service once for three changes in one apply', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const since = Math.ceil(Date.now() / 1000)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await world.apply(
      secretYaml('STRIPE_SECRET_KEY', 'sk_three', 'backend') +
        secretYaml('PORT', '8081', 'backend') +
        secretYaml('EXTRA', 'one more', 'backend'),
    )
    await inSync(world)
    expect(await creationsSince(stack, since)).toEqual({ backend: 1 })
    expect(await stack.environmentOf('backend')).toMatchObject({
      STRIPE_SECRET_KEY: 'sk_three',
      PORT: '8081',
      EXTRA: 'one more',
    })
  })

  itOnce(
    're-creates a service once for plain writes one after another within the window',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1100))
      const since = Math.ceil(Date.now() / 1000)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      const list = JSON.parse(await world.must('get', 'stagelysecrets', '-o', 'json')) as {
        items: { metadata: { name: string }; spec: { key: string; scope: string } }[]
      }
      const names = list.items.filter((s) => s.spec.scope === 'backend').map((s) => s.metadata.name)
      expect(names.length).toBeGreaterThanOrEqual(3)
      const closed = async (): Promise<number> =>
        ((await world.read('projects/shop')) as { status: { revision: number } }).status.revision
      const before = await closed()
      const gaps: number[] = []
      for (const [i, name] of names.slice(0, 3).entries()) {
        const sentAt = performance.now()
        await world.patchSecret(name, `sequential-${i}`)
        gaps.push(performance.now() - sentAt)
      }
      await inSync(world)
      // On a machine so busy that two writes are further apart than the window, they are two changes.
      const changes = (await closed()) - before
      if (Math.max(...gaps) < 250) expect(changes).toBe(1)
      const { backend = 0, ...others } = await creationsSince(stack, since)
      expect(others).toEqual({})
      expect(backend).toBeGreaterThan(0)
      expect(backend).toBeLessThanOrEqual(changes)
    },
  )

  itOnce('never says in sync before the containers have the new value', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const value = `round-${round}-${'x'.repeat(8)}`
      await world.patchSecret('shop-stripe-secret-key.backend', value)
      await new Promise((resolve) => setTimeout(resolve, (round * 97) % 400))
      await inSync(world)
      expect((await stack.environmentOf('backend'))['STRIPE_SECRET_KEY']).toBe(value)
    }
  })

  itOnce('says which service a misspelt scope probably meant', async () => {
    await world.apply(secretYaml('TYPO', 'some value', 'Backend'))
    await world.must(
      'wait',
      '--for=condition=ScopeMatched=False',
      'stagelysecret/shop-typo.backend',
      '--timeout',
      '20s',
    )
    expect(await world.must('describe', 'stagelysecret', 'shop-typo.backend')).toContain(
      'did you mean "backend"?',
    )
    await world.must('delete', 'stagelysecret', 'shop-typo.backend', '--yes')
  })

  it('converges after the controller and the agent were killed in the middle of a rollout', async () => {
    await world.patchSecret('shop-stripe-secret-key.backend', 'before-the-crash')
    await world.controller.kill('SIGKILL')
    await world.agent.kill('SIGKILL')
    await world.startController()
    await world.startAgent()
    await inSync(world, '120s')
    expect((await stack.environmentOf('backend'))['STRIPE_SECRET_KEY']).toBe('before-the-crash')
    const names = (
      await stack.docker(
        'ps',
        '-a',
        '--filter',
        `label=com.docker.compose.project=${stack.project}`,
        '--format',
        '{{.Names}}',
      )
    )
      .trim()
      .split('\n')
    expect(names.sort()).toEqual(
      ['backend', 'frontend', 'postgres'].map((s) => `${stack.project}-${s}-1`),
    )
  })

  it('keeps what was acknowledged when the controller is killed right after', async () => {
    const grant = await grantedAccess(world)
    await world.patchSecret('shop-stripe-secret-key.backend', 'acknowledged-then-killed')
    await world.controller.kill('SIGKILL')
    await world.startController()
    await inSync(world, '120s')
    // A grant that others gave before is there, once.
    await grant.isThereOnce()
    expect((await stack.environmentOf('backend'))['STRIPE_SECRET_KEY']).toBe(
      'acknowledged-then-killed',
    )
  })

  it('lets go of a deleted stagelet and leaves its containers running', async () => {
    const before = await stack.containers()
    await world.must('delete', 'stagelet', 'shop', '--yes', '--timeout', '30s')
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })
})
