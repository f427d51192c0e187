import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { NotStagely, UnansweredError } from '../errors.ts'
import { summaryOf } from './summary.ts'

const rotation = {
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Rotation',
  metadata: { namespace: 'default', name: 'db' },
  spec: { projectRef: { name: 'shop' } },
}
const failing = (error: Error) => ({ call: () => Promise.reject(error) })

describe('what the controller says of an object', () => {
  it.each([
    ['project is gone', new StagelyError('NotFound', 'there is no project shop')],
    ['login may not read it', new StagelyError('Forbidden', 'viewers may not')],
    ['server is that of a cluster', new NotStagely('no controller', 404)],
  ])('is unknown with the reason where the %s', async (_, error) => {
    expect(await summaryOf(failing(error), rotation)).toEqual([`unknown: ${error.message}`])
  })

  it('is no summary where nobody answers, or where the kind has none', async () => {
    const away = new UnansweredError('nobody answers')
    await expect(summaryOf(failing(away), rotation)).rejects.toBe(away)
    expect(await summaryOf(failing(away), { ...rotation, kind: 'Stagelet' })).toEqual([])
  })
})
