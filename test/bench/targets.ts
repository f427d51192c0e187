// The numbers to beat. A row without a target is shown for its own sake.
export interface Target {
  readonly limit: number
  /** `below`: the value must be less than or equal to the limit; `above`: greater. */
  readonly side: 'below' | 'above'
}

const below = (limit: number): Target => ({ limit, side: 'below' })
const above = (limit: number): Target => ({ limit, side: 'above' })

export const targets: Readonly<Record<string, Target>> = {
  seal_1kib_us: below(25),
  open_1kib_us: below(25),
  agent_request_verify_us: below(10),
  override_50x200_ms: below(5),
  secret_lookup_ms: below(2),
  project_read_1000_ms: below(15),
  mask_1000_mbps: above(400),
  mask_1000_build_ms: below(100),
  // A kube-apiserver with etcd at the same work, on a machine with two cores that did nothing else.
  api_create_c1_ms: below(2.4),
  api_create_c16_per_s: above(944),
  api_get_c16_per_s: above(2_540),
  api_list_1000_ms: below(41),
  api_watch_1000_last_ms: below(38),
  write_to_up_ms: below(30),
  write_to_running_ratio: below(1.15),
  needless_restarts: below(0),
  cascaded_restarts: below(0),
  jobs_run_again: below(0),
  agents_5000_idle_cores: below(0.1),
  agent_connection_kib: below(40),
  fanout_5000_s: below(1.5),
  agent_rss_mb: below(90),
  agent_idle_cpu_ms_per_min: below(100),
  controller_rss_mb: below(450),
  controller_start_ms: below(1_500),
  scale_start_ms: below(10_000),
  scale_rss_mb: below(900),
  scale_create_c1_ms: below(3),
}

export const isMet = (name: string, value: number): boolean | undefined => {
  const target = targets[name]
  if (target === undefined) return undefined
  return target.side === 'below' ? value <= target.limit : value > target.limit
}
