import { expect, it } from 'vitest'
import { aService } from '../../test/support/agents/a-service.ts'
import { findTaken } from './taken.ts'

const other = (Names: string, PublicPort = 0, IP = '0.0.0.0') => ({
  Id: '1',
  Names: [`/${Names}`],
  Labels: {},
  State: 'running',
  Status: '',
  Created: 0,
  Ports: PublicPort === 0 ? [] : [{ IP, PublicPort, Type: 'tcp' }],
})
const web = aService('web', { openPorts: ['8080/tcp'] })

it('a port or a name that a container of another stack has is told before anything starts', () => {
  expect(findTaken([web], [other('shop-web-1', 8080)])).toMatchObject({
    reason: 'PortTaken',
    message: expect.stringContaining('port 8080, which container shop-web-1 has') as string,
  })
  const named = aService('web', { containerName: 'web' })
  expect(findTaken([named], [other('web')])?.reason).toBe('NameTaken')
})

it('what meets nothing is not refused', () => {
  expect(
    findTaken([web], [other('a', 8081), other('b', 8080, '127.0.0.2'), other('c')]),
  ).toBeUndefined()
  expect(
    findTaken([aService('web', { openPorts: ['8080/tcp'], scale: 0 })], [other('a', 8080)]),
  ).toBeUndefined()
})
