import { describe, expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { aService } from '../../test/support/agents/a-service.ts'
import type { Compose } from '../../src/compose/compose.ts'
import { findDiverging, type DryRun } from './pending-edits.ts'

const found = (stderr: string, over: Partial<DryRun> = {}) => {
  const compose = { run: () => Promise.resolve({ stdout: '', stderr }) } as unknown as Compose
  const services = ['a', 'b', 'c'].map((name) => aService(name))
  const containers = services.map(({ name }) => ({
    ...aContainer(name, ''),
    name: `shop-${name}-1`,
  }))
  const model = { projectName: 'shop', flags: [], services } as unknown as DryRun['model']
  const rest = {
    override: Buffer.of(),
    cwd: '/',
    env: {},
    mask: (t: string) => t,
    imageless: [],
    made: {},
  }
  return findDiverging(compose, { model, containers, ...rest, ...over })
}

describe('what Compose would change', () => {
  it('is read off a dry run, also behind a question of whether a volume may lose its data', async () => {
    const asks = 'Volume "v" exists but doesn\'t match. Recreate (data will be lost)? '
    const { services, networks } = await found(
      `${asks}DRY-RUN MODE -  Container shop-b-1  Recreate\n DRY-RUN MODE -  Container shop-a-1  Running\n`,
    )
    expect(services).toEqual(['b'])
    expect(networks).toEqual({ names: [], services: [] })
  })

  it('are also networks, and who is stopped for that', async () => {
    const lines = ['Container shop-c-1  Stopping', 'Container shop-c-1  Stopped']
    const more = ['Container shop-a-1  Stopping', 'Network shop_inner  Removed']
    const text = [...lines, ...more, 'Container shop-b-1  Running']
    expect(await found(text.map((l) => ` DRY-RUN MODE -  ${l}`).join('\n'))).toEqual({
      services: [],
      networks: { names: ['shop_inner'], services: ['a', 'c'] },
    })
  })
  it('is what was made of something else, where its image is not here and Compose cannot be asked', async () => {
    const images = { a: 'x', b: 'x', c: 'older' }
    const containers = Object.entries(images).map(([name, image]) => ({
      ...aContainer(name, ''),
      image,
    }))
    const imageless = Object.keys(images)
    const made = { a: 'definition of a', b: 'another definition of b' }
    expect((await found('', { containers, imageless, made })).services).toEqual(['b', 'c'])
    const named = ' DRY-RUN MODE -  Container p-a-1  Recreate\n'
    const without = { containers, made, imageless: ['b'] }
    expect((await found(named, without)).services).toEqual(['a', 'b'])
  })
})
