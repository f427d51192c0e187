// The recipes of DEVELOPERS.md, followed once: what each of them adds to the sources, in a copy of them.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { kind, type Recipe } from './recipe-of-kind.ts'

const store: Recipe = {
  title: 'A new store of secrets',
  files: {
    'controller/stores/providers/shelf.ts': `
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import type { Opening } from '../opening.ts'
import type { StoreProvider } from '../provider.ts'

export const openShelf = ({ row }: ProviderBlock<'shelf'>, _opening: Opening): StoreProvider => ({
  limits: { batch: 10, perMinute: 600, parallel: 1 },
  whoAmI: async () => \`reader of row \${row}\`,
  look: async (refs) => ({
    versions: new Map(refs.map((ref) => [ref, { version: '1' }])),
    lagMs: 0,
  }),
  fetch: async (refs) =>
    new Map(refs.map((ref) => [ref, { version: '1', value: Buffer.from(\`\${ref.key} of the shelf\`) }])),
  list: async () => ({ keys: [], isCut: false }),
  close: async () => {},
})
`,
  },
  edits: [
    {
      file: 'src/kinds/secret-store/providers.ts',
      after: 'export const providerNames = [',
      add: "\n  'shelf',",
    },
    {
      file: 'src/kinds/secret-store/providers.ts',
      after: 'export const providerFields = {',
      add: `
  shelf: z
    .strictObject({ row: z.int().min(1).max(9).describe('Which row.') })
    .optional()
    .describe('A shelf.'),`,
    },
    {
      file: 'controller/stores/open-provider.ts',
      after: '  const opening = openingOf(credential, deps)',
      add: `
  if (spec.shelf !== undefined)
    return (await import('./providers/shelf.ts')).openShelf(spec.shelf, opening)`,
    },
  ],
}

const rotator: Recipe = {
  title: 'A new rotator',
  files: {
    'controller/rotators/providers/coin.ts': `
import type { Rotator } from './rotator.ts'

export const openCoin = (side: string): Rotator => ({
  slots: [],
  outputs: ['side'],
  make: () => ({ slot: undefined, values: { side: \`\${side} of a coin\` } }),
  preflight: async () => [],
  checkAccepted: async () => 'refused',
  set: async () => {},
  test: async () => 'accepted',
  stillUsed: async () => ({ sessions: undefined, from: [] }),
  revoke: async () => {},
  disable: async () => {},
})
`,
  },
  edits: [
    {
      file: 'src/kinds/rotation/schema.ts',
      after: 'export const rotatorNames = [',
      add: "\n  'coin',",
    },
    {
      file: 'src/kinds/rotation/schema.ts',
      after: 'const rotatorSpec = z\n  .strictObject({',
      add: `
    coin: z
      .strictObject({
        side: z.string().max(20).describe('Which side.'),
        adopt: z.boolean().optional().describe('End what the outputs hold today, too.'),
      })
      .optional()
      .describe('A coin. Outputs: side.'),`,
    },
    {
      file: 'src/kinds/rotation/rules.ts',
      after: 'const outputsOf: Readonly<Partial<Record<RotatorName, readonly string[]>>> = {',
      add: "\n  coin: ['side'],",
    },
    {
      file: 'controller/rotators/providers/open-rotator.ts',
      after: '  const name = rotatorNameOf({ rotator })',
      add: `
  if (rotator.coin !== undefined) return (await import('./coin.ts')).openCoin(rotator.coin.side)`,
    },
  ],
}

const command: Recipe = {
  title: 'A new command',
  files: {
    'cli/commands/hello.ts': `
import type { Command } from 'commander'
import { newCommand } from '../options.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  newCommand('hello', 'Say hello.', ['stagely hello']).action(() => out('hello from the copy'))
`,
  },
  edits: [
    {
      file: 'cli/command-line.ts',
      after: 'const commands: Readonly<Record<string, Load>> = {',
      add: "\n  hello: () => import('./commands/hello.ts'),",
    },
  ],
}

const page: Recipe = {
  title: 'A new page of the dashboard',
  files: {
    'dashboard/pages/hello.tsx': `
import { PageFrame } from '../ui/page.tsx'

export const Page = () => (
  <PageFrame windowTitle="Hello" title="Hello">
    hello from the copy
  </PageFrame>
)
`,
  },
  edits: [
    {
      file: 'dashboard/app/pages.ts',
      after: 'export const pages: readonly PageEntry[] = [',
      add: "\n  { path: '/ui/hello', file: later(() => import('../pages/hello.tsx')) },",
    },
  ],
}

const event: Recipe = {
  title: 'A new reason of events',
  files: {},
  edits: [
    {
      file: 'controller/reconcilers/project/reconciler.ts',
      after: '  await tx.recordEvents(expiryEvents(current, after))',
      add: `
  if (current.metadata.labels?.['tiny'] === 'indeed')
    await tx.recordEvent({ regarding: after, type: 'Warning', reason: 'Tiny', message: 'It is tiny.' })`,
    },
    {
      file: 'src/kinds/notifier/schema.ts',
      after: 'export const noticeReasons = [',
      add: "\n  'Tiny',",
    },
    {
      file: 'src/store/objects/notices.ts',
      after:
        'const noticeOf: Readonly<Record<string, { reason: NoticeReason; isOnce: boolean }>> = {',
      add: "\n  Tiny: { reason: 'Tiny', isOnce: true },",
    },
  ],
}

export const recipes: readonly Recipe[] = [kind, store, rotator, page, command, event]

/** Follows all recipes in a copy of the sources. */
export const followRecipes = async (copy: string): Promise<void> => {
  for (const { files, edits } of recipes) {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(copy, path)), { recursive: true })
      await writeFile(join(copy, path), text)
    }
    for (const { file, after, add } of edits) {
      const text = await readFile(join(copy, file), 'utf8')
      if (!text.includes(after)) throw new Error(`${file} has no longer: ${after}`)
      await writeFile(join(copy, file), text.replace(after, after + add))
    }
  }
}
