// The alert rules that are shipped, by Prometheus' own tool, on the metrics that a controller really serves.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { createMetrics } from '../../../controller/http/metrics/metrics.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

const monitoring = fileURLToPath(
  new URL('../../../charts/stagely/files/monitoring/', import.meta.url),
)
const rulesFile = join(monitoring, 'alerts.yaml')
interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
}
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

let folder: string
let controller: TestController
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stagely-alerts-'))
  controller = await startTestController()
})
afterAll(async () => {
  await controller?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const promtool = async (...args: string[]): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)('promtool', args)
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`promtool ${args[0]}: ${stdout}${stderr}`, { cause: error })
  }
}

/** Of a metric that is always there, and what makes the alert of this name fire. */
const quiet: Readonly<Record<string, string>> = {
  'stagely_leader{}': '1x120',
  'stagely_ready{check="database"}': '1x120',
  'stagely_ready{check="disk"}': '1x120',
  'stagely_refused_writes_total{}': '0x120',
  'stagely_ready{check="clock"}': '1x120',
  'stagely_agents_refused{reason="ClockSkew"}': '0x120',
  'stagely_backup_last_timestamp_seconds{}': '0x120',
  'stagely_agents{status="true"}': '5x120',
  'stagely_agents{status="false"}': '0x120',
  'stagely_agents{status="unknown"}': '0x120',
  'stagely_stagelets{condition="SecretsInSync",status="false"}': '0x120',
  'stagely_stagelets{condition="SecretsInSync",status="unknown"}': '0x120',
  'stagely_stagelets{condition="Degraded",status="true"}': '0x120',
  'stagely_stagelets{condition="Drifted",status="true"}': '0x120',
  'stagely_quarantined_services{}': '0x120',
  'stagely_manifest_faults{}': '0x120',
  'stagely_rotations{condition="Blocked"}': '0x120',
  'stagely_rotations{condition="Failed"}': '0x120',
  'stagely_rotations{condition="Overdue"}': '0x120',
  'stagely_key_due_timestamp_seconds{kind="data"}': '10000000000x120',
  'stagely_stores_stale{namespace="shop",store="aws"}': '0x120',
  'stagely_audit_link_failures_total{}': '0x120',
  'stagely_propagation_objective_total{objective="started",met="true"}': '0+100x120',
  'stagely_propagation_objective_total{objective="started",met="false"}': '0+0x120',
}
const misses = 'stagely_propagation_objective_total{objective="started",met="false"}'
const firing: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  StagelyNoLeader: { 'stagely_leader{}': '0x120' },
  StagelyLeaderChanges: { 'stagely_leader{}': '1 0 '.repeat(60).trim() },
  StagelyNotReady: { 'stagely_ready{check="database"}': '0x120' },
  StagelyWritesRefused: { 'stagely_refused_writes_total{}': '0+5x120' },
  StagelyDiskFull: { 'stagely_ready{check="disk"}': '0x120' },
  StagelyControllerClock: { 'stagely_ready{check="clock"}': '0x120' },
  StagelyAgentsRefused: { 'stagely_agents_refused{reason="ClockSkew"}': '1x120' },
  StagelyBackupOld: { 'stagely_backup_last_timestamp_seconds{}': '-700000x120' },
  StagelyAgentsAway: { 'stagely_agents{status="false"}': '1x120' },
  StagelyNotInSync: { 'stagely_stagelets{condition="SecretsInSync",status="false"}': '2x120' },
  StagelyUnknown: { 'stagely_stagelets{condition="SecretsInSync",status="unknown"}': '2x120' },
  StagelyDegraded: { 'stagely_stagelets{condition="Degraded",status="true"}': '1x120' },
  StagelyDrifted: { 'stagely_stagelets{condition="Drifted",status="true"}': '1x120' },
  StagelyQuarantine: { 'stagely_quarantined_services{}': '1x120' },
  StagelyManifestFaults: { 'stagely_manifest_faults{}': '3x120' },
  StagelyKeyRotationDue: { 'stagely_key_due_timestamp_seconds{kind="data"}': '0x120' },
  StagelyKeyRotationOverdue: { 'stagely_key_due_timestamp_seconds{kind="data"}': '-3000000x120' },
  StagelyStoreStale: { 'stagely_stores_stale{namespace="shop",store="aws"}': '1x120' },
  StagelyAuditLinkFailures: { 'stagely_audit_link_failures_total{}': '0+1x120' },
  StagelySlowPropagation: { [misses]: '0+30x120' },
  StagelyRotationBlocked: { 'stagely_rotations{condition="Blocked"}': '1x120' },
  StagelyRotationFailed: { 'stagely_rotations{condition="Failed"}': '1x120' },
  StagelyRotationOverdue: { 'stagely_rotations{condition="Overdue"}': '1x120' },
}

