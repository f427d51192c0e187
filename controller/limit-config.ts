// Flags that limit the rate of requests.
import type { Command } from 'commander'

/** Per second on average over ten seconds, where nothing else is said; 0: no limit. */
export interface RateLimits {
  /** Requests of one person or machine to the REST API. */
  readonly rateLimit: number
  /** Requests of one person or machine to the Kubernetes-style API. */
  readonly kubeRateLimit: number
  /** Invalid tokens from one address. */
  readonly failureLimit: number
  /** Attempts of browsers to log in that fail, from one address within a minute. */
  readonly loginLimit: number
}

export interface LimitFlags {
  rateLimit: string
  kubeRateLimit: string
  failureLimit: string
  loginLimit: string
}

export const limitOptions = (command: Command): Command =>
  command
    .option(
      '--rate-limit <n>',
      'REST requests per second and person or machine, on average; 0: no limit',
      '100',
    )
    .option('--kube-rate-limit <n>', 'the same for the Kubernetes-style API', '400')
    .option(
      '--failure-limit <n>',
      'refused tokens per second and address, on average; 0: no limit',
      '50',
    )
    .option(
      '--login-limit <n>',
      'logins of browsers that fail, per minute and address; 0: no limit',
      '5',
    )

export const parseLimits = (
  { rateLimit, kubeRateLimit, failureLimit, loginLimit }: LimitFlags,
  faults: string[],
): RateLimits => {
  const given = {
    '--rate-limit': rateLimit,
    '--kube-rate-limit': kubeRateLimit,
    '--failure-limit': failureLimit,
    '--login-limit': loginLimit,
  }
  for (const [flag, text] of Object.entries(given))
    if (!/^\d{1,6}$/.test(text)) faults.push(`${flag} must be a whole number ; 0 is no limit`)
  return {
    rateLimit: Number(rateLimit),
    kubeRateLimit: Number(kubeRateLimit),
    failureLimit: Number(failureLimit),
    loginLimit: Number(loginLimit),
  }
}
