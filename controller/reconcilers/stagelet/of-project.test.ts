import { describe, expect, it } from 'vitest'
import { aService, aStagelet, anInput, anObservation } from '../../../test/support/builders.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { decideStagelet } from './decide.ts'
import { inProject, reportInProject, toldOfOther } from './of-project.ts'

const status: StageletStatus = {
  project: { uid: 'before', since: '' },
  wantedRevision: 7,
  healthyRevision: 7,
  runningRevision: 7,
  admitted: { revision: 7, at: '', retry: '' },
  lastRollout: { revision: 7, result: 'Failed' },
  services: [{ name: 'web', state: 'running', revision: 7, runningDigest: 'd' }],
  conditions: [],
}
const stagelet = { ...aStagelet(), status }
const report = anObservation({
  projectUid: 'before',
  revision: 7,
  services: [aService({ name: 'web', digests: ['d'] })],
  passed: { web: 'd' },
})

describe('revisions of another project', () => {
  it('do not count: what runs is known, and no revision of it', () => {
    expect(inProject(stagelet, 'p').status).toEqual({
      project: status.project,
      services: [{ name: 'web', state: 'running', runningDigest: 'd' }],
      conditions: [],
    })
    expect(reportInProject(report, 'p')).toMatchObject({
      epoch: 0,
      revision: 0,
      phase: 'Pending',
      services: report.services,
    })
    const released = reportInProject({ ...report, projectUid: '', phase: 'Released' }, 'p')
    expect(released?.phase).toBe('Released')
    const turn = { revision: 2, project: 'p', at: '', retry: '' }
    const letIn = { ...stagelet, status: { ...status, admitted: turn } }
    expect(inProject(letIn, 'p').status).toMatchObject({ admitted: turn })
  })

  it('count in that project, and where nobody says whose they are', () => {
    expect(inProject(stagelet, 'before')).toBe(stagelet)
    expect(reportInProject(report, 'before')).toBe(report)
    const { project: _, ...older } = status
    expect(inProject({ ...stagelet, status: older }, 'p').status).toBe(older)
    const { projectUid: _p, ...told } = report
    expect(reportInProject(told, 'p')).toBe(told)
  })

  it('stay what the agent is told until there is one of this project', () => {
    expect(toldOfOther(stagelet, 'before')).toBeUndefined()
    const input = anInput([], {
      stagelet: inProject(stagelet, 'p'),
      toldOfOther: toldOfOther(stagelet, 'p'),
      observation: reportInProject(report, 'p'),
      project: { uid: 'p', since: '' },
    })
    const waits = decideStagelet({ ...input, isStaged: true }).status
    expect(waits).toMatchObject({ wantedRevision: 7, project: status.project })
    const { status: goes } = decideStagelet(input)
    expect(goes).toMatchObject({ wantedRevision: 1, project: { uid: 'p' } })
    expect(goes).not.toHaveProperty('healthyRevision')
  })
})
