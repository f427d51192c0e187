import { expect, it } from 'vitest'
import type { ContainerSummary } from '../docker/engine.ts'
import { sayPortHolders } from './port-holders.ts'
import { toService } from '../compose/service-model.ts'

const container = (service: string, port: number, more: Record<string, string> = {}) =>
  ({
    Names: [`/shop-${service}-1`],
    Labels: { 'com.docker.compose.service': service, ...more },
    Ports: [{ PublicPort: port, Type: 'tcp' }, { Type: 'tcp' }],
  }) as Partial<ContainerSummary> as ContainerSummary

const published = (name: string, ports: { published?: string; protocol?: string }[]) =>
  toService(name, { ports }, {})

it('names what holds a port of a service, and is no service of the stack any more', () => {
  const services = [
    published('web', [{ published: '8080', protocol: 'tcp' }, {}]),
    published('range', [{ published: '9000-9002' }]),
    published('dns', [{ published: '53', protocol: 'udp' }]),
  ]
  const oneOff = { 'com.docker.compose.oneoff': 'True' }
  const all = [
    container('old', 8080),
    container('range', 9001, oneOff),
    container('gone', 9002),
    container('other', 53),
    container('web', 8080),
  ]
  expect(sayPortHolders(services, [], all)).toEqual([
    'container shop-old-1 of old, which the Compose files do not name any more, holds port 8080/tcp: docker rm -f shop-old-1',
    'container shop-range-1 of "compose run range" holds port 9001/tcp: docker rm -f shop-range-1',
    'container shop-gone-1 of gone, which the Compose files do not name any more, holds port 9002/tcp: docker rm -f shop-gone-1',
  ])
  expect(sayPortHolders(services, ['range'], all)).toHaveLength(2)
})
