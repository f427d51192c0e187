import { expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { completedBy, namesFrom } from './complete.ts'
import { completionTable } from './table.ts'

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
}

const completed = async (line: string): Promise<readonly string[]> => {
  const wanted = completedBy(completionTable, line.split(' '))
  const list = (kind: string): Promise<readonly KubeObject[]> => Promise.resolve(stored[kind] ?? [])
  return wanted === undefined ? [] : namesFrom(wanted, list)
}

it.each([
  ['get stagelets', ['prod', 'test']],
  ['describe project', ['shop', 'blog']],
  ['delete secret', ['a', 'b', 'c']],
  ['secrets get', ['DB_URL', 'STRIPE_KEY']],
  ['secrets get --project blog', ['DB_URL']],
  ['secrets get -p shop', ['STRIPE_KEY']],
  ['secrets set KEY --environment', ['production']],
  ['secrets get --stagelet', ['prod', 'test']],
  ['secrets list --project', ['shop', 'blog']],
  ['rollout status', ['shop', 'blog', 'stagelet/prod', 'stagelet/test']],
  ['agent drain', ['web-1']],
  ['agent drain web-1', ['web-1']],
  ['diff -o', ['json', 'yaml', 'name', 'wide']],
  ['secrets get KEY', []],
  ['secrets set KEY --value', []],
  ['no-such command', []],
])('"stagely %s" goes on with the names that fit', async (line, names) => {
  expect(await completed(line)).toEqual(names)
})

it('knows every kind that is served, and the words of every command', async () => {
  expect(await completed('get')).toContain('stagelets')
  expect(await completed('get')).not.toContain('observations')
  const paths = completionTable.map(({ path }) => path)
  for (const path of ['', 'secrets set', 'rollout undo', 'agent token create'])
    expect(paths).toContain(path)
  expect(completionTable.find(({ path }) => path === '')?.words.split(' ')).toContain('status')
})
