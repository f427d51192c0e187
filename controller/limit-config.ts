// Flags that limit the rate of requests.
import type { Command } from 'commander'

/** Per second, on average over ten seconds; 0: no limit. */
export interface RateLimits {
  /** Requests of one person or machine to the REST API. */
  readonly rateLimit: number
  /** Requests of one person or machine to the Kubernetes-style API. */
  readonly kubeRateLimit: number
  /** Invalid tokens from one address. */
  readonly failureLimit: number
}

export interface LimitFlags {
  rateLimit: string
  kubeRateLimit: string
  failureLimit: string
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

export const parseLimits = (
  { rateLimit, kubeRateLimit, failureLimit }: LimitFlags,
  faults: string[],
): RateLimits => {
  const given = {
    '--rate-limit': rateLimit,
    '--kube-rate-limit': kubeRateLimit,
    '--failure-limit': failureLimit,
  }
  for (const [flag, text] of Object.entries(given))
    if (!/^\d{1,6}$/.test(text))
      faults.push(`${flag} must be a whole number of requests per second; 0 is no limit`)
  return {
    rateLimit: Number(rateLimit),
    kubeRateLimit: Number(kubeRateLimit),
    failureLimit: Number(failureLimit),
  }
}
