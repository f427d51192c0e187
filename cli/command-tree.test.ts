import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'

const folder = new URL('./commands/', import.meta.url)

/** Every command of every group, the groups as well. */
const walk = (command: Command): Command[] => [command, ...command.commands.flatMap(walk)]

const pathOf = (command: Command): string =>
  [...(command.parent === null ? [] : [pathOf(command.parent)]), command.name()].join(' ')

const files = (await readdir(folder)).filter((name) => /^[^.]+\.ts$/.test(name))
const commands = (
  await Promise.all(
    files.map(async (name) => {
      const { command } = (await import(new URL(name, folder).href)) as { command: () => Command }
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

describe('every command', () => {
  it.each(commands.map((command) => [pathOf(command), command] as const))(
    '%s has a summary and an example, and refuses an option that it does not know',
    (path, command) => {
      expect(command.description()).not.toBe('')
      expect(helpOf(command)).toMatch(/\nExamples?:\n[^]*stagely /)
      command.exitOverride().configureOutput({ writeErr: () => undefined })
      // Else what is missing would be told first.
      for (const option of command.options) option.makeOptionMandatory(false)
      expect(() => command.parse(['--no-such-option'], { from: 'user' }), path).toThrow(
        expect.objectContaining({ code: 'commander.unknownOption' }) as Error,
      )
    },
  )

  it('gets its own flags: no group takes them', () => {
    const groups = commands.filter((command) => command.commands.length > 0)
    expect(groups.length).toBeGreaterThan(5)
    for (const group of groups) {
      for (const child of group.commands.filter((one) => one.commands.length === 0)) {
        if (!child.options.some((option) => option.long === '--namespace')) continue
        let seen: unknown
        child.action(() => {
          seen = child.opts()['namespace']
        })
        const needed = child.registeredArguments.filter((argument) => argument.required)
        group.parse([child.name(), ...needed.map(() => 'x'), '-n', 'team-a'], { from: 'user' })
        expect(seen, pathOf(child)).toBe('team-a')
      }
    }
  })

  it('is found', () => {
    expect(commands.length).toBeGreaterThan(20)
  })
})

describe('docs/compliance.md', () => {
  it('names only evidence that there is: files, commands and their flags', async () => {
    const root = new URL('../', import.meta.url)
    const text = await readFile(new URL('docs/compliance.md', root), 'utf8')
    const named = [...text.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
    const asked = [...text.matchAll(/`?stagely ([a-z]+)(?: ([a-z]+))?([^`\n#>]*)/g)]
    // Those of the controller parse their own flags.
    const ours = asked.filter(([, group = '']) => commands.some((c) => pathOf(c) === group))
    expect(ours.length).toBeGreaterThan(10)
    for (const [whole, group = '', name = '', rest = ''] of ours) {
      const command = commands.find((c) => pathOf(c) === `${group} ${name}`)
      expect(command, whole).toBeDefined()
      const known = command!.options.map((option) => option.long)
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(known, whole).toContain(flag)
    }
  })
})
