import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mergeKubeconfig } from './kubeconfig-file.ts'

const parts = (token: string): Parameters<typeof mergeKubeconfig>[1] => ({
  name: 'stagely',
  cluster: { server: 'https://stagely.example.com:8443' },
  user: { token },
  context: { cluster: 'stagely', user: 'stagely', namespace: 'team-a' },
})

const others = `# my clusters
apiVersion: v1
kind: Config
clusters:
  - name: work # the big one
    cluster: { server: https://work.example.com }
users:
  - name: work
    user: { token: theirs }
contexts:
  - name: work
    context: { cluster: work, user: work }
current-context: work
preferences: { colors: true }
`

interface Kubeconfig {
  readonly clusters: { name: string }[]
  readonly users: { name: string; user: object }[]
  readonly 'current-context': string
  readonly preferences?: object
}

describe('mergeKubeconfig', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'stagely-kubeconfig-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  const read = async (file: string): Promise<Kubeconfig> =>
    parse(await readFile(file, 'utf8')) as Kubeconfig

  it('makes a file, private, and replaces its own entries', async () => {
    const file = join(dir, 'new', 'config')
    await mergeKubeconfig(file, parts('one'))
    await mergeKubeconfig(file, parts('two'))
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { users, clusters } = await read(file)
    expect(users).toEqual([{ name: 'stagely', user: { token: 'two' } }])
    expect(clusters).toHaveLength(1)
  })

  it('keeps all that is not its own, comments too, behind a link', async () => {
    const file = join(dir, 'config')
    const link = join(dir, 'link')
    await writeFile(file, others, { mode: 0o644 })
    await symlink(file, link)
    await mergeKubeconfig(link, parts('one'))
    const merged = await read(file)
    expect(merged.clusters.map(({ name }) => name)).toEqual(['work', 'stagely'])
    expect(merged.users[0]).toEqual({ name: 'work', user: { token: 'theirs' } })
    expect(merged).toMatchObject({ 'current-context': 'stagely', preferences: { colors: true } })
    const text = await readFile(file, 'utf8')
    expect(text).toContain('# my clusters')
    expect(text).toContain('# the big one')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('leaves what is no kubeconfig as it was', async () => {
    const file = join(dir, 'config')
    for (const text of ['- a list\n', 'a: [\n']) {
      await writeFile(file, text)
      await expect(mergeKubeconfig(file, parts('one'))).rejects.toThrow(/kubeconfig|YAML/)
      expect(await readFile(file, 'utf8')).toBe(text)
    }
  })
})
