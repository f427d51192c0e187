// Rotations whose stacks are on the machines of several agents, on real containers: who is waited for, who goes back, and
// what services that share a key see meanwhile. A proof takes a minute, so that the parts run beside each other.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import { agentHere, agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { makeDatabaseImage } from '../support/databases/database-images.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startNamedAgent, type NamedAgent } from '../support/agents/named-agent.ts'
import { findPostgresBin } from '../support/databases/postgres-bin.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import {
  createLoginStack,
  isAccepted,
  loginManifests,
  openSlots,
  type LoginStack,
} from '../support/docker/rotation-stack.ts'
import {
  createSigningStack,
  signingManifests,
  type SigningStack,
} from '../support/docker/signing-stack.ts'
import { soak } from '../support/soak.ts'
import { recreatedBetween } from '../support/docker/stack.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { watchRotation, type RotationWatch } from '../support/docker/watch-rotation.ts'
import { passes } from '../support/eventually.ts'

const run = promisify(execFile)
/** The second shows in the long form what the first prevents: whether it rejects any is a matter of chance. */
const orders = (['AddFirst', 'SwitchFirst'] as const).slice(0, soak(1, 2))
const rounds = soak(1, 10)
/** Between two calls of a client: each starts some twenty processes. */
const everySeconds = soak(4, 0.1)
const network = `stagely-t-rotation-${process.pid}`
const rotated =
  (times: number) =>
  ({ phase, attempt = 0, request }: RotationStatus): boolean =>
    phase === 'Idle' && attempt >= times && request === undefined

