// One stack for each thing that Compose can do with containers, as its own end-to-end tests have them.
import type { PeopleStack } from './people-stacks.ts'
import { stackOf } from '../stand-ins.ts'

const networks = [
  stackOf(
    'network-links',
    'container1',
    `services:
  container1: {RUN, network_mode: bridge}
  container2: {RUN, network_mode: bridge, links: [container1]}
  container3: {RUN, network_mode: bridge, links: ["container2:second", container1], depends_on: [container1]}
`,
  ),
  stackOf(
    'network-alias',
    'container1',
    `services:
  container1: {RUN, networks: {network-name: {aliases: [alias-of-container1]}}}
  container2: {RUN, networks: {network-name: {priority: 100}, other: {priority: 1000}}}
networks: {network-name: {labels: {team: "one"}}, other: {attachable: true}}
`,
  ),
  stackOf(
    'network-links-names',
    'server',
    `services:
  server: {RUN, networks: [foo, bar]}
  client: {RUN, networks: [foo], links: ["server:upstream", server]}
  mac: {RUN, networks: {bar: {mac_address: "02:42:ac:11:00:09"}}}
networks: {foo: , bar: {enable_ipv6: false}}
`,
  ),
  stackOf(
    'static-addresses',
    'dns',
    `services:
  dns: {RUN, cap_add: [NET_ADMIN], networks: {dns-net: {ipv4_address: 10.201.12.2}}, dns: ["127.0.0.1", "1.1.1.1"], volumes: ["./etc:/etc/pihole"]}
  doh: {RUN, networks: {dns-net: {ipv4_address: 10.201.12.3}}, environment: {TUNNEL_DNS_PORT: 5053}}
  client: {RUN, depends_on: [dns], dns: 10.201.12.2, networks: [dns-net]}
networks: {dns-net: {driver: bridge, ipam: {config: [{subnet: 10.201.12.0/24, gateway: 10.201.12.1, ip_range: 10.201.12.128/25}]}}}
`,
    { 'etc/.keep': '' },
  ),
  stackOf(
    'shared-network',
    'vpn',
    `services:
  vpn: {CHECKED, cap_add: [NET_ADMIN], sysctls: [net.ipv4.ip_forward=1], hostname: vpn}
  torrents: {RUN, network_mode: "service:vpn", depends_on: {vpn: {condition: service_healthy}}, restart: unless-stopped}
  indexer: {RUN, network_mode: "service:vpn", depends_on: {vpn: {condition: service_healthy, restart: true}}}
  films: {RUN, depends_on: [torrents, indexer]}
`,
  ),
  stackOf(
    'shared-processes',
    'main',
    `services:
  main: {RUN, ipc: shareable, shm_size: 1m}
  ipc: {RUN, ipc: "service:main"}
  pid: {RUN, pid: "service:main", depends_on: [ipc]}
  host: {RUN, ipc: host, uts: host, cgroup: host}
`,
  ),
  stackOf(
    'chain',
    'a',
    `services:
  a: {RUN}
  b: {RUN, network_mode: "service:a"}
  c: {RUN, network_mode: "service:a", pid: "service:b"}
  d: {RUN, volumes_from: [c], depends_on: [b]}
`,
  ),
]

const dependencies = [
  stackOf(
    'completed',
    'oneshot',
    `services:
  oneshot: {JOB}
  long: {RUN, depends_on: {oneshot: {condition: service_completed_successfully}}}
  fails: {IMAGE, command: ["sh", "-c", "exit 0"], restart: "on-failure:3", depends_on: {long: {condition: service_started}}}
`,
  ),
  stackOf(
    'not-required',
    'foo',
    `services:
  foo: {RUN, depends_on: {bar: {required: false, condition: service_healthy}, baz: {required: false, condition: service_started}}}
  bar: {RUN, profiles: [not-required], CHECK}
  baz: {RUN}
`,
  ),
  stackOf(
    'restart-true',
    'with-check',
    `services:
  with-check: {CHECKED, init: true}
  dependent: {RUN, init: true, depends_on: {with-check: {condition: service_healthy, restart: true}}}
  other: {RUN, depends_on: [dependent]}
`,
  ),
  stackOf(
    'diamond',
    'left',
    `services:
  top: {CHECKED}
  left: {CHECKED, depends_on: {top: {condition: service_healthy}}}
  right: {RUN, depends_on: {top: {condition: service_healthy}}}
  bottom: {RUN, depends_on: {left: {condition: service_healthy}, right: {condition: service_started}}}
  report: {JOB, depends_on: [bottom]}
`,
  ),
  stackOf(
    'jobs',
    'second',
    `services:
  first: {JOB, volumes: [state:/state]}
  second: {IMAGE, entrypoint: ["sh", "-c"], command: ["touch /state/second"], volumes: [state:/state], depends_on: {first: {condition: service_completed_successfully}}}
  third: {JOB, depends_on: {second: {condition: service_completed_successfully}}, network_mode: none}
  app: {RUN, depends_on: {third: {condition: service_completed_successfully}}, volumes: ["state:/state:ro"]}
volumes: {state: }
`,
  ),
  stackOf(
    'scale',
    'back',
    `services:
  back: {RUN, deploy: {mode: replicated, replicas: 3}, depends_on: [db]}
  db: {RUN}
  front: {RUN, scale: 2, depends_on: [back]}
  dbadmin: {RUN, deploy: {replicas: 0}}
`,
  ),
]

