// upgrade --check: which versions run, and in which order they are upgraded. Asks the controller alone.
import { openClient } from '../connect/client.ts'
import { defined } from '../../src/kernel/defined.ts'
import { version as ownVersion } from '../../src/kernel/version.ts'
import { usageError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { listObjects, objectSelection } from '../objects/objects.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { printAs } from '../output/output.ts'
import { renderColumns } from '../output/table.ts'
import { upgradePlan, type RunningPart, type UpgradePlan } from '../upgrade/plan.ts'

export const command = (): Command =>
  newCommand(
    'upgrade -o=data -A',
    'Show which versions run, and what is upgraded in which order.',
    ['stagely admin upgrade --check', 'stagely admin upgrade --check -A -o json'],
  )
    .option('--check', 'only look; packages do the rest')
    .action(upgrade)

const upgrade = async (flags: CommonFlags & { check?: boolean }): Promise<void> => {
  if (flags.check !== true)
    throw usageError(
      'a package upgrades Stagely, such as "apt install ./stagely_*.deb"; --check says in which order',
    )
  const plan = upgradePlan(await runningParts(flags))
  await printAs(plan, flags.output, () => renderPlan(plan))
}

const runningParts = async (flags: CommonFlags): Promise<RunningPart[]> => {
  const { api } = await openClient(flags)
  // An API server of Kubernetes answers too, and has no version of ours.
  const { stagelyVersion } = (await api.call('/version')) as { stagelyVersion?: string }
  const agents = await listObjects(api, servedKind('Agent'), objectSelection(api, flags))
  return [
    { part: 'controller', name: api.server, ...defined({ version: stagelyVersion }) },
    ...agents.map(({ metadata, status }): RunningPart => {
      const { version } = (status ?? {}) as { version?: string }
      return {
        part: 'agent',
        name: `${metadata.namespace ?? ''}/${metadata.name}`,
        ...defined({ version }),
      }
    }),
    { part: 'command', name: 'on this machine', version: ownVersion },
  ]
}

const renderPlan = ({ newest, parts, behind, unknown }: UpgradePlan): string => {
  const rows = parts.map(({ part, name, version = 'unknown' }) => [part, name, version])
  const nameOf = ({ part, name }: RunningPart): string => `${part} ${name}`
  const backup =
    behind[0]?.part === 'controller' ? ['take a backup: stagely admin backup --to FILE'] : []
  const steps = [...backup, ...behind.map((part) => `${nameOf(part)}: install ${newest}`)]
  return [
    renderColumns(['PART', 'NAME', 'VERSION'], rows),
    '',
    ...(steps.length === 0
      ? ['Nothing is older than the newest version here.']
      : ['In this order:', ...steps.map((step, at) => `  ${at + 1}. ${step}`)]),
    ...(unknown.length === 0 ? [] : [`Unknown: ${unknown.map(nameOf).join(', ')}.`]),
    'Nobody outside was asked whether a newer version exists.',
  ].join('\n')
}
