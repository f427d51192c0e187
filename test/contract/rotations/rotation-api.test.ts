// Rotations by REST and by the command: shown, asked for, held up, and ended by who may.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'

interface Shown {
  readonly phase: string
  readonly attempt: number
  readonly last_rotated_at?: string
  readonly conditions: { type: string; status: string; reason: string }[]
}

describe('rotations', () => {
  let world: CommandWorld
  beforeAll(async () => {
    world = await startCommandWorld()
    const manifest = [
      { kind: 'Project', metadata: { name: 'shop' } },
      ...['current', 'list'].map((output) => ({
        kind: 'StagelySecret',
        metadata: { name: `sign-${output}` },
        spec: {
          projectRef: { name: 'shop' },
          key: `SIGN_${output.toUpperCase()}`,
          valueFrom: { rotation: { name: 'signing', output } },
        },
      })),
      {
        kind: 'Rotation',
        metadata: { name: 'signing' },
        spec: {
          projectRef: { name: 'shop' },
          outputs: { current: 'sign-current', list: 'sign-list' },
          rotator: { generate: {} },
        },
      },
    ]
    const text = manifest
      .map((one) => JSON.stringify({ apiVersion: 'stagely.dev/v1alpha1', ...one }))
      .join('\n---\n')
    const applied = await world.apply(text)
    expect(applied.code).toBe(0)
  })
  afterAll(() => world.stop())

  const shown = async (): Promise<Shown> =>
    (JSON.parse(await world.must('get', 'rotation', 'signing', '-o', 'json')) as { status: Shown })
      .status

  it('make their first value, and another when somebody asks', async () => {
    await eventually(async () => (await shown()).attempt).toBe(1)
    await eventually(async () => (await shown()).phase).toBe('Idle')
    const listed = /signing +shop +True +Idle +\w+ +\d+s/
    expect(await world.must('get', 'rotations')).toMatch(listed)
    expect(await world.must('get', 'rotations', '-A')).toMatch(listed)
    expect(await world.must('describe', 'rotation', 'signing')).toMatch(/Ready +True +Rotated/)
    expect(await world.must('rotation', 'run', 'signing', '--now')).toContain('signing starts')
    await eventually(async () => (await shown()).attempt).toBe(2)
    const history = await world.must('rotation', 'history', 'signing')
    expect(history).toMatch(/Preparing +RotationStarted/)
    const typed = await world.cliWith('canary', 'secrets', 'set', 'SIGN_CURRENT', '-p', 'shop')
    expect([typed.code, typed.stderr]).toEqual([1, expect.stringMatching(/"signing" makes it: /)])
  })

  it('end an old credential without a proof only where its name is typed', async () => {
    // Before that both credentials are not valid at once, and there is no old one to end.
    await eventually(async () => (await shown()).phase).toMatch(/^(?:Proving|Overlapping)$/)
    const refused = await world.cli('rotation', 'revoke', 'signing', '--confirm', 'shop')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/confirm: .*give the name of the rotation, signing/)
    await world.must('rotation', 'revoke', 'signing', '--confirm', 'signing')
    await eventually(async () => (await shown()).phase).toBe('Idle')
    const versions = await world.must('secrets', 'history', 'SIGN_CURRENT', '-o', 'json')
    expect(versions).toContain('revoked_at')
    const back = await world.cli(
      'secrets',
      'rollback',
      'SIGN_CURRENT',
      '--to-version',
      '1',
      '--yes',
    )
    expect(back.code).toBe(1)
    expect(back.stderr).toMatch(/credential that was revoked/)
    const whole = ['secrets', 'rollback', '--project', 'shop', '--to-revision', '1', '--dry-run']
    expect(await world.must(...whole)).toMatch(/Kept as they are.*: sign-current, sign-list/)
    const plan = JSON.parse(await world.must(...whole, '-o', 'json')) as { kept: string[] }
    expect(plan.kept).toEqual(['sign-current', 'sign-list'])
    const idle = await world.cli('rotation', 'revoke', 'signing', '--confirm', 'signing')
    expect(idle.stderr).toMatch(
      /^Error from server \(Conflict\): .*no old credential that is still valid/,
    )
  })

  it('are paused and resumed, and start where somebody has read the value', async () => {
    await world.must('rotation', 'pause', 'signing')
    const paused = await world.cli('rotation', 'run', 'signing')
    expect(paused.stderr).toMatch(/is paused: resume it first/)
    await world.must('rotation', 'resume', 'signing')
    await world.must('secrets', 'get', 'SIGN_CURRENT', '--reveal')
    const ran = await world.must('rotation', 'run', '--revealed-to', 'admin')
    expect(ran).toContain('rotation/signing starts')
    await eventually(async () => (await shown()).attempt).toBe(3)
  })

  it('are deleted after a question that says what stays valid', async () => {
    const asked = await world.cli('delete', 'rotation', 'signing')
    expect(asked.code).not.toBe(0)
    expect(asked.stderr).toContain('rotation signing: no credential is ended')
    expect((await shown()).attempt).toBe(3)
    await world.must('delete', 'rotation', 'signing', '--yes')
  })
})
