// The folder source on a real store: whatever happens to files, the store follows, and nothing that
// cannot be read counts as gone.
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { startFolderSource, type FolderSource } from '../../../controller/manifests/watch-folder.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import type { Reader } from '../../../src/store/store.ts'
import { passes, reaches } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

const project = (name: string, description = 'x'): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: ${name}}\nspec: {description: ${description}}\n`

const secret = (name: string, value: string, inProject = 'a'): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: StagelySecret\nmetadata: {name: ${name}}\n` +
  `spec: {projectRef: {name: ${inProject}}, key: ${name.toUpperCase()}, value: ${JSON.stringify(value)}}\n`

let test: TestStore
let dir: string
let source: FolderSource | undefined
let warnings: Record<string, unknown>[]
let counted: number

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  error: (fields, message) => {
    warnings.push({ ...fields, message })
  },
  warn: (fields, message) => {
    warnings.push({ ...fields, message })
  },
  child: () => log,
}

const start = (pruneAll = false): void => {
  const onFaults = (count: number): void => {
    counted = count
  }
  source = startFolderSource({ dir, store: test.store, clock: realClock, log, pruneAll, onFaults })
}

const put = (file: string, text: string): Promise<void> => writeFile(join(dir, file), text)

const namesIn = async (reader: Pick<Reader, 'list'>, kind: string): Promise<string[]> =>
  (await reader.list(kind)).items.map((o) => o.metadata.name).sort()

const names = (kind = 'Project'): Promise<string[]> => namesIn(test.store, kind)

/** What the namespace says of the folder's manifests. */
const said = async (name = 'default'): Promise<Condition | undefined> => {
  const team = await test.store.get({ kind: 'Namespace', namespace: '', name })
  return findCondition(team?.status?.['conditions'] as Condition[], 'ManifestsApplied')
}

const find = (kind: string, name: string): Promise<KubeObject | undefined> =>
  test.store.get({ kind, namespace: 'default', name })

const eventuallyNames = (wanted: string[], kind = 'Project'): Promise<void> =>
  reaches(() => names(kind), wanted)

/** Long enough for an event, two confirming scans, and a removal that must not happen. */
const quiet = (): Promise<void> => realClock.sleep(2000)

