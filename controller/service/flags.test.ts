import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parseServiceFlags } from './flags.ts'

it('a unit gets whole paths: a service starts in another folder than the one who installs it', () => {
  const argv = ['--data-dir', 'd', '--manifests', 'm', '--tls-cert-file=c.pem', '--listen', ':1']
  expect(parseServiceFlags([...argv, '--unit-dir', 'units'])).toMatchObject({
    dataDir: resolve('d'),
    unitDir: resolve('units'),
    args: [
      ...['--data-dir', resolve('d'), '--manifests', resolve('m')],
      ...[`--tls-cert-file=${resolve('c.pem')}`, '--listen', ':1'],
    ],
  })
})
