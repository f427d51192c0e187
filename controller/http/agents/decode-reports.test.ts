import { expect, test } from 'vitest'
import { silentLogger, type Logger } from '../../../src/kernel/log.ts'
import { decodeReports } from './decode-reports.ts'
import { AgentRefusedError } from '../../orders/agent-refused.ts'

const good = {
  stageletUid: 's1',
  generation: 1,
  epoch: 1,
  revision: 1,
  phase: 'Settled',
  services: [],
  passed: {},
  pendingEdits: [],
  missingVariables: [],
}
const bad = { ...good, stageletUid: 's2', revision: -1 }
const request = (observations: unknown[]) => ({ boot: 'b', seq: 1, observations })

test('one malformed report does not hold up the others of its agent', async () => {
  const said: unknown[] = []
  const log = { warn: (facts: unknown) => said.push(facts) } as unknown as Logger
  expect(await decodeReports(request([bad, good, null]), log)).toEqual({
    request: request([good]),
    refused: ['s2'],
  })
  expect(said).toEqual([{ faults: ['observations.0.revision', 'observations.2.stageletUid'] }])
})

test('a request whose reports are all malformed is refused, with their fields', async () => {
  const refused = decodeReports(request([bad]), silentLogger)
  await expect(refused).rejects.toThrow(AgentRefusedError)
  await expect(refused).rejects.toThrow('the message is malformed at: observations.0.revision')
})

test('an agent without stagelets reports nothing, and that is well', async () => {
  expect(await decodeReports(request([]), silentLogger)).toMatchObject({ refused: [] })
})
