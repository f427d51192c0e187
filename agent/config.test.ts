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
