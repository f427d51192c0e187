import { describe, expect, it } from 'vitest'
import { parseHandCommand } from './by-hand.ts'

const parse = (line: string) => parseHandCommand(line.split(' '))
const refusalOf = (line: string): string => {
  try {
    parse(line)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error(`${line} was taken`)
}

describe('a command of Compose by hand', () => {
  it('gets what it needs without a terminal, right behind its verb', () => {
    expect(parse('up --force-recreate web').args).toEqual(['up', '-d', '--force-recreate', 'web'])
    expect(parse('exec web sh -c env').args).toEqual(['exec', '-T', 'web', 'sh', '-c', 'env'])
    expect(parse('run --rm web env').args).toEqual(['run', '--no-deps', '-T', '--rm', 'web', 'env'])
    expect(parse('rm -s web').args).toEqual(['rm', '-f', '-s', 'web'])
    expect(parse('config').args).toEqual(['config', '--no-interpolate'])
  })

  it('says that up is detached, where that was not asked for', () => {
    expect(parse('up web').notes.join()).toMatch(/always detached/)
    expect(parse('up -d web').notes).toEqual([])
    expect(parse('logs -f').notes).toEqual([])
  })

  it('takes all secrets only where a container is made, and only names where they are shown', () => {
    const overrides = ['up', 'run web env', 'exec web env', 'config', 'stop', 'logs -f'].map(
      (line) => parse(line).override,
    )
    expect(overrides).toEqual(['secrets', 'secrets', 'none', 'names', 'none', 'none'])
  })

  it('alters the stack unless it only looks, or tells what it would do', () => {
    const altering = (line: string): boolean => parse(line).alters
    expect(['up', 'stop web', 'down -v', 'rm'].filter(altering).length).toBe(4)
    const others = ['ps', 'logs -f', 'exec web id', 'run web id', 'up --dry-run', '--dry-run down']
    expect([...others, 'up --help'].filter(altering)).toEqual([])
    expect(parse('stop -- --dry-run').alters).toBe(true)
  })

  it.each([
    ['-f other.yml up', '-f'],
    ['-fother.yml up', '-f'],
    ['--file=other.yml up', '--file'],
    ['-p other up', '-p'],
    ['--project-name other up', '--project-name'],
    ['--project-directory /srv up', '--project-directory'],
    ['--env-file .env up', '--env-file'],
    ['--profile debug up', '--profile'],
    ['up --env-file .env', '--env-file'],
    ['run --env-file=.env web id', '--env-file'],
  ])('is refused with other files or another project: %s', (line, flag) => {
    expect(refusalOf(line)).toBe(
      `${flag} is refused: files, folder, project and profiles are those of the stagelet (its spec.compose); --stagelet chooses another one`,
    )
  })

  it('leaves the flags of a command in a container to it', () => {
    expect(parse('exec web ls --file --env-file').args.at(-1)).toBe('--env-file')
    expect(parse('logs -f web').args).toEqual(['logs', '-f', 'web'])
  })

  it.each(['--watch', '-w', '--attach=web', '--abort-on-container-exit', '--detach=false'])(
    'is not attached: up %s',
    (flag) => {
      expect(refusalOf(`up ${flag}`)).toMatch(/is refused: up is always detached/)
    },
  )

  it('prints no values and writes no file', () => {
    expect(refusalOf('config --environment')).toMatch(/prints the values/)
    expect(refusalOf('config -o out.yml')).toMatch(/redirect the output/)
  })

  it('is refused with everything that is wrong at once', () => {
    const lines = refusalOf('-p other --progress tty watch --profile x').split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      '-p',
      '--progress',
      '"watch"',
      '--profile',
    ])
    expect(() => parseHandCommand([])).toThrow(/give a verb: up, start/)
    expect(refusalOf('constructor')).toMatch(/not to be had/)
  })
})
