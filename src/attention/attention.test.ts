import { expect, it } from 'vitest'
import type { KubeObject } from '../resources/meta.ts'
import { attentionIn, judge } from './attention.ts'

const condition = (type: string, status: string, reason: string): object => ({
  type,
  status,
  reason,
  message: `because of ${reason}`,
  lastTransitionTime: '2026-01-01T00:00:00Z',
})

const object = (kind: string, conditions: readonly object[], more: object = {}): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name: 'one', namespace: 'default' },
  spec: { projectRef: { name: 'shop' } },
  status: { conditions },
  ...more,
})

const said = (...objects: KubeObject[]): string[] =>
  attentionIn(objects.map(judge)).map(
    ({ kind, condition: type, reason, passes }) =>
      `${kind} ${type} ${reason}${passes === true ? ' passes' : ''}`,
  )

it('says of what rolls that it passes, and of what waits for somebody that it does not', () => {
  const behind = condition('SecretsInSync', 'False', 'NewRevision')
  const rolling = [behind, condition('Progressing', 'True', 'Applying')]
  expect(said(object('Stagelet', rolling))).toEqual(['Stagelet SecretsInSync NewRevision passes'])
  const held = [behind, condition('Progressing', 'False', 'AwaitingTurn')]
  expect(said(object('Stagelet', held))).toEqual(['Stagelet SecretsInSync NewRevision'])
  const away = [
    condition('SecretsInSync', 'Unknown', 'AgentAway'),
    condition('Progressing', 'True', 'Applying'),
  ]
  expect(said(object('Stagelet', away))).toEqual(['Stagelet SecretsInSync AgentAway'])
  const failed = [...rolling, condition('Degraded', 'True', 'RolledBack')]
  expect(said(object('Stagelet', failed))).toEqual([
    'Stagelet Degraded RolledBack',
    'Stagelet SecretsInSync NewRevision passes',
  ])
})

it('names a value that was found in a repository beside a stack that is in sync', () => {
  const inSync = object('Stagelet', [condition('SecretsInSync', 'True', 'InSync')])
  const leaked = object('StagelySecret', [
    condition('InSync', 'True', 'InSync'),
    condition('RotationDue', 'True', 'Leaked'),
  ])
  expect(said(inSync, leaked)).toEqual(['StagelySecret RotationDue Leaked'])
})

it('names a request that waits, and none that is decided', () => {
  const request = (state: string): KubeObject =>
    object('AccessRequest', [], { status: { state, requester: { id: 'u', name: 'ann' } } })
  const [row] = attentionIn([judge(request('Pending'))])
  expect(row).toMatchObject({ condition: 'Waiting', reason: 'Pending' })
  expect(row?.message).toBe('ann asks to read values: stagely access show one')
  expect(said(request('Approved'))).toEqual([])
})