describe('the folder source', () => {
  beforeAll(async () => {
    test = await openTestStore(inject('postgresUrl'))
  })
  afterAll(() => test.destroy())

  beforeEach(async () => {
    warnings = []
    dir = await mkdtemp(join(tmpdir(), 'stagely-folder-'))
    await test.store.write({ name: 'test', source: 'api', authority: 'whole' }, {}, async (tx) => {
      const ref = { kind: 'Namespace', namespace: '', name: 'default' }
      if ((await tx.get(ref)) !== undefined) return
      await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
    })
  })
  afterEach(async () => {
    await source?.stop()
    source = undefined
    await rm(dir, { recursive: true, force: true })
    await test.store.write(
      { name: 'test', source: 'system', authority: 'whole' },
      {},
      async (tx) => {
        const refOf = (kind: string, name: string): ObjectRef => ({
          kind,
          namespace: 'default',
          name,
        })
        for (const name of await namesIn(tx, 'Project'))
          await tx.removeProject(refOf('Project', name), { erase: true })
        for (const name of await namesIn(tx, 'StagelySecret'))
          await tx.remove(refOf('StagelySecret', name))
      },
    )
  })

  it('applies what is there, follows changes, new files and folders, and removes what is gone', async () => {
    await put('a.yaml', project('a'))
    start()
    await eventuallyNames(['a'])
    await mkdir(join(dir, 'deep/er'), { recursive: true })
    await put('deep/er/b.yml', project('b'))
    await put(
      'c.json',
      JSON.stringify({
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Project',
        metadata: { name: 'c' },
      }),
    )
    await eventuallyNames(['a', 'b', 'c'])
    await put('a.yaml', project('a', 'changed'))
    await passes(async () => {
      expect((await find('Project', 'a'))?.spec?.description).toBe('changed')
    })
    await unlink(join(dir, 'deep/er/b.yml'))
    await eventuallyNames(['a', 'c'])
    expect((await find('Project', 'a'))?.metadata.annotations?.['stagely.dev/source']).toBe(
      `folder:${dir}`,
    )
    expect(warnings).toEqual([])
  })

  it('writes nothing when nothing changed, also after a restart', async () => {
    await put('a.yaml', `${project('a')}---\n${secret('s', 'canary-value')}`)
    start()
    await eventuallyNames(['s'], 'StagelySecret')
    await source?.stop()
    const before = await test.store.currentVersion()
    start()
    await quiet()
    await put('a.yaml', `# a comment\n${project('a')}---\n${secret('s', 'canary-value')}`)
    await quiet()
    expect(await test.store.currentVersion()).toBe(before)
    expect(JSON.stringify(await find('StagelySecret', 's'))).not.toContain('canary-value')
  })

  it('is one change set: three secrets in two files are one revision', async () => {
    await put('a.yaml', project('a'))
    await put('b.yaml', secret('one', '1'))
    await put('c.yaml', `${secret('two', '2')}---\n${secret('three', '3')}`)
    start()
    await eventuallyNames(['one', 'three', 'two'], 'StagelySecret')
    const uid = (await find('Project', 'a'))!.metadata.uid!
    expect((await test.store.revisionsOf(uid)).closed).toBe(1)
  })

  it('keeps the objects of a broken file, shows the fault, and goes on with the others', async () => {
    await put('a.yaml', `${project('a')}---\n${project('a2')}`)
    await put('b.yaml', project('b'))
    start()
    await eventuallyNames(['a', 'a2', 'b'])
    await put('a.yaml', `${project('a')}---\nkind: "canary-in-broken`)
    await put('c.yaml', project('c'))
    await eventuallyNames(['a', 'a2', 'b', 'c'])
    await quiet()
    expect(await names()).toEqual(['a', 'a2', 'b', 'c'])
    expect(warnings).toContainEqual(expect.objectContaining({ file: 'a.yaml', line: 6 }))
    expect(JSON.stringify(warnings)).not.toContain('canary')
    const events = (await test.store.list('Event')).items.filter(
      (e) => e.spec?.reason === 'ManifestFault',
    )
    expect(events.map((e) => e.spec?.message)).toContainEqual(expect.stringContaining('a.yaml:6'))
    expect(counted).toBe(1)
    expect(await said()).toMatchObject({ status: 'False', reason: 'ManifestFault' })
    expect((await said())?.message).toMatch(/^a\.yaml:6: /)
    // Also by a process that was not there when it was mended.
    await source?.stop()
    await put('a.yaml', project('a'))
    start()
    await eventuallyNames(['a', 'b', 'c'])
    await passes(async () => {
      expect(await said()).toMatchObject({ status: 'True', reason: 'Applied' })
    })
    expect(counted).toBe(0)
  })

  it('says once that it cannot remove something, and does not try at every look', async () => {
    await put('a.yaml', project('a'))
    await put('b.yaml', secret('b', 'value'))
    await put('c.yaml', secret('c', 'value'))
    start()
    await eventuallyNames(['b', 'c'], 'StagelySecret')
    const valueFrom = { secretRef: { name: 'b' } }
    await test.store.write({ name: 'me', source: 'api', authority: 'whole' }, {}, (tx) =>
      tx.create({
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'StagelySecret',
        metadata: { name: 'follower', namespace: 'default' },
        spec: { projectRef: { name: 'a' }, key: 'F', valueFrom },
      }),
    )
    await unlink(join(dir, 'b.yaml'))
    await passes(async () => {
      expect((await said())?.message).toMatch(/"follower" takes its value from it/)
    })
    const before = await test.store.currentVersion()
    await realClock.sleep(6_000)
    expect(await test.store.currentVersion()).toBe(before)
    expect(warnings.filter(({ file }) => file === '(removed)')).toHaveLength(1)
    expect(await names('StagelySecret')).toEqual(['b', 'c', 'follower'])
  })

  it('removes a project that holds what somebody else has put into it, and leaves that', async () => {
    await put('a.yaml', project('a'))
    await put('b.yaml', project('b'))
    await put('c.yaml', project('c'))
    start()
    await eventuallyNames(['a', 'b', 'c'])
    await test.store.write(
      { name: 'kubernetes', source: 'kubernetes', authority: 'whole' },
      {},
      (tx) =>
        tx.create({
          apiVersion: 'stagely.dev/v1alpha1',
          kind: 'StagelySecret',
          metadata: { name: 'theirs', namespace: 'default' },
          spec: { projectRef: { name: 'a' }, key: 'T', value: 'x' },
        }),
    )
    await unlink(join(dir, 'a.yaml'))
    await eventuallyNames(['b', 'c'])
    expect(await find('StagelySecret', 'theirs')).toBeDefined()
    expect(warnings).toEqual([])
  })

  it('shows the faults of one object at their lines and applies the rest', async () => {
    await put('a.yaml', project('a'))
    await put(
      'b.yaml',
      `${secret('good', 'x')}---\n${secret('lost', 'x', 'nowhere')}---\n` +
        'apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: wrong}\nspec:\n  descripton: typo\n',
    )
    start()
    await passes(async () => {
      expect(await names('StagelySecret')).toContain('good')
      expect(warnings).toContainEqual(
        expect.objectContaining({ file: 'b.yaml', line: 15, field: 'spec.descripton' }),
      )
    })
    expect(await names()).toEqual(['a'])
  })

  it('says in "default" what is wrong in a namespace that is not there, until it is there', async () => {
    const wrong =
      'apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: x, namespace: later}\nspec: {descripton: typo}\n'
    await put('a.yaml', project('a'))
    await put('b.yaml', wrong)
    start()
    await passes(async () => {
      expect((await said())?.message).toMatch(/^b\.yaml:4: spec\.descripton/)
    })
    await put('c.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: later}\n')
    await passes(async () => {
      expect((await said('later'))?.message).toMatch(/^b\.yaml:4: spec\.descripton/)
      expect(await said()).toMatchObject({ status: 'True', reason: 'Applied' })
    })
  })

  it('says that an object is in two files, at the one that came later, and leaves it to the first', async () => {
    await put('a.yaml', project('a', 'first'))
    await put('b.yaml', project('a', 'second'))
    start()
    await passes(async () => {
      expect(warnings).toContainEqual(expect.objectContaining({ file: 'b.yaml', line: 3 }))
      expect((await find('Project', 'a'))?.spec?.description).toBe('first')
    })
    await put('0.yaml', project('a', 'newcomer'))
    await passes(async () => {
      expect((await said())?.message).toContain(
        '0.yaml:3: metadata.name: the object is already at a.yaml:1',
      )
      expect((await find('Project', 'a'))?.spec?.description).toBe('first')
    })
  })

  it('leaves what the API owns alone and names the owner', async () => {
    await test.store.write({ name: 'me', source: 'api', authority: 'whole' }, {}, (tx) =>
      tx.create({
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Project',
        metadata: { name: 'a', namespace: 'default' },
        spec: { description: 'mine' },
      }),
    )
    await put('a.yaml', project('a', 'theirs'))
    await put('b.yaml', project('b'))
    start()
    await eventuallyNames(['a', 'b'])
    expect((await find('Project', 'a'))?.spec?.description).toBe('mine')
    await passes(() => {
      expect(warnings).toContainEqual(
        expect.objectContaining({
          file: 'a.yaml',
          fault: expect.stringContaining('owned by api') as string,
        }),
      )
      return Promise.resolve()
    })
  })

  it('takes back what the API adopts and releases, though its manifest is the same', async () => {
    await put('a.yaml', project('a'))
    start()
    await eventuallyNames(['a'])
    await source?.stop()
    const handTo = (to: string): Promise<KubeObject> =>
      test.store.write({ name: 'me', source: 'api', authority: 'whole' }, {}, async (tx) => {
        const { metadata, ...rest } = (await tx.get({
          kind: 'Project',
          namespace: 'default',
          name: 'a',
        }))!
        const annotations = { ...metadata.annotations, 'stagely.dev/source': to }
        return tx.update({ ...rest, metadata: { ...metadata, annotations } })
      })
    await handTo('api')
    await handTo('system')
    start()
    await passes(async () => {
      expect((await find('Project', 'a'))?.metadata.annotations?.['stagely.dev/source']).toBe(
        `folder:${dir}`,
      )
    })
  })

  it('removes nothing when the folder is empty, moved away or gone, and comes back by itself', async () => {
    await put('a.yaml', project('a'))
    start()
    await eventuallyNames(['a'])
    await rename(dir, `${dir}-away`)
    await quiet()
    expect(await names()).toEqual(['a'])
    expect((await said())?.message).toBe(
      `${dir}: nothing to apply (ENOENT); its objects stay as they are`,
    )
    await mkdir(dir)
    await quiet()
    expect(await names()).toEqual(['a'])
    expect(counted).toBe(1)
    await rm(dir, { recursive: true })
    await writeFile(join(`${dir}-away`, 'b.yaml'), project('b'))
    await rename(`${dir}-away`, dir)
    await eventuallyNames(['a', 'b'], 'Project')
    await passes(async () => {
      expect(await said()).toMatchObject({ status: 'True', reason: 'Applied' })
    })
  })

  it('does not remove more than half unless told', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await put(`${name}.yaml`, project(name))
    start()
    await eventuallyNames(['a', 'b', 'c', 'd'])
    for (const name of ['b', 'c', 'd']) await unlink(join(dir, `${name}.yaml`))
    await quiet()
    expect(await names()).toEqual(['a', 'b', 'c', 'd'])
    expect((await said())?.message).toMatch(/3 of its 4 objects are no longer in it.*--prune-all/)
    await source?.stop()
    start(true)
    await eventuallyNames(['a'])
  })

  it('keeps objects while a file is moved to another name', async () => {
    await put('a.yaml', project('a'))
    await put('b.yaml', project('b'))
    start()
    await eventuallyNames(['a', 'b'])
    const uid = (await find('Project', 'b'))?.metadata.uid
    await rename(join(dir, 'b.yaml'), join(dir, 'z.yaml'))
    await quiet()
    expect((await find('Project', 'b'))?.metadata.uid).toBe(uid)
  })

  it('follows the swapped ..data link of a mounted ConfigMap', async () => {
    const version = async (n: number, files: Record<string, string>): Promise<void> => {
      await mkdir(join(dir, `..v${n}`))
      for (const [file, text] of Object.entries(files)) await put(`..v${n}/${file}`, text)
      await symlink(`..v${n}`, join(dir, '..data_tmp'))
      await rename(join(dir, '..data_tmp'), join(dir, '..data'))
    }
    await version(1, { 'a.yaml': project('a', 'one'), 'b.yaml': project('b') })
    await symlink('..data/a.yaml', join(dir, 'a.yaml'))
    await symlink('..data/b.yaml', join(dir, 'b.yaml'))
    start()
    await eventuallyNames(['a', 'b'])
    await version(2, { 'a.yaml': project('a', 'two'), 'b.yaml': project('b') })
    await rm(join(dir, '..v1'), { recursive: true })
    await passes(async () => {
      expect((await find('Project', 'a'))?.spec?.description).toBe('two')
    })
    expect(await names()).toEqual(['a', 'b'])
    expect(warnings).toEqual([])
  })
})