const files = [
  stackOf(
    'profiles',
    'main',
    `services:
  main: {RUN}
  profiled: {RUN, profiles: [on], depends_on: [main]}
  off: {RUN, profiles: ["off"]}
  both: {RUN, profiles: [on, "off"], network_mode: "service:main"}
`,
    { '.env': 'COMPOSE_PROFILES=on\n' },
  ),
  stackOf(
    'several-files',
    'web',
    `services:
  web: {RUN, environment: {MODE: base, "KEPT": "yes"}, labels: [one=1], depends_on: [db]}
  db: {RUN, volumes: [data:/data], expose: ["5432"]}
volumes: {data: }
`,
    {
      '.env': 'COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml:docker-compose.site.yml\n',
      'docker-compose.prod.yml': `services: {web: {environment: {MODE: production}, labels: [two=2]}}\n`,
      'docker-compose.site.yml': `services:
  db: {volumes: ["./conf:/conf:ro"], environment: [A=b]}
  web: {depends_on: !override {db: {condition: service_started}, cache: {condition: service_started}}}
  cache: {RUN, environment: !reset {}}
`,
      'conf/.keep': '',
    },
  ),
  stackOf(
    'override-file',
    'api',
    `services:
  api: {IMAGE, command: ["sleep", "1"], environment: [A=1]}
  ui: {RUN, depends_on: [api]}
`,
    {
      'docker-compose.override.yml': `services: {api: {RUN, environment: [A=2, B=3], init: true}}\n`,
    },
  ),
  stackOf(
    'extends',
    'broker-2',
    `services:
  broker-1: {extends: {file: common/kafka.yml, service: broker}, environment: {ID: 1}, hostname: broker-1}
  broker-2: {extends: {file: common/kafka.yml, service: broker}, environment: {ID: 2}, hostname: broker-2, depends_on: [broker-1]}
  broker-3: {extends: broker-2, environment: {ID: 3}, hostname: broker-3}
`,
    {
      'common/kafka.yml': `services: {broker: {RUN, env_file: kafka.env, volumes: ["./conf:/conf:ro"], ulimits: {nofile: 1024}}}\n`,
      'common/kafka.env': 'KRAFT=1\n',
      'common/conf/.keep': '',
    },
  ),
  stackOf(
    'include',
    'app',
    `include:
  - path: parts/db.yml
    env_file: parts/db.env
  - parts/cache/docker-compose.yml
services:
  app: {RUN, depends_on: [db, cache], environment: ["WHO=\${WHO:-nobody}"]}
`,
    {
      'parts/db.yml': `services: {db: {RUN, environment: ["MODE=\${DB_MODE}"], volumes: ["./db:/db"]}}\n`,
      'parts/db.env': 'DB_MODE=single\n',
      'parts/db/.keep': '',
      'parts/cache/docker-compose.yml': `services: {cache: {RUN, networks: [inner]}}\nnetworks: {inner: }\n`,
      '.env': 'WHO=somebody\n',
    },
  ),
  stackOf(
    'env-files',
    'app',
    `services:
  app: {RUN, env_file: [a.env, {path: b.env, required: true}, {path: missing.env, required: false}], environment: {C: of-the-file, FROM_ENV: , D: "\${D?needed}"}}
  plain: {RUN, env_file: a.env}
`,
    {
      '.env': 'D=1\nFROM_ENV=x\n',
      'a.env': `A=1\nB='single $quoted'\nC=of-env\n# comment\nexport E=2\nM="two\\nlines"\n`,
      'b.env': 'A=${A}-more\nURL=http://x/?a=b#c\n',
    },
  ),
  stackOf(
    'configs',
    'from-file',
    `services:
  from-file: {RUN, configs: [{source: file, target: /etc/file.txt, mode: 0440}]}
  short: {RUN, configs: [file], secrets: [token]}
  long: {RUN, secrets: [{source: token, target: other, uid: "103", gid: "103", mode: 0440}]}
configs: {file: {file: ./conf/file.txt}}
secrets: {token: {file: "\${TOKEN:-./token}"}}
`,
    { 'conf/file.txt': 'a', token: 'b' },
  ),
  stackOf(
    'inline-configs',
    'web',
    `services:
  web: {RUN, configs: [{source: inline, target: /etc/web.conf}], depends_on: [api]}
  api: {RUN}
configs: {inline: {content: "server api:80;\\n"}}
`,
  ),
]