describe('a rotation on three machines', () => {
  let world: World
  let database: TestDatabase
  const passwords: string[] = []
  /** The first has the Postgres; the service of `beta` can die. */
  let [alpha, beta, gamma]: LoginStack[] = []
  let watch: RotationWatch
  const agents: NamedAgent[] = []
  const signing: SigningStack[] = []
  /** Rotations of keys that go on beside the others: what was said while they did. */
  const signed: Promise<Awaited<ReturnType<SigningStack['said']>>>[] = []

  const logins = (): LoginStack[] => [alpha!, beta!, gamma!]
  const apply = async (manifests: string): Promise<void> => {
    const { code, stderr } = await world.apply(manifests)
    expect(code, stderr).toBe(0)
  }
  /** How often was accepted and rejected while the key was changed. */
  const rotateKey = async (
    name: string,
    stack: SigningStack,
    times: number,
  ): Promise<Awaited<ReturnType<SigningStack['said']>>> => {
    const seen = watchRotation(world, name)
    try {
      await seen.until(rotated(1), 120_000)
      await passes(async () => (await stack.said()).accepted > 3, 150_000)
      const before = await stack.said()
      for (let n = 1; n <= times; n += 1) {
        await world.must('rotation', 'run', name, '--project', name, '--now')
        const { failure } = await seen.until(rotated(n + 1), 420_000)
        expect(failure).toBeUndefined()
      }
      const { accepted, rejected } = await stack.said()
      return { accepted: accepted - before.accepted, rejected: rejected - before.rejected }
    } finally {
      seen.stop()
    }
  }

  beforeAll(async () => {
    await makeDatabaseImage('postgres')
    database = await freshDatabase()
    world = await startWorld({ controllerBy: controllerHere, agentBy: agentHere, database })
    for (const order of orders) {
      const stack = await createSigningStack(everySeconds)
      signing.push(stack)
      const project = `keys-${order.toLowerCase()}`
      await apply(signingManifests(project, { stack, order }))
      const rotating = rotateKey(project, stack, order === 'AddFirst' ? rounds : 1)
      rotating.catch(() => undefined)
      signed.push(rotating)
    }
    await run('docker', ['network', 'create', network])
    for (const hasServer of [true, false, false]) {
      const stack = await createLoginStack({ network, hasServer, everySeconds })
      if (hasServer) alpha = stack
      else if (beta === undefined) beta = stack
      else gamma = stack
    }
    agents.push(await startNamedAgent(world, 'left', agentHere))
    agents.push(await startNamedAgent(world, 'right', agentHereAfter(1)))
    await apply(
      loginManifests({
        project: 'shop',
        stagelets: [
          { name: 'alpha', agent: 'box', stack: alpha! },
          { name: 'beta', agent: 'left', stack: beta! },
          { name: 'gamma', agent: 'right', stack: gamma! },
        ],
      }),
    )
    watch = watchRotation(world, 'shop')
    await watch.until(rotated(1), 120_000)
    for (const stack of logins())
      await passes(async () => {
        expect((await stack.said()).ok).toBeGreaterThan(0)
      })
  }, 240_000)
  afterAll(async () => {
    watch?.stop()
    for (const { program } of agents) await program.kill('SIGKILL')
    await world?.stop()
    for (const stack of [beta, gamma, alpha, ...signing]) await stack?.remove()
    await run('docker', ['network', 'rm', network]).catch(() => undefined)
  }, 120_000)

  it('waits for one that is away, with both credentials valid, and ends the old one soon after it is back', async () => {
    const old = await alpha!.login()
    const [, ofGamma] = agents
    await ofGamma!.program.kill('SIGKILL')
    await world.must('rotation', 'run', 'shop', '--project', 'shop', '--now')
    const isNamed = ({ blockedBy = [] }: RotationStatus): boolean =>
      blockedBy.some(({ reason }) => reason === 'AgentAway')
    const blocked = await watch.until(isNamed, 120_000)
    expect(blocked.blockedBy).toMatchObject([{ stagelet: 'gamma' }])
    for (const stack of [alpha!, beta!])
      await expect.poll(async () => (await stack.login()).username).toBe('app_b')
    const next = await alpha!.login()
    passwords.push(old.password, next.password)
    expect(await gamma!.login()).toEqual(old)
    expect([await isAccepted(alpha!, old), await isAccepted(alpha!, next)]).toEqual([true, true])

    await ofGamma!.start()
    const { failure } = await watch.until(rotated(2), 180_000)
    expect(failure).toBeUndefined()
    expect(await isAccepted(alpha!, old)).toBe(false)
    for (const stack of logins()) {
      expect(await stack.login()).toEqual(next)
      expect((await stack.said()).refused).toEqual([])
    }
  }, 400_000)

  it('goes back everywhere where a service of one dies with the new credential, and touches nobody else', async () => {
    const old = await alpha!.login()
    await writeFile(join(beta!.folder, 'die'), 'app_a')
    const before = await Promise.all(logins().map((stack) => stack.containers()))
    await world.must('rotation', 'run', 'shop', '--project', 'shop', '--now')
    const { failure, conditions } = await watch.until(rotated(3), 300_000)
    expect(failure?.reason).toBe('RolledBack')
    const failed = conditions?.find(({ type }) => type === 'Failed')
    expect(failed?.message).toMatch(
      /service web of stagelet "beta".*this service cannot work with its login/s,
    )
    const after = await Promise.all(logins().map((stack) => stack.containers()))
    const changed = before.map((one, i) => recreatedBetween(one, after[i]!))
    expect(changed.flat().filter((name) => name !== 'web')).toEqual([])
    for (const stack of logins()) {
      expect(await stack.login()).toEqual(old)
      expect((await stack.said()).refused).toEqual([])
    }
    expect(await openSlots(alpha!)).toEqual([old.username])
  }, 400_000)

  it('leaves no password in what programs print, in the log of the database, or in a dump of that of the controller', async () => {
    const { id } = (await alpha!.containers())['pg']!
    const { stdout: logged, stderr } = await run('docker', ['logs', id], { maxBuffer: 1 << 28 })
    expect(logged + stderr).toContain('alter role "app_b" login')
    const dump = await run(join(findPostgresBin(), 'pg_dump'), ['--inserts', database.url], {
      maxBuffer: 1 << 28,
    })
    expect(dump.stdout).toContain('CredentialRevoked')
    const outputs = agents.map((agent) => agent.output())
    const all = [world.allOutput(), ...outputs, logged, stderr, dump.stdout].join('\n')
    expect(passwords).toEqual([expect.stringMatching(/.{20}/), expect.stringMatching(/.{20}/)])
    expect(passwords.filter((password) => all.includes(password))).toEqual([])
  })

  it(
    'of a key that services share rejects nothing that they sign, while each knows it before one uses it',
    async () => {
      const { accepted, rejected } = await signed[0]!
      console.info(
        `${rounds} rotations of a shared key: ${accepted} accepted, ${rejected} rejected`,
      )
      expect(rejected).toBe(0)
      expect(accepted).toBeGreaterThan(soak(20, 100) * rounds)
    },
    rounds * 420_000,
  )

  it.each(orders.slice(1))(
    'of a key that is used before all know it (%s) rejects some',
    async (order) => {
      const { accepted, rejected } = await signed[1]!
      console.info(
        `one rotation of a shared key, ${order}: ${accepted} accepted, ${rejected} rejected`,
      )
      expect(rejected).toBeGreaterThan(0)
    },
    420_000,
  )
})
