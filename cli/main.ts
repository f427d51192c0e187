#!/usr/bin/env -S node --
// The `stagely` command. The `--` above keeps Node from taking an --env-file of ours, or of a program
// that `stagely run` starts, for its own: Node 20 looks for it in all arguments.
import { runCommandLine } from './command-line.ts'

process.exitCode = await runCommandLine(process.argv.slice(2))
