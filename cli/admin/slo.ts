// slo: how fast changes come to containers, against what is promised.
import { openClient } from '../connect/client.ts'
import type { Propagation } from '../../src/generated/rest-types.ts'
import { newCommand, toInstant, type Command, type CommonFlags } from '../options.ts'
import { Exit } from '../errors.ts'
import { printAs } from '../output/output.ts'
import { note, out } from '../print.ts'
import { renderColumns } from '../output/table.ts'

interface Flags extends CommonFlags {
  readonly project?: string
  readonly since?: string
}

export const command = (): Command =>
  newCommand(
    'slo -o',
    'Show how fast changes reach containers, against the objectives. Exits with 1 when an objective is missed.',
    [
      'stagely admin slo',
      'stagely admin slo -n shop --project shop --since 7d',
      'stagely admin slo -o json',
    ],
  )
    .option('--project <name>', 'only of this project')
    .option(
      '--since <time>',
      'since this time: 2026-01-31, 2026-01-31T10:00:00Z, or 7d for a week ago (default: 30d)',
      toInstant,
    )
    .action(slo)

const slo = async (flags: Flags): Promise<void> => {
  const { namespace: team, project, since, output } = flags
  const { rest } = await openClient(flags)
  const { body } = await rest.call<Propagation>('/slo', { query: { team, project, since } })
  if (output === 'json' || output === 'yaml') await printAs(body, output, () => '')
  else print(body)
  if (body.is_met === false) throw new Exit(1)
}

const seconds = (ms: number | undefined): string =>
  ms === undefined ? '-' : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`
const percent = (share: number): string => `${Math.floor(share * 10_000) / 100} %`

const meanings: Readonly<Record<string, string>> = {
  started: 'started after the close',
  proven: 'proven after healthy',
}

const print = ({ proven, objectives, stages, left_out }: Propagation): void => {
  if (proven === 0) note('Nothing was proven in this time.')
  else {
    const rows = objectives.map(({ objective, within_ms, target, share, is_met }) => [
      ...[meanings[objective] ?? objective, seconds(within_ms), percent(target)],
      ...[percent(share ?? 0), is_met === true ? 'met' : 'missed'],
    ])
    out(renderColumns(['OBJECTIVE', 'WITHIN', 'TARGET', 'MEASURED', 'RESULT'], rows))
    const times = stages.map(({ stage, p50_ms, p99_ms, max_ms }) => [
      ...[stage, seconds(p50_ms), seconds(p99_ms), seconds(max_ms)],
    ])
    out(`\n${renderColumns(['STAGE', 'MEDIAN', '99 %', 'LONGEST'], times)}`)
    out(`\n${proven} proven`)
    const slowest = objectives.flatMap(({ objective, missed = [] }) =>
      missed.map(({ team, project, stagelet, revision, ms }) => [
        ...[meanings[objective] ?? objective, team, project, stagelet, String(revision)],
        seconds(ms),
      ]),
    )
    if (slowest.length > 0)
      out(
        `\n${renderColumns(['SLOWEST', 'TEAM', 'PROJECT', 'STAGELET', 'REVISION', 'DURATION'], slowest)}`,
      )
  }
  if (left_out.length > 0)
    out(`left out: ${left_out.map(({ because, count }) => `${because} ${count}`).join(', ')}`)
}
