#!/usr/bin/env -S node --
// The `stagely` command. The `--` above is needed because Node 20 looks for --env-file in all
// arguments, also in those of this command, or of a program that `stagely run` starts.
import { runCommandLine } from './command-line.ts'

process.exitCode = await runCommandLine(process.argv.slice(2))
