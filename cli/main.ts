#!/usr/bin/env -S node --
// The `stagely` command. The `--` above is needed because Node 20 looks for --env-file in all
// arguments, also in those of this command, or of a program that `stagely run` starts.
import { runQuickly } from './quick.ts'

const argv = process.argv.slice(2)
if (!(await runQuickly(argv))) {
  const { runCommandLine } = await import('./command-line.ts')
  process.exitCode = await runCommandLine(argv)
}
