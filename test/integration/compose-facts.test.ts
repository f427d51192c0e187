// What the agent relies on and does nothing about: facts of agent/compose/facts.md on the real engine.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { baseEnvironment } from '../../src/compose/environment.ts'
import { findCompose } from '../../src/compose/compose.ts'
import { composeAt } from '../support/docker/compose-at.ts'
import { desiredFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import {
  createStack,
  idle,
  idleService,
  recreatedBetween,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

const env = baseEnvironment(process.env)
const token = (value: string) => held('TOKEN', value, 'web')

describe('Compose and the engine', () => {
  let stack: Stack
  let machine: Machine | undefined
  /** Of what Compose does not remove. */
  const cleanUps: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    await machine?.stop()
    machine = undefined
    await stack.remove()
    for (const cleanUp of cleanUps.splice(0)) await cleanUp()
  })
  const begin = async (compose: string): Promise<Machine> => {
    stack = await createStack(compose)
    machine = await startMachine(stack)
    await machine.roll([token('first')])
    return machine
  }

  it('read one override from stdin: a second one is empty', async () => {
    stack = await createStack(`services:\n${idleService('web')}`)
    const compose = await composeAt()
    const { stdout } = await compose.run({
      flags: ['-f', 'docker-compose.yml', '-f', '-', '-f', '-'],
      verb: ['config', '--format', 'json'],
      cwd: stack.directory,
      env,
      mask: (t) => t,
      stdin: 'services: {web: {environment: {FROM: stdin}}}',
    })
    expect(JSON.parse(stdout)).toMatchObject({
      services: { web: { environment: { FROM: 'stdin' } } },
    })
  })

  it('finish quietly when nobody reads what they say', async () => {
    stack = await createStack(`services:\n${idleService('web')}${idleService('db')}`)
    const args = ['-p', stack.project, '--progress', 'quiet', 'up', '-d']
    const child = spawn((await findCompose(env))!, args, { cwd: stack.directory, env })
    child.stdin.end()
    child.stdout.destroy()
    child.stderr.destroy()
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(Object.keys(await stack.containers()).sort()).toEqual(['db', 'web'])
  })

  it('let a secret win over the image, whose value is back when the secret is gone', async () => {
    const image = 'stagely-test/with-env:1'
    stack = await createStack(`services:\n  web:\n    image: ${image}\n    command: ${idle}\n`)
    const made = (await stack.docker('create', testImage, 'sh')).trim()
    await stack.docker('commit', '-c', 'ENV TOKEN=of-the-image', made, image)
    await stack.docker('rm', made)
    cleanUps.push(() => stack.docker('rmi', image))
    machine = await startMachine(stack)
    await machine.roll([token('of-the-secret')])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('of-the-secret')
    await machine.roll([])
    expect((await stack.environmentOf('web'))['TOKEN']).toBe('of-the-image')
  })

  it('leave a paused container paused, and roll out beside it', async () => {
    const started = await begin(`services:\n${idleService('web')}${idleService('db')}`)
    const before = await stack.containers()
    await stack.docker('pause', before['db']!.id)
    await started.roll([token('second')])
    const state = await stack.docker('inspect', '-f', '{{.State.Status}}', before['db']!.id)
    expect(state.trim()).toBe('paused')
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
    await stack.docker('unpause', before['db']!.id)
  })

  it('leave what is no longer in the file, and what has its profile off now', async () => {
    const web = idleService('web')
    const started = await begin(`services:\n${web}${idleService('gone')}${idleService('off')}`)
    await stack.compose('up', '-d', '--no-recreate')
    const before = await stack.containers()
    expect(Object.keys(before).sort()).toEqual(['gone', 'off', 'web'])
    await stack.write(`services:\n${web}${idleService('off', '    profiles: [never]\n')}`)
    await started.roll([token('second')])
    await started.roll([token('third')], { redeploy: 'now' })
    const after = await stack.containers()
    expect(recreatedBetween(before, after)).toEqual(['web'])
    expect(Object.keys(after).sort()).toEqual(['gone', 'off', 'web'])
  })

  it('leave anonymous volumes where a stack is taken down', async () => {
    const started = await begin(`services:\n${idleService('web', '    volumes: ["/data"]\n')}`)
    const mount = '{{range .Mounts}}{{.Name}}{{end}}'
    const { id } = (await stack.containers())['web']!
    const volume = (await stack.docker('inspect', '-f', mount, id)).trim()
    cleanUps.push(() => stack.docker('volume', 'rm', volume))
    started.loop.setDesired(desiredFor(stack, { revision: 9, release: 'Down' }), [])
    await started.until((r) => r.phase === 'Released')
    expect(await stack.containers()).toEqual({})
    expect((await stack.docker('volume', 'ls', '-q')).split('\n')).toContain(volume)
  })
})
