import { expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { offersFor } from './complete.ts'
import { completionTable } from '../generated/completion-table.ts'

const object = (name: string, spec: object = {}): KubeObject =>
  ({ metadata: { name }, spec }) as KubeObject
const of = (project: string, more: object = {}): object => ({
  projectRef: { name: project },
  ...more,
})

const stored: Readonly<Record<string, readonly KubeObject[]>> = {
  Project: [object('shop', { environments: [{ name: 'production' }] }), object('blog')],
  Stagelet: [object('prod', of('shop')), object('test', of('blog'))],
  StagelySecret: [
    object('a', of('shop', { key: 'STRIPE_KEY' })),
    object('b', of('shop', { key: 'STRIPE_KEY' })),
    object('c', of('blog', { key: 'DB_URL' })),
  ],
  Agent: [object('web-1')],
  context: [object('prod')],
}

const completed = (line: string): Promise<readonly string[]> =>
  offersFor(completionTable, line.split(' '), (kind) => Promise.resolve(stored[kind] ?? []))

it.each([
  ['rot', ['rotation']],
  ['rollout re', ['resume', 'retry']],
  ['get stagelets ', ['prod', 'test']],
  ['describe project ', ['shop', 'blog']],
  ['describe project s', ['shop']],
  ['delete secret ', ['a', 'b', 'c']],
  ['secrets get ', ['DB_URL', 'STRIPE_KEY']],
  ['secrets get --project blog ', ['DB_URL']],
  ['secrets get -p shop ', ['STRIPE_KEY']],
  ['secrets get --rev', ['--reveal']],
  ['secrets set KEY --environment ', ['production']],
  ['secrets get --stagelet ', ['prod', 'test']],
  ['secrets list --project ', ['shop', 'blog']],
  ['secrets list --project=s', ['--project=shop']],
  ['secrets list --project =', ['shop', 'blog']],
  ['secrets list --project = s', ['shop']],
  ['secrets list --reveal=s', []],
  ['rollout status ', ['shop', 'blog', 'stagelet/prod', 'stagelet/test']],
  ['agent drain ', ['web-1']],
  ['agent drain web-1 ', ['web-1']],
  ['context ', ['prod']],
  ['diff -o ', ['json', 'yaml', 'name', 'wide']],
  ['diff -o w', ['wide']],
  ['secrets get KEY ', []],
  ['secrets set KEY --value ', []],
  ['no-such command ', []],
])('"stagely %s" goes on with the names that fit', async (line, names) => {
  expect(await completed(line)).toEqual(names)
})

it('knows every kind that is served, and the words of every command', async () => {
  expect(await completed('get ')).toContain('stagelets')
  expect(await completed('get ')).not.toContain('observations')
  expect(await completed('')).toContain('status')
  const paths = completionTable.map(({ path }) => path)
  for (const path of ['secrets set', 'rollout undo', 'agent token create'])
    expect(paths).toContain(path)
})
