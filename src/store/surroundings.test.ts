import { describe, expect, it } from 'vitest'
import { surroundingsIn } from './surroundings.ts'

const project = (name: string) => ({
  project: { kind: 'Project', namespace: 'team', name },
  mostStagelets: 5,
})

describe('surroundingsIn', () => {
  it('looks once for all who ask of one project meanwhile, and anew for who asks later', async () => {
    const asked: unknown[] = []
    const look = surroundingsIn({
      query: <R>(_text: string, params: readonly unknown[] = []) => {
        asked.push(params[1])
        return Promise.resolve([{ body: null, secrets: asked.length }] as R[])
      },
      exec: () => Promise.resolve(),
    })
    const answers = await Promise.all(['shop', 'blog', 'shop', 'shop'].map((n) => look(project(n))))
    expect(answers.map(({ envSecrets }) => envSecrets)).toEqual([1, 2, 1, 1])
    expect(await look(project('shop'))).toMatchObject({ envSecrets: 3 })
    expect(asked).toEqual(['shop', 'blog', 'shop'])
  })
})
