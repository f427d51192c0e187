import { expect, it } from 'vitest'
import { steersCompose } from './steers-compose.ts'

const steers = (line: string): boolean => {
  const [key = '', value = ''] = line.split('=')
  return steersCompose(key, value)
}

it('knows what fills a Compose file, and no container', () => {
  for (const line of [
    ...['COMPOSE_PROJECT_NAME=shop', 'COMPOSE_PROFILES=', 'TAG=1.2', 'API_IMAGE=acme/api'],
    ...['WEB_PORT=8080', 'PORTS=127.0.0.1:8080-8090', 'POSTGRES_VERSION=16'],
  ])
    expect(steers(line), line).toBe(true)
  for (const line of [
    'API_TOKEN=t',
    'PORT_KEY=1',
    'SUPPORT=8080',
    'DB_PORT=secret',
    'TAGS=a',
    'A=1',
  ])
    expect(steers(line), line).toBe(false)
})
