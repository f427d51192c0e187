import { describe, expect, it } from 'vitest'
import { baseEnvironment } from '../src/compose/environment.ts'
import { composeEnvironment } from './compose-environment.ts'

const secret = (key: string, value: string) => ({ key, value: Buffer.from(value) })

describe('the environment of Compose', () => {
  it('is only what Docker and the network need', () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      DOCKER_HOST: 'unix:///x',
      https_proxy: 'p',
      NO_PROXY: 'n',
      SSH_AUTH_SOCK: 's',
      COMPOSE_FILE: 'x',
      SECRET: 'y',
      STAGELY_TOKEN: 'z',
    }
    expect(Object.keys(baseEnvironment(env))).toEqual([
      'PATH',
      'HOME',
      'DOCKER_HOST',
      'https_proxy',
      'NO_PROXY',
      'SSH_AUTH_SOCK',
    ])
  })

  it('gets global secrets, but none that steers Compose, Docker, the loader or the shell', () => {
    const names = [
      'PATH',
      'HOME',
      'COMPOSE_FILE',
      'COMPOSE_PROJECT_NAME',
      'DOCKER_HOST',
      'LD_PRELOAD',
      'HTTP_PROXY',
      'BASH_ENV',
      'OPTIND',
      'PWD',
      'GODEBUG',
      'SSL_CERT_FILE',
      'GLIBC_TUNABLES',
      'GRPC_GO_LOG_SEVERITY_LEVEL',
      'odd.name',
      '1ST',
    ]
    expect(
      composeEnvironment(
        { PATH: '/bin' },
        [...names, 'GOOD'].map((n) => secret(n, 'v')),
      ),
    ).toEqual({ PATH: '/bin', GOOD: 'v' })
  })

  it('leaves out what no process can be given', () => {
    expect(composeEnvironment({}, [secret('A', 'x\0y'), secret('B', 'z'.repeat(200_000))])).toEqual(
      {},
    )
  })
})
