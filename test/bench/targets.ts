// The numbers to beat. A row without a target is shown for its own sake.
export interface Target {
  readonly limit: number
  /** `below`: the value must be less than or equal to the limit; `above`: greater. */
  readonly side: 'below' | 'above'
}

const below = (limit: number): Target => ({ limit, side: 'below' })
const above = (limit: number): Target => ({ limit, side: 'above' })

/** Of a project of 10,000 secrets. */
const ofLargeProject = (name: string): Readonly<Record<string, Target>> => ({
  [`${name}_first_rows_ms`]: below(500),
  [`${name}_complete_ms`]: below(2_500),
  [`${name}_nodes`]: below(3_000),
  [`${name}_heap_mb`]: below(80),
  [`${name}_filter_ms`]: below(50),
  [`${name}_scroll_p95_ms`]: below(17),
})

export const targets: Readonly<Record<string, Target>> = {
  seal_1kib_us: below(25),
  open_1kib_us: below(25),
  agent_request_verify_us: below(10),
  override_50x200_ms: below(5),
  compose_merge_ms: below(100),
  secret_lookup_ms: below(2),
  project_read_1000_ms: below(5),
  secret_lookup_5_environments_ratio: below(1.1),
  project_read_5_environments_ratio: below(1.1),
  rest_list_5_environments_ratio: below(1.1),
  mask_1000_mbps: above(400),
  mask_1000_build_ms: below(100),
  rest_create_c1_ms: below(3),
  // 800 a second.
  rest_create_c16_ms: below(20),
  rest_list_1000_c1_ms: below(8),
  api_watch_1000_last_ms: below(38),
  api_watch_narrowed_ratio: below(1.5),
  write_to_up_ms: below(30),
  write_to_running_ratio: below(1.15),
  needless_restarts: below(0),
  cascaded_restarts: below(0),
  jobs_run_again: below(0),
  agents_5000_idle_cores: below(0.1),
  agent_connection_kib: below(90),
  // CPU time of the controller from a change until the last agent has its bundle, and until all is judged.
  fanout_5000_cpu_s: below(1.5),
  judged_5000_cpu_s: below(5),
  slo_1000_started_p99_ms: below(1_000),
  slo_1000_proven_p99_ms: below(3_000),
  where_s: below(10),
  scan_tree_mbps: above(150),
  scan_staged_1mb_ms: below(1_000),
  rotation_steps_ms: below(50),
  // 15 s, and the minute of the proof.
  rotation_whole_s: below(75),
  rotation_auth_failures: below(0),
  rotation_double_valid_s: below(180),
  agent_rss_mb: below(90),
  agent_idle_cpu_ms_per_min: below(100),
  controller_rss_mb: below(450),
  controller_start_ms: below(1_500),
  scale_start_ms: below(10_000),
  scale_rss_mb: below(900),
  scale_create_c1_ms: below(3),
  store_10000_calls_per_min: below(25),
  store_10000_idle_cpu_ms_per_min: below(200),
  store_look_writes: below(0),
  store_change_to_running_s: below(1),
  dashboard_first_load_js_kb: below(90),
  dashboard_lcp_ms: below(800),
  // A slow machine: a quarter of the CPU, 40 ms and 10 Mbit/s.
  dashboard_lcp_slow_ms: below(1_800),
  dashboard_blocking_ms: below(50),
  dashboard_blocking_slow_ms: below(200),
  dashboard_cls: below(0.01),
  dashboard_cls_slow: below(0.01),
  ...ofLargeProject('dashboard_10k'),
  // The lens across 200 stagelets.
  ...ofLargeProject('dashboard_10k_across'),
  ...ofLargeProject('dashboard_1k_stacks'),
  dashboard_rolling_p95_ms: below(300),
  dashboard_event_to_paint_p95_ms: below(50),
  dashboard_1000_events_longest_task_ms: below(100),
  dashboard_logs_longest_task_ms: below(100),
  dashboard_idle_cpu_percent: below(0.5),
}

export const isMet = (name: string, value: number): boolean | undefined => {
  const target = targets[name]
  if (target === undefined) return undefined
  return target.side === 'below' ? value <= target.limit : value > target.limit
}
