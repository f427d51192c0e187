// scan findings, scan fix: what was reported, and a new value for it.
import { openClient } from '../connect/client.ts'
import type { FoundSecret, Rotation } from '../../src/generated/rest-types.ts'
import { isReadOnce, readOnceRemedy } from '../../src/databases/read-once.ts'
import { defined } from '../../src/kernel/defined.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { pathOf } from '../connect/api.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'
import { fields, printRecords, type RecordView } from '../output/records.ts'
import { note, oneLine, out } from '../print.ts'
import { runText } from '../rotation/views.ts'
import { rotateGenerated } from '../secrets/generate.ts'
import { writeSecret } from '../secrets/set.ts'
import { readGivenValue, type ValueFlags } from '../secrets/values.ts'
import { projectsOf } from './findings.ts'

interface Flags extends CommonFlags, ValueFlags {
  readonly project?: string
  readonly all?: boolean
}

type Finding = FoundSecret & { readonly project: string }

const view: RecordView<Finding> = {
  columns: [
    ...fields<Finding>('id', 'key', 'project', 'scope', 'version', 'state'),
    { header: 'REPOSITORY', cell: ({ repository }) => oneLine(repository) },
    { header: 'AT', cell: ({ path, line }) => oneLine(`${path}:${line}`) },
    { header: 'FOUND', cell: ({ found_at: at }) => at },
    { header: 'COMMIT', cell: ({ commit }) => commit ?? '-', wide: true },
    { header: 'CLOSED', cell: ({ closed_at: at }) => at ?? '-', wide: true },
  ],
  nameOf: ({ id }) => `finding/${id}`,
  empty: 'No finding is open.',
}

const findingsIn = async (rest: RestClient, { project: given, all }: Flags): Promise<Finding[]> => {
  const projects = await projectsOf(rest, given)
  const lists = await Promise.all(
    projects.map(async (project) => {
      const query = all === true ? {} : { state: 'open' }
      const path = `${projectPath(rest.namespace, project)}/findings`
      const found = await rest.list<FoundSecret>(path, 'findings', query)
      return found.map((finding) => ({ ...finding, project }))
    }),
  )
  return lists.flat()
}

const projectFlag = ['-p, --project <name>', 'project; else all of the namespace'] as const

export const findingsCommand = (): Command =>
  newCommand(
    'findings -o',
    'List the findings that "stagely scan --report" has told and that are open.',
    ['stagely scan findings', 'stagely scan findings -p shop --all -o json'],
  )
    .option(...projectFlag)
    .option('--all', 'also those that have closed by themselves in the last 30 days')
    .action(async (flags: Flags) => {
      const { rest } = await openClient(flags)
      await printRecords(await findingsIn(rest, flags), view, flags.output)
    })

export const fixCommand = (): Command =>
  newCommand(
    'fix',
    'Give the secret of a finding a new value: start its Rotation, let one be generated, or ask for it.',
    ['stagely scan fix 3f9a1c20d4e5b677', 'stagely scan fix 3f9a1c20d4e5b677 < key.txt'],
  )
    .argument('<finding>', 'id, by "stagely scan findings"')
    .option(...projectFlag)
    .option('--from-file <file>', 'read the value from a file, byte for byte')
    .option('--keep-newline', 'keep the newline at the end of stdin; else one is dropped')
    .action(fix)

const fix = async (id: string, flags: Flags): Promise<void> => {
  const { api, rest } = await openClient(flags)
  const finding = (await findingsIn(rest, { ...flags, all: true })).find((found) => found.id === id)
  if (finding === undefined)
    throw new CliError(`there is no finding ${id}: see "stagely scan findings"`)
  if (finding.state !== 'open') {
    note(`finding ${id} is closed: version ${finding.version} is ${finding.state}`)
    return
  }
  const { project, key } = finding
  const path = pathOf(servedKind('StagelySecret'), api.namespace, finding.secret)
  const { scope, stageletRef, environments, valueFrom } = specOf(
    'StagelySecret',
    (await api.call(path)) as Parameters<typeof specOf>[1],
  )
  const { rotation, generate } = valueFrom ?? {}
  if (rotation !== undefined) {
    const run = `${projectPath(rest.namespace, project)}/rotations/${encodeURIComponent(rotation.name)}/run`
    const { body } = await rest.call<Rotation>(run, { method: 'POST', body: {} })
    out(runText(body, { isHasty: false }))
    return
  }
  const place = {
    project,
    scope,
    ...defined({ stagelet: stageletRef?.name, environment: environments }),
  }
  const all = { ...flags, ...place, timeout: 0 }
  if (valueFrom === undefined && isReadOnce(key))
    throw new CliError(
      `${readOnceRemedy(key)}. Where you have changed it in the database by hand: stagely secrets set ${key} --project ${project} --scope ${scope}`,
    )
  if (generate !== undefined) await rotateGenerated(key, all)
  else await writeSecret(key, all, () => readGivenValue(key, flags))
  note('End the old value where it is from: nothing here can.')
}
