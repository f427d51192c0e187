// What becomes of a stack whose stagelet is deleted: whole processes, the real engine.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { eventually, passes } from '../support/eventually.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml } from '../support/shop.ts'
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import {
  creationsSince,
  createStack,
  idleService,
  recreatedBetween,
  type Stack,
} from '../support/docker/stack.ts'

const compose = `services:\n${idleService('web', '    volumes: ["data:/data"]\n')}volumes: {data: {}}\n`

describe('a stagelet at its end, or at rest', () => {
  let world: World
  let stack: Stack

  const stagelet = (more = ''): string => `---
apiVersion: stagely.dev/v1alpha1
kind: Stagelet
metadata: {name: shop}
spec:
  projectRef: {name: shop}
  agentRef: {name: box}
  compose: {directory: ${stack.directory}, projectName: ${stack.project}}
${more}`
  const deploy = async (more?: string): Promise<void> => {
    const yaml = projectYaml() + secretYaml('TOKEN', 'open-sesame') + stagelet(more)
    const applied = await world.apply(yaml)
    // Of a project's first secret it is said once that the engine shows its value.
    expect(applied.stderr).toMatch(
      /^(Warning: spec\.type: whoever may run "docker inspect" .*\n)?$/,
    )
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '120s')
  }
  const inWeb = async (...command: string[]): Promise<string> =>
    stack.docker('exec', (await stack.containers())['web']!.id, ...command)
  const volumes = async (): Promise<string[]> => {
    const filter = `label=com.docker.compose.project=${stack.project}`
    return (await stack.docker('volume', 'ls', '-q', '--filter', filter))
      .split('\n')
      .filter(Boolean)
  }

  /** Stagelets that the agent remembers over its end. */
  const notedByAgent = async (): Promise<string[]> => {
    const text = await readFile(join(world.agentDir, 'state.json'), 'utf8')
    return Object.keys((JSON.parse(text) as { stagelets: object }).stagelets)
  }

  beforeAll(async () => {
    stack = await createStack(compose)
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHereAfter(2),
      database: await freshDatabase(),
    })
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
  })

  it('deleted with Retain, leaves the stack running, and it needs no agent from then on', async () => {
    await deploy('  deletionPolicy: Retain\n')
    const before = await stack.containers()
    await world.must('delete', 'stagelet', 'shop', '--yes', '--timeout', '60s')
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    await world.agent.kill('SIGKILL')
    expect(await inWeb('sh', '-c', 'echo kept > /data/file; echo $TOKEN')).toBe('open-sesame\n')
    await world.startAgent()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('deleted with Down, takes the stack down and keeps its volumes', async () => {
    await deploy('  deletionPolicy: Down\n')
    await world.must('delete', 'stagelet', 'shop', '--yes', '--timeout', '60s')
    expect(await stack.containers()).toEqual({})
    expect(await volumes()).toEqual([`${stack.project}_data`])
    await deploy('  deletionPolicy: Down\n  deleteVolumes: true\n')
    expect(await inWeb('cat', '/data/file')).toBe('kept\n')
  })

  it('deleted, takes the volumes along where that was declared', async () => {
    await world.must('delete', 'stagelet', 'shop', '--yes', '--timeout', '60s')
    expect(await stack.containers()).toEqual({})
    expect(await volumes()).toEqual([])
  })

  it('of a dead machine stays until somebody forces it, and what runs there is not touched', async () => {
    await deploy('  deletionPolicy: Down\n')
    const before = await stack.containers()
    await world.agent.kill('SIGKILL')
    const waited = await world.cli('delete', 'stagelet', 'shop', '--yes', '--timeout', '2s')
    expect(waited.code).toBe(1)
    expect(waited.stderr).toMatch(/still there: waits for stagely.dev\/agent \(.*--force\)/)
    const forced = await world.cli(
      'delete',
      'stagelet',
      'shop',
      '--yes',
      '--force',
      '--timeout',
      '20s',
    )
    expect(forced).toMatchObject({ code: 0, stdout: 'stagelet.stagely.dev "shop" force deleted\n' })
    expect(forced.stderr).toMatch(/^warning: not waiting for the agent/)
    expect((await world.cli('get', 'stagelet', 'shop')).stderr).toMatch(/NotFound/)
    expect(await notedByAgent()).toHaveLength(1)
    await world.startAgent()
    // After a reboot nothing of it is started.
    await passes(async () => {
      expect(await notedByAgent()).toEqual([])
    })
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('keeps what it runs while its machine is drained, and catches up after', async () => {
    await deploy()
    const drained = await world.cli('agent', 'drain', 'box', '--timeout', '60s')
    expect(drained).toMatchObject({ code: 0, stdout: 'agent.stagely.dev/box drained\n' })
    const before = await stack.containers()
    await world.patchSecret('shop-token.global', 'another-sesame')
    await eventually(() => world.must('describe', 'stagelet', 'shop'), 60_000).toMatch(
      /AgentDrained.*stagely agent undrain box/,
    )
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    await world.must('agent', 'undrain', 'box')
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '120s')
    expect(await inWeb('sh', '-c', 'echo $TOKEN')).toBe('another-sesame\n')
  })

  /** One plain write each, as Helm or a dashboard makes them: no change set says what belongs together. */
  const create = async (...texts: string[]): Promise<void> => {
    for (const text of texts) {
      const object = parse(text) as { kind: string }
      await world.call('POST', `${object.kind.toLowerCase()}s`, object)
      await sleep(300)
    }
  }
  const progressing = async (): Promise<Condition | undefined> => {
    const { status } = (await world.read('stagelets/shop')) as {
      status?: { conditions?: Condition[] }
    }
    return findCondition(status?.conditions, 'Progressing')
  }
  const removeAll = async (): Promise<void> => {
    await world.must('delete', 'stagelet', 'shop', '--yes', '--timeout', '60s')
    for (const name of ['shop-token.global', 'shop-greeting.global'])
      await world.call('DELETE', `stagelysecrets/${name}`).catch(() => undefined)
    await world.call('DELETE', 'projects/shop')
  }
  const inSync = (): Promise<string> =>
    world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  const given = (): Promise<string> => inWeb('sh', '-c', 'echo $TOKEN $GREETING')

  it('made in the order of Helm, starts each container once', async () => {
    await removeAll()
    await stack.compose('down')
    const since = Math.floor(Date.now() / 1_000)
    const secrets = [secretYaml('TOKEN', 'first'), secretYaml('GREETING', 'hello')]
    await create(projectYaml(), stagelet(), ...secrets)
    await inSync()
    expect(await given()).toBe('first hello\n')
    expect(await creationsSince(stack, since)).toEqual({ web: 1 })
  })

  it('made again piece by piece, takes no key away, and starts each container once', async () => {
    await removeAll()
    const before = await stack.containers()
    const since = Math.floor(Date.now() / 1_000)
    await create(stagelet(), projectYaml())
    const missing = async (message: RegExp): Promise<void> => {
      await passes(async () => {
        expect(await progressing()).toMatchObject({
          status: 'False',
          reason: 'KeysMissing',
          message: expect.stringMatching(message) as string,
        })
      })
    }
    await missing(/were given GREETING, TOKEN before/)
    await create(secretYaml('GREETING', 'hello again'))
    await missing(/were given TOKEN before/)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    await create(secretYaml('TOKEN', 'second'))
    await inSync()
    expect(await given()).toBe('second hello again\n')
    expect(await creationsSince(stack, since)).toEqual({ web: 1 })
  })
})
