// Rotations of logins of real databases, while what they need is killed at each border between two phases.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEngine } from '../../agent/docker/engine.ts'
import type { SignedExposure } from '../../src/audit/exposure.ts'
import { makeDatabaseImage } from '../support/databases/database-images.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startNamedAgent, type NamedAgent } from '../support/agents/named-agent.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { createKill, rotateUnderKills, type Course } from '../support/docker/rotation-kills.ts'
import {
  createLoginStack,
  loginManifests,
  type LoginStack,
} from '../support/docker/rotation-stack.ts'
import { soak } from '../support/soak.ts'
import { watchRotation } from '../support/docker/watch-rotation.ts'
import { passes } from '../support/eventually.ts'

const rounds = Number(process.env['STAGELY_TEST_ROUNDS'] ?? '0')
/** That of the short form kills all four, but nothing at a border after which a minute passes until the next try. */
const firstSeed = Number(process.env['STAGELY_TEST_SEED'] ?? '1')
const seeds =
  rounds > 0 || soak(0, 1) === 1
    ? Array.from({ length: rounds || 100 }, (_, i) => firstSeed + i)
    : [20_672]
const isGood = /^(?:Idle$|Failed\/RolledBack)/

let world: World
/** Each with its own database and its own agent, all with one controller. */
const stacks: LoginStack[] = []
const agents: NamedAgent[] = []
const count = seeds.length
const lanes = Array.from({ length: Math.min(count, 5) }, (_, i) => `lane-${i}`)

beforeAll(async () => {
  await makeDatabaseImage('postgres')
  world = await startWorld({ database: await freshDatabase(), withAgent: false })
  for (const project of lanes) {
    const stack = await createLoginStack({ everySeconds: soak(3, 0.2) })
    stacks.push(stack)
    agents.push(await startNamedAgent(world, project))
    const stagelets = [{ name: project, agent: project, stack }]
    const applied = await world.apply(loginManifests({ project, stagelets }))
    expect(applied.code, applied.stderr).toBe(0)
  }
  for (const [i, rotation] of lanes.entries()) {
    const watch = watchRotation(world, rotation)
    await watch.until(({ phase, attempt }) => phase === 'Idle' && attempt === 1, 120_000)
    watch.stop()
    await passes(async () => {
      expect((await stacks[i]!.said()).ok).toBeGreaterThan(0)
    })
  }
}, 240_000)
afterAll(async () => {
  for (const { program } of agents) await program.kill('SIGKILL')
  await world?.stop()
  for (const stack of stacks) await stack.remove()
}, 120_000)

it(
  `ends ${count} times with a login that is accepted and one that is not, whatever is killed at a phase border`,
  async () => {
    const kill = createKill(world)
    const courses: Course[] = []
    let next = 0
    const walk = async (lane: number): Promise<void> => {
      for (;;) {
        const seed = seeds[next++]
        if (seed === undefined) return
        const own = { rotation: lanes[lane]!, agent: agents[lane]!, stack: stacks[lane]! }
        const course = await rotateUnderKills({ world, kill, ...own }, seed)
        courses.push(course)
        console.info(JSON.stringify(course))
      }
    }
    await Promise.all(lanes.map((_, lane) => walk(lane)))
    const ok = (await Promise.all(stacks.map((stack) => stack.said()))).reduce(
      (n, one) => n + one.ok,
      0,
    )
    const kills = courses.flatMap((course) => course.kills)
    console.info(`${courses.length} rotations, ${kills.length} kills, ${ok} logins`)
    expect(courses.filter(({ end, faults }) => faults.length > 0 || !isGood.test(end))).toEqual([])
    expect(courses.length).toBe(count)
    expect(kills.length).toBeGreaterThan(3 * count)
    expect(ok).toBeGreaterThan(soak(15, 50) * count)
  },
  Math.ceil(count / lanes.length) * 900_000 + 60_000,
)

/** When the database wrote down that it refused a login, in ms, by its own log. */
const refusedLogins = async (stack: LoginStack): Promise<number[]> => {
  const { id } = (await stack.containers())['pg']!
  const said = await createEngine('/var/run/docker.sock').logs(id, 10_000)
  const refusals = said.matchAll(
    /^(\S+ \S+) (\S+) .*FATAL: +(?:password authentication failed|role .* not permitted)/gm,
  )
  return [...refusals].map(([, at = '', zone = '']) => Date.parse(`${at} ${zone}`))
}

it('leaves receipts of exposure that say since when the database refuses a password, as its log does', async () => {
  for (const [i, project] of lanes.entries()) {
    const { status } = (await world.read(`stagelysecrets/${project}-password`)) as {
      status: { version: number }
    }
    const inLog = await refusedLogins(stacks[i]!)
    let measured = 0
    for (let version = 1; version <= status.version; version++) {
      const of = ['--project', project, '--scope', 'web', '--version', String(version)]
      const text = await world.must('report', 'exposure', 'DB_PASSWORD', ...of, '-o', 'json')
      const { exposure } = JSON.parse(text) as SignedExposure
      if (exposure.refused_since === undefined) continue
      measured += 1
      const at = Date.parse(exposure.refused_since)
      const off = Math.min(...inLog.map((ms) => Math.abs(ms - at)))
      expect(off, `${exposure.refused_since}, and ${inLog.length} refusals`).toBeLessThanOrEqual(
        1_000,
      )
    }
    expect(measured).toBeGreaterThan(0)
  }
})