const containers = [
  stackOf(
    'volumes',
    'app',
    `services:
  app: {RUN, volumes: ["data:/data", {type: volume, source: cold, target: /cold, read_only: true, volume: {nocopy: true}}, {type: bind, source: ./site, target: /site, bind: {propagation: rprivate}}]}
  reader: {RUN, volumes_from: ["app:ro"], depends_on: [app]}
  copy: {RUN, volumes: ["/anonymous", {type: tmpfs, target: /scratch}, {type: bind, source: ./made, target: /made, bind: {create_host_path: true}}]}
volumes: {data: {labels: [kept=yes]}, cold: {name: "stagely-cold-\${COMPOSE_PROJECT_NAME}"}}
`,
    { 'site/index.html': '', 'made/.keep': '' },
  ),
  stackOf(
    'limits',
    'app',
    `services:
  app: {RUN, cpus: 0.5, cpu_shares: 512, mem_limit: 64m, mem_reservation: 32m, memswap_limit: 128m, pids_limit: 100, oom_score_adj: 100}
  deployed: {RUN, deploy: {resources: {limits: {cpus: "0.5", memory: 64M, pids: 50}, reservations: {memory: 20M}}, restart_policy: {condition: on-failure, max_attempts: 2}}}
  blkio: {RUN, blkio_config: {weight: 300}, device_cgroup_rules: ["c 1:3 mr"], group_add: ["44"], userns_mode: host}
`,
  ),
  stackOf(
    'checks',
    'checked',
    `services:
  checked: {CHECKED}
  shell: {RUN, healthcheck: {test: "exit 0", interval: 20s, start_period: 20s, start_interval: 300ms, timeout: 2s}}
  none: {RUN, healthcheck: {disable: true}, depends_on: {shell: {condition: service_healthy}}}
`,
  ),
  stackOf(
    'odd-names',
    'web.app_1',
    `services:
  web.app_1: {RUN, labels: {"a.b/c": "x=y", quoted: "'\\"$$"}}
  UPPER-case: {RUN, depends_on: ["web.app_1"]}
  "0": {RUN, environment: {"DOT.TED": "1", EMPTY: "", DOLLAR: "$$HOME $\${X}"}}
`,
  ),
  stackOf(
    'runs-oddly',
    'one',
    `services:
  one: {IMAGE, command: sh -c "trap 'exit 0' TERM; sleep 2147483 & wait", working_dir: /tmp, domainname: example.test, stdin_open: true, tty: true, stop_signal: SIGTERM, stop_grace_period: 1m30s}
  two: {IMAGE, entrypoint: sh -c "sleep 2147483 & wait", restart: always, stop_grace_period: 500ms, init: true, read_only: true, logging: {driver: none}, annotations: {com.example.x: y}}
  three: {RUN, user: "1000", extra_hosts: {one.test: 10.0.0.1}, dns_opt: [use-vc]}
`,
  ),
  stackOf(
    'named-containers',
    'db',
    `services:
  db: {RUN, container_name: "\${COMPOSE_PROJECT_NAME}-the-db"}
  app: {RUN, container_name: "\${COMPOSE_PROJECT_NAME}_app", depends_on: [db]}
  side: {RUN, network_mode: "service:app"}
`,
  ),
]

export const featureStacks: readonly PeopleStack[] = [
  ...networks,
  ...dependencies,
  ...files,
  ...containers,
]

/** Only a Compose of 2.30 or later knows these. */
export const newerStacks: readonly PeopleStack[] = [
  stackOf(
    'hooks',
    'app',
    `services:
  app: {RUN, post_start: [{command: ["sh", "-c", "touch /tmp/started"], user: root}], pre_stop: [{command: ["true"]}]}
  after: {RUN, depends_on: [app], post_start: [{command: "true", environment: [A=b]}]}
`,
  ),
]
