import { describe, expect, it } from 'vitest'
import { aDesired } from '../../test/support/builders.ts'
import { held } from '../../test/support/held.ts'
import { mark } from '../../src/masking/masker.ts'
import { baseEnvironment } from '../../src/compose/environment.ts'
import { callFor, createStackTarget, globalVariables } from './stack-target.ts'

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

  it('loses no name that objects have of their own', () => {
    const globals = [secret('__proto__', 'a'), secret('constructor', 'b')]
    expect(Object.entries(globalVariables({}, globals))).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
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
      'PYTHONPATH',
      'CLOUDSDK_PYTHON',
      'PERL5OPT',
      'NODE_OPTIONS',
      'AWS_CONFIG_FILE',
      'PASSWORD_STORE_EXTENSIONS_DIR',
      'odd.name',
      '1ST',
    ]
    expect(
      globalVariables(
        { PATH: '/bin' },
        [...names, 'GOOD'].map((n) => secret(n, 'v')),
      ),
    ).toEqual({ GOOD: 'v' })
  })

  it('has of the global secrets those that the files are filled by, and no others', () => {
    const entries = ['NAMED', 'LISTED', 'OTHER'].map((key) => held(key, `the-${key}`))
    const desired = aDesired({ compose: { ...aDesired().compose, variables: ['LISTED'] } })
    const target = createStackTarget({ desired, entries, base: { PATH: '/bin' } }, undefined, false)
    const { env, mask } = callFor(target, { variables: ['LISTED', 'NAMED'] })
    expect(env).toEqual({ PATH: '/bin', NAMED: 'the-NAMED', LISTED: 'the-LISTED' })
    // What Compose or the engine quotes of a listed one.
    expect(mask('invalid port: the-LIST. No')).toBe(`invalid port: ${mark}. No`)
  })

  it('leaves out what no process can be given', () => {
    expect(globalVariables({}, [secret('A', 'x\0y'), secret('B', 'z'.repeat(200_000))])).toEqual({})
  })
})
