import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parseAgentConfig, type AgentConfig } from './config.ts'

it('Compose works with the engine that the agent looks at, whatever Docker context is in use', () => {
  const hostOf = (env: Record<string, string>): (string | undefined)[] => {
    const config = parseAgentConfig(['--data-dir', '/d'], env) as AgentConfig
    return [config.dockerSocket, config.environment['DOCKER_HOST']]
  }
  const usual = ['/var/run/docker.sock', 'unix:///var/run/docker.sock']
  expect(hostOf({})).toEqual(usual)
  expect(hostOf({ DOCKER_HOST: '', DOCKER_CONTEXT: 'away' })).toEqual(usual)
  expect(hostOf({ DOCKER_HOST: 'unix:///own' })).toEqual(['/own', 'unix:///own'])
})

it('does tasks unless it is told not to, by flag or by environment', () => {
  const doesTasks = (argv: string[], env: Record<string, string> = {}): boolean =>
    (parseAgentConfig(['--data-dir', '/d', ...argv], env) as AgentConfig).tasks
  expect(doesTasks([])).toBe(true)
  expect(doesTasks(['--no-tasks'])).toBe(false)
  for (const on of ['1', 'true', 'yes'])
    expect(doesTasks([], { STAGELY_AGENT_NO_TASKS: on })).toBe(false)
  for (const off of ['', '0', 'false'])
    expect(doesTasks([], { STAGELY_AGENT_NO_TASKS: off })).toBe(true)
})

it('each folder of a flag is known by its whole path, since Compose runs elsewhere', () => {
  const argv = [
    '--data-dir',
    'd',
    '--allow-dir',
    'stacks',
    '--allow-dir=/srv',
    '--files-dir',
    './f',
  ]
  expect(parseAgentConfig(argv, {})).toMatchObject({
    dataDir: resolve('d'),
    allowDirs: [resolve('stacks'), '/srv'],
    filesDir: resolve('f'),
  })
})
