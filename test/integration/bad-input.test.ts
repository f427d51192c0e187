// Bad input of every kind: a clear answer that says what to do, and running containers stay up.
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentHere } from '../support/agents/agent-here.ts'
import { eventually as read } from '../support/eventually.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import {
  createStack,
  idle,
  idleService,
  recreatedBetween,
  type Stack,
} from '../support/docker/stack.ts'

const compose = `services:\n${idleService('web')}${idleService('db')}`

describe('bad input', () => {
  let world: World
  let stack: Stack

  beforeAll(async () => {
    stack = await createStack(compose)
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHere,
      database: await freshDatabase(),
    })
    await world.apply(
      projectYaml() +
        secretYaml('KEY', 'a good value', 'web') +
        stageletYaml(stack.directory, stack.project),
    )
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
  })

  const refused = async (yaml: string): Promise<string> => {
    const before = await stack.containers()
    const ran = await world.apply(yaml)
    expect(ran.code).toBe(1)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    return ran.stdout + ran.stderr
  }

  const secretWith = (spec: string): string =>
    `apiVersion: stagely.dev/v1alpha1\nkind: StagelySecret\nmetadata: {name: bad}\nspec:\n  projectRef: {name: shop}\n  key: BAD\n${spec}`

  it.each<[string, string, RegExp]>([
    ['broken YAML', 'kind: [unclosed', /line 1|:1/],
    ['an unknown field', secretWith('  value: good-value\n  vlaue: x\n'), /spec\.vlaue/],
    ['a wrong type', secretWith('  value: 12345678\n'), /spec\.value.*quote it/],
    [
      'two sources for one value',
      secretWith('  value: good-value\n  valueBase64: Z29vZA==\n'),
      /valueBase64/,
    ],
    ['a NUL in a value', secretWith('  value: "a\\0b"\n'), /spec\.value.*NUL/i],
    [
      'an env value of 200 KiB',
      secretWith(`  value: "${'x'.repeat(200 * 1024)}"\n`),
      /spec\.value.*13\d{4} bytes/,
    ],
    [
      'a bare number as a mode',
      secretWith('  type: file\n  file: {path: ./x, mode: 0600}\n  value: good-value\n'),
      /spec\.file\.mode.*quote it/,
    ],
  ])(
    'answers %s with the field and the remedy, and applies nothing',
    async (_what, yaml, expected) => {
      expect(await refused(yaml)).toMatch(expected)
      expect((await world.cli('get', 'stagelysecret', 'bad')).code).toBe(1)
    },
  )

  // In any order: the project may come later.
  it('takes what names a missing project, says so at once and in status, and starts nothing', async () => {
    const early = await createStack(compose)
    try {
      const ran = await world.apply(
        secretYaml('KEY', 'an early value', 'web', 'nowhere') +
          stageletYaml(early.directory, early.project, 'nowhere'),
      )
      expect(ran.code).toBe(0)
      expect(ran.stderr).toMatch(
        /Warning: spec\.projectRef\.name: Project "nowhere" does not exist/,
      )
      await eventually('nowhere', 'Accepted', /False\/ProjectMissing.*"nowhere".*apply it/)
      await eventually('nowhere', 'SecretsInSync', /False\/ProjectMissing/)
      expect(await early.containers()).toEqual({})
      await world.must('delete', 'stagelet', 'nowhere', '--yes')
      await world.must('delete', 'stagelysecret', 'nowhere-key.web', '--yes')
    } finally {
      await early.remove()
    }
  })

  it('reports all faults of all documents at once and applies none of them', async () => {
    const output = await refused(
      `${secretWith('  value: 1\n')}---\n${secretWith('  scope: "a b"\n  value: ok-value\n')}---\n${secretYaml('FINE', 'a fine value')}`,
    )
    expect(output).toMatch(/spec\.value/)
    expect(output).toMatch(/spec\.scope/)
    expect((await world.cli('get', 'stagelysecret', 'shop-fine.global')).code).toBe(1)
  })

  const conditionOf = async (name: string, type: string): Promise<string> => {
    const stagelet = JSON.parse(await world.must('get', 'stagelet', name, '-o', 'json')) as {
      status?: { conditions?: { type: string; status: string; reason: string; message: string }[] }
    }
    const found = stagelet.status?.conditions?.find((c) => c.type === type)
    return `${found?.status}/${found?.reason}: ${found?.message}`
  }
  const eventually = async (name: string, type: string, expected: RegExp): Promise<void> => {
    await read(() => conditionOf(name, type)).toMatch(expected)
  }
  const other = (name: string, directory: string, agent = 'box'): string =>
    stageletYaml(directory, `stagely-t-${name}`, 'shop')
      .replace('name: shop}\nspec', `name: ${name}}\nspec`)
      .replace('{name: box}', `{name: ${agent}}`)

  it('says that the agent is unknown and how to make it', async () => {
    await world.apply(other('lonely', stack.directory, 'nobody'))
    await eventually(
      'lonely',
      'AgentReachable',
      /False\/AgentMissing.*stagely agent token create --name nobody/,
    )
    await world.must('delete', 'stagelet', 'lonely', '--yes')
  })

  it('says that the directory is missing', async () => {
    await world.apply(other('nodir', `${stack.directory}/nonexistent`))
    await eventually('nodir', 'Degraded', /True\/DirectoryMissing.*nonexistent/)
    await world.must('delete', 'stagelet', 'nodir', '--yes')
  })

  it('says that another stagelet already runs the Compose project, and touches nothing', async () => {
    const twin = await createStack(`name: ${stack.project}\n${compose}`)
    try {
      const before = await stack.containers()
      await world.apply(other('twin', twin.directory).replace(/, projectName: [^}]*/, ''))
      await eventually('twin', 'Degraded', /True\/ProjectClaimed.*projectName/)
      expect(recreatedBetween(before, await stack.containers())).toEqual([])
      await world.must('delete', 'stagelet', 'twin', '--yes')
    } finally {
      await rm(twin.directory, { recursive: true })
    }
  })

  const brokenLater = async (text: string, condition: RegExp): Promise<void> => {
    const before = await stack.containers()
    await stack.write(text)
    await world.must('deploy', 'shop')
    await eventually('shop', 'Degraded', condition)
    const after = await stack.containers()
    expect(recreatedBetween({ db: before['db']! }, { db: after['db']! })).toEqual([])
    await stack.write(compose)
    await world.must('deploy', 'shop')
    await eventually('shop', 'Ready', /^True/)
  }

  it('says why a compose file does not parse, and leaves everything running', async () => {
    await brokenLater('services:\n  web: [nonsense', /True\/ComposeInvalid/)
  })

  it('names an image that cannot be pulled, and leaves everything running', async () => {
    await brokenLater(
      compose.replace('stagely-test/busybox:1', 'stagely-test/absent:9'),
      /True\/.*absent/,
    )
  })

  it('names a port that is taken, and leaves the other service running', async () => {
    const port = new URL(world.url).port
    await brokenLater(
      `services:\n${idleService('web', `    ports: ["127.0.0.1:${port}:80"]\n`)}${idleService('db')}`,
      /True\/.*(port|address)/i,
    )
  })

  it('explains a first deploy that crashes, with the exit code', async () => {
    const crash = await createStack(
      `services:\n${idleService('web').replace(idle, '["sh", "-c", "echo dying; exit 7"]')}`,
    )
    try {
      await world.apply(other('crash', crash.directory).replace('stagely-t-crash', crash.project))
      await eventually('crash', 'Degraded', /True\/RolloutFailed.*web.*7/s)
      await world.must('delete', 'stagelet', 'crash', '--yes')
    } finally {
      await crash.remove()
    }
  })
})
