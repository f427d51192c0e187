// The tree of a machine: /usr/bin/stagely, /usr/lib/stagely with a Node of its own, man pages, completions, units. The
// archive, the Debian package and the images are made of the same one.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Wherever the tree lies. Node would take some flags for itself; the `--` keeps them. */
const launcher = `#!/bin/sh
lib=$(dirname "$(readlink -f "$0")")/../lib/stagely
exec "$lib/node" -- "$lib/app/dist/cli/main.js" "$@"
`

const write = (file, text, mode = 0o644) => {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
}

/** The program's files, as in the npm package. */
export const writeApp = (root, app, manifest) => {
  for (const name of [
    'dist/cli',
    'dist/dashboard',
    'dist/api-docs',
    'dist/docs',
    'dist/THIRD-PARTY-NOTICES.txt',
    'LICENSE',
  ])
    cpSync(join(root, name), join(app, name), { recursive: true })
  write(join(app, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** Lines of a man page that begin with a dot or a quote would be commands. */
const plain = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replace(/^(?=[.'])/gm, '\\&')
    .replaceAll('-', '\\-')

const manPage = (name, { version, date }, summary, help) =>
  `.TH ${name.toUpperCase()} 1 ${date} "stagely ${version}"
.SH NAME
${name} \\- ${plain(summary)}
.SH DESCRIPTION
.nf
${plain(help)}
.fi
`

const helpOf = (command) => {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 })
  command.outputHelp()
  const nested = command.commands.map(
    (child) => `\n${helpOf(child.name(`${command.name()} ${child.name()}`))}`,
  )
  return [text, ...nested].join('\n')
}

/** One page for each command, from its own help. */
const writeManPages = async (root, folder, about) => {
  const { loadAll } = await import(pathToFileURL(join(root, 'dist/cli/command-line.js')).href)
  const run = (...args) => runAt(root, args)
  const pages = (await loadAll()).map((command) => {
    const name = command.name()
    return [`stagely-${name}`, command.description(), helpOf(command.name(`stagely ${name}`))]
  })
  pages.push(['stagely', 'secrets for Docker Compose, reconciled', run('--help')])
  pages.push(['stagely-controller', 'run the controller', run('controller', '--help')])
  for (const [name, summary, help] of pages)
    write(join(folder, `${name}.1.gz`), gzipSync(manPage(name, about, summary, help), { level: 9 }))
  return run
}

const runAt = (root, args) =>
  execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  })

/**
 * Units of the distribution; `stagely … install` writes its own to /etc, which come first. They are made where others may
 * read the program, as `install` wants: this folder may be closed to them.
 */
const writeUnits = (folder, app) => {
  const root = mkdtempSync(join(tmpdir(), 'stagely-app-'))
  try {
    chmodSync(root, 0o755)
    cpSync(app, root, { recursive: true })
    writeUnitsOf(root, folder)
  } finally {
    rmSync(root, { recursive: true })
  }
}

const writeUnitsOf = (root, folder) => {
  for (const [kind, args] of [
    ['controller', []],
    ['agent', ['--allow-dir', '/srv']],
  ]) {
    const unit = runAt(root, [kind, 'install', '--dry-run', ...args])
    const start = `ExecStart=${process.execPath} ${join(root, 'dist/cli/main.js')}`
    if (!unit.includes(start)) throw new Error(`the unit of the ${kind} starts something else`)
    const text = unit.slice(0, unit.indexOf('WantedBy=multi-user.target') + 27)
    const shipped = '/usr/lib/stagely/node /usr/lib/stagely/app/dist/cli/main.js'
    write(join(folder, `stagely-${kind}.service`), text.replace(start, `ExecStart=${shipped}`))
  }
}

/** What is the same on all machines: made once, then copied. */
export const writeCommonTree = async (root, tree, { manifest, about }) => {
  rmSync(tree, { recursive: true, force: true })
  const app = join(tree, 'usr/lib/stagely/app')
  writeApp(root, app, manifest)
  write(join(tree, 'usr/bin/stagely'), launcher, 0o755)
  const run = await writeManPages(root, join(tree, 'usr/share/man/man1'), about)
  writeUnits(join(tree, 'usr/lib/systemd/system'), app)
  const completions = {
    bash: 'usr/share/bash-completion/completions/stagely',
    zsh: 'usr/share/zsh/vendor-completions/_stagely',
    fish: 'usr/share/fish/vendor_completions.d/stagely.fish',
  }
  for (const [shell, file] of Object.entries(completions))
    write(join(tree, file), run('completion', shell))
  write(
    join(tree, 'usr/share/doc/stagely/copyright'),
    `License: Apache-2.0\n\nPackages of others: /usr/lib/stagely/app/dist/THIRD-PARTY-NOTICES.txt\n`,
  )
}

/** The tree of one machine: the common one, with its Node. */
export const writeTree = (common, tree, { machine, node }) => {
  rmSync(tree, { recursive: true, force: true })
  cpSync(common, tree, { recursive: true })
  const file = join(tree, 'usr/lib/stagely/node')
  execFileSync(machine.strip, ['--strip-all', '-o', file, node])
  chmodSync(file, 0o755)
}