const testOf = (series: Readonly<Record<string, string>>, expected?: string): object => ({
  interval: '1m',
  input_series: Object.entries({ ...quiet, ...series }).map(([name, values]) => ({
    series: name,
    values,
  })),
  promql_expr_test: [
    {
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: '100m',
      exp_samples:
        expected === undefined ? [] : [{ labels: `{alertname="${expected}"}`, value: 1 }],
    },
  ],
})

describe('the alert rules', () => {
  it('fire each for its own reason, and not one while all is well', async () => {
    expect(Object.keys(firing)).toEqual(rules.map(({ alert }) => alert))
    const tests = [
      testOf({}),
      ...Object.entries(firing).map(([alert, series]) => testOf(series, alert)),
    ]
    const file = join(folder, 'tests.yaml')
    writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '5m', tests }))
    expect(await promtool('check', 'rules', rulesFile)).toContain(`${rules.length} rules found`)
    expect(await promtool('test', 'rules', file)).toContain('SUCCESS')
  })

  it('and the board ask for metrics that a controller serves', async () => {
    const metrics = createMetrics('test')
    metrics.onPropagated('team/shop', {
      result: 'Proven',
      times: { toldMs: 1, startedMs: 1, healthyMs: 1, provenMs: 1 },
    })
    const served =
      (await controller.call('GET', '/metrics')).text + (await metrics.registry.metrics())
    const board = readFileSync(join(monitoring, 'dashboard.json'), 'utf8')
    const asked = `${board}${rules.map(({ expr }) => expr).join(' ')}`.match(/\bstagely_[a-z_]+/g)
    // A histogram that has seen nothing has no samples yet.
    const types = [...served.matchAll(/^# TYPE (stagely_[a-z_]+) (\w+)$/gm)]
    const known = new Set(
      types.map(([, name = '', type]) => (type === 'histogram' ? `${name}_bucket` : name)),
    )
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([])
    expect(known.size).toBeGreaterThan(10)
  })
})

describe('the metrics of propagation', () => {
  it('count each end once, the times of what is proven, and which objectives are met', async () => {
    const metrics = createMetrics('test')
    const times = { toldMs: 900, startedMs: 200, healthyMs: 5_000, provenMs: 100 }
    metrics.onPropagated('team/shop', { result: 'Proven', times })
    metrics.onPropagated('team/shop', { result: 'Paused' })
    const text = await metrics.registry.metrics()
    const valueOf = (name: string, ...labels: string[]): number => {
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`))
      const line = lines.find((one) => labels.every((label) => one.includes(label)))
      return Number(line?.split(' ').at(-1))
    }
    const of = 'project="team/shop"'
    expect(valueOf('stagely_propagation_total', of, 'result="Proven"')).toBe(1)
    expect(valueOf('stagely_propagation_total', of, 'result="Paused"')).toBe(1)
    expect(valueOf('stagely_propagation_seconds_sum', of, 'stage="healthy"')).toBe(5)
    expect(valueOf('stagely_propagation_seconds_count', of, 'stage="told"')).toBe(1)
    const objective = 'stagely_propagation_objective_total'
    expect(valueOf(objective, of, 'objective="started"', 'met="false"')).toBe(1)
    expect(valueOf(objective, of, 'objective="proven"', 'met="true"')).toBe(1)
  })
})
