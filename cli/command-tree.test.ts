import { existsSync, readdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'

const folder = new URL('./commands/', import.meta.url)

/** Every command of every group, the groups as well. */
const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)]

const pathOf = (command: Command): string =>
  [...(command.parent === null ? [] : [pathOf(command.parent)]), command.name()].join(' ')

/** Does nothing by itself. */
const isGroup = ({ commands: children, registeredArguments: words }: Command): boolean =>
  children.length > 0 && words.length === 0

const docs = (page: string): URL => new URL(`../docs/${page}`, import.meta.url)

const files = (await readdir(folder, { recursive: true })).filter((name) =>
  /^[^.]+\.ts$/.test(name),
)
const commands = (
  await Promise.all(
    files.map(async (name) => {
      const { command } = (await import(`./commands/${name}`)) as { command: () => Command }
      return walk(command())
    }),
  )
).flat()

const helpOf = (command: Command): string => {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return text
}

// A wrong command line throws. A missing option would be reported first, so no option is mandatory here.
for (const command of commands) {
  command.exitOverride().configureOutput({ writeErr: () => undefined })
  for (const option of command.options) option.makeOptionMandatory(false)
}

describe('every command', () => {
  it.each(commands.map((command) => [pathOf(command), command] as const))(
    '%s has a summary and an example, and refuses an option that it does not know',
    (path, command) => {
      expect(command.description()).not.toBe('')
      expect(helpOf(command)).toMatch(/\nExamples?:\n[^]*stagely /)
      expect(() => command.parse(['--no-such-option'], { from: 'user' }), path).toThrow(
        expect.objectContaining({ code: 'commander.unknownOption' }) as Error,
      )
    },
  )

  it('shows its times in units that people read', () => {
    const times = commands.flatMap((command) =>
      command.options
        .filter(
          ({ flags, defaultValue }) => flags.endsWith(' <time>') && defaultValue !== undefined,
        )
        .map((option) => [`${pathOf(command)} ${option.long}`, option.defaultValueDescription]),
    )
    expect(times).toContainEqual(['agent token create --ttl', '10m'])
    expect(times.filter(([, shown]) => !/^\d+(s|m|h|d)$/.test(shown ?? ''))).toEqual([])
  })

  it('gets its own flags: no group takes them', () => {
    const groups = commands.filter((command) => command.commands.length > 0)
    expect(groups.length).toBeGreaterThan(5)
    for (const group of groups) {
      for (const child of group.commands.filter((leaf) => leaf.commands.length === 0)) {
        if (!child.options.some((option) => option.long === '--namespace')) continue
        let namespace: unknown
        child.action(() => {
          namespace = child.opts()['namespace']
        })
        const needed = child.registeredArguments.filter((argument) => argument.required)
        group.parse([child.name(), ...needed.map(() => 'x'), '-n', 'team-a'], { from: 'user' })
        expect(namespace, pathOf(child)).toBe('team-a')
      }
    }
  })

  it('is found', () => {
    expect(commands.length).toBeGreaterThan(20)
  })
})

describe('docs/compliance.md', () => {
  it('names only evidence that there is', async () => {
    const root = new URL('../', import.meta.url)
    const text = await readFile(docs('compliance.md'), 'utf8')
    const named = [...text.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  })

  it('names in each row the command that proves the row', async () => {
    const rows = (await readFile(docs('compliance.md'), 'utf8'))
      .split('\n')
      .filter((line) => /^\| (?!point|---)/.test(line))
    expect(rows.length).toBeGreaterThan(15)
    const leaves = commands.filter((command) => !isGroup(command))
    const paths = leaves.map((command) => new RegExp(`\`stagely ${pathOf(command)}(?![\\w-])`))
    const proofOf = (row: string): string => row.split(' | ').at(-1)!
    const unproven = rows.filter((row) => !paths.some((path) => path.test(proofOf(row))))
    expect(unproven).toEqual([])
  })
})

describe('every page, and every help', () => {
  const pages = ['../README.md', ...readdirSync(docs('')).filter((name) => name.endsWith('.md'))]
  /** Those that parse their own flags. */
  const programs = ['agent run', 'agent install', 'agent doctor', 'agent uninstall']

  const byPath = new Map(commands.map((command) => [pathOf(command), command]))

  it('names only commands and flags that there are', async () => {
    const texts = await Promise.all(pages.map((page) => readFile(docs(page), 'utf8')))
    const asked = [...texts, ...commands.map(helpOf)]
      .flatMap((text) => text.split(/\bstagely (?=[a-z])/).slice(1))
      .map((text) => text.split(/[`"\n#>|]| -- /)[0]!.split(' '))
      .flatMap((words) => {
        const paths = [3, 2, 1].map((count) => words.slice(0, count).join(' '))
        const path = paths.find((candidate) => byPath.has(candidate))
        return path === undefined || programs.includes(path) ? [] : [{ path, words }]
      })
    expect(asked.length).toBeGreaterThan(100)
    const wrong = asked.flatMap(({ path, words }) => {
      const { options } = byPath.get(path)!
      const ours = options.map((option) => option.long)
      const flags = words.map((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1])
      const unknown = flags.filter((flag) => flag !== undefined && !ours.includes(flag))
      const isNoCommand = isGroup(byPath.get(path)!) && words.length > 1
      return isNoCommand ? [words.join(' ')] : unknown.map((flag) => `${path} ${flag}`)
    })
    expect(wrong).toEqual([])
  })
})
