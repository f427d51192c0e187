// A preview as the commands print it, from the stagelet that it is.
import type { Stagelet } from '../../src/generated/rest-types.ts'
import { defined } from '../../src/kernel/defined.ts'
import { fields, type RecordView } from '../output/records.ts'

export interface Preview {
  readonly name: string
  readonly project: string
  /** Its stagelet, which has its logs, its receipts and its history. */
  readonly stagelet: string
  readonly environment?: string
  readonly agent: string
  readonly state: 'Starting' | 'Healthy' | 'Failed' | 'Unknown' | 'Ending'
  /** Why it is not healthy. */
  readonly message?: string
  readonly addresses: readonly string[]
  readonly images: Readonly<Record<string, string>>
  readonly created_at: string
  readonly ends_at?: string
}

type Shown = Pick<Preview, 'state' | 'message'>

const stateOf = ({ conditions, deleting_since, last_rollout: rollout }: Stagelet): Shown => {
  if (deleting_since !== undefined) return { state: 'Ending', message: 'it is being taken down' }
  const of = (type: string) => conditions.find((condition) => condition.type === type)
  const [ready, inSync, degraded] = [of('Ready'), of('SecretsInSync'), of('Degraded')]
  if (degraded?.status === 'True') return { state: 'Failed', message: degraded.message }
  if (ready === undefined || inSync === undefined) return { state: 'Starting' }
  if (ready.status === 'True' && inSync.status === 'True')
    return rollout?.result === 'Progressing' ? { state: 'Starting' } : { state: 'Healthy' }
  const [first] = [ready, inSync].filter(({ status }) => status !== 'True')
  const { status = '', message = '' } = first ?? {}
  return { state: status === 'Unknown' ? 'Unknown' : 'Starting', message }
}

export const toPreview = (stagelet: Stagelet): Preview => ({
  name: stagelet.preview ?? stagelet.name,
  project: stagelet.project,
  stagelet: stagelet.name,
  ...defined({ environment: stagelet.environment }),
  agent: stagelet.agent,
  ...stateOf(stagelet),
  addresses: stagelet.addresses ?? [],
  images: stagelet.compose.images ?? {},
  created_at: stagelet.created_at,
  ...defined({ ends_at: stagelet.ends_at }),
})

const unitsMs = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** `3d`, `5h`: how far a time is from now. */
const distance = (time: string | undefined, nowMs: number): string => {
  if (time === undefined) return ''
  const ms = Math.abs(Date.parse(time) - nowMs)
  const [unit, size] = unitsMs.find(([, length]) => ms >= length) ?? ['s', 1_000]
  return `${Math.floor(ms / size)}${unit}`
}

export const previewView = (nowMs: number): RecordView<Preview> => ({
  columns: [
    ...fields<Preview>('name', 'project', 'environment', 'state'),
    { header: 'AGE', cell: ({ created_at }) => distance(created_at, nowMs) },
    {
      header: 'ENDS',
      cell: ({ ends_at }) => (ends_at === undefined ? 'never' : `in ${distance(ends_at, nowMs)}`),
    },
    { header: 'ADDRESS', cell: ({ addresses }) => addresses.join(', ') },
    { header: 'AGENT', cell: ({ agent }) => agent, wide: true },
    { header: 'STAGELET', cell: ({ stagelet }) => stagelet, wide: true },
  ],
  nameOf: ({ name }) => `preview/${name}`,
  empty: 'No previews found.',
})

/** In a table of Markdown. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')

const fenced = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text.trim()}\n${fence}`
}

/** A comment for a pull request. The first line lets a program find the comment again. */
export const commentOf = (preview: Preview): string => {
  const { name, project, state, message, addresses, images, environment, ends_at: ends } = preview
  const rows = [
    ['Environment', environment ?? ''],
    ...Object.entries(images).map(([service, image]) => [`Image of ${service}`, `\`${image}\``]),
    ['Ends', ends ?? 'never'],
  ].map(([title = '', text = '']) => `| ${title} | ${cell(text)} |`)
  const links = addresses.map((address) => `- ${address}`)
  return [
    `<!-- stagely-preview ${project}/${name} -->`,
    `### Preview ${name} of ${project}: ${state.toLowerCase()}`,
    ...(links.length > 0 ? ['', ...links] : []),
    '',
    '| | |',
    '|---|---|',
    ...rows,
    ...(state === 'Healthy' || message === undefined ? [] : ['', fenced(message)]),
    '',
  ].join('\n')
}
