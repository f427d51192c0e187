// Starts a program that goes on by itself, such as a browser.
import { spawn } from 'node:child_process'
import type { ExecRequest } from './exec.ts'

/** True when it was started. What becomes of it is not looked at. */
export const startDetached = ({
  file,
  args,
  cwd,
  env,
}: Pick<ExecRequest, 'file' | 'args' | 'cwd' | 'env'>): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(file, [...args], { cwd, env, detached: true, stdio: 'ignore' })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
