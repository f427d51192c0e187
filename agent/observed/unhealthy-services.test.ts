import { expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { findUnhealthy } from './unhealthy-services.ts'

const mask = (text: string): string => text.replaceAll('hush', '***')
const detailsOf = (found: ReturnType<typeof findUnhealthy>): string[] =>
  [...found.values()].map(({ detail }) => detail)

it('what is not well is named with container, exit code, restarts, and what its health check says, masked', () => {
  const found = findUnhealthy(
    [
      aContainer('api', 'd', { health: 'unhealthy', healthOutput: 'no answer to hush\n' }),
      aContainer('db', 'd', { health: 'healthy' }),
      aContainer('job', 'd', { state: 'exited' }),
      aContainer('new', 'd', { state: 'created', error: 'port is taken' }),
      aContainer('still', 'd', { state: 'paused', healthOutput: 'fine' }),
      aContainer('web', 'd', { state: 'restarting', exitCode: 7, restartCount: 4 }),
    ],
    mask,
    new Map(),
  )
  expect(detailsOf(found)).toEqual([
    'service api: container p-api-1 is unhealthy (0 restarts)\nhealth check: no answer to ***',
    'service new: container p-new-1 was made and does not run (0 restarts)\nengine: port is taken',
    'service still: container p-still-1 is paused; "docker unpause p-still-1" lets it go on',
    'service web: container p-web-1 keeps crashing (4 restarts, last exit code 7)',
  ])
})

it('other words of a health check are no news, and another restart is', () => {
  const sick = (healthOutput: string, restartCount: number) => [
    aContainer('api', 'd', { health: 'unhealthy', healthOutput, restartCount }),
  ]
  const first = findUnhealthy(sick('after 3 ms', 0), mask, new Map())
  const again = findUnhealthy(sick('after 4 ms', 0), mask, first)
  expect(detailsOf(again)).toEqual(detailsOf(first))
  expect(detailsOf(findUnhealthy(sick('after 5 ms', 1), mask, again))[0]).toMatch(
    /1 restart[^]*after 5 ms/,
  )
})
