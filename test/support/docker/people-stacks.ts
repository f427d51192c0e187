// Stacks that look like those people publish: many services, jobs, conditions, several files. What they
// run is a stand-in.
import { idle, testImage } from './stack.ts'

export interface PeopleStack {
  readonly name: string
  /** By path in its folder; `docker-compose.yml` is one. */
  readonly files: Readonly<Record<string, string>>
  /** A service to which a secret of its own is given; many others lean on it, or it on them. */
  readonly service: string
}

const image = `image: ${testImage}`
const runs = `${image}\n    command: ${idle}`
const checked = `${runs}\n    healthcheck: {test: ["CMD", "true"], interval: 30s, start_period: 30s, start_interval: 300ms}`
const job = (what = 'true'): string => `${image}\n    command: ["sh", "-c", "${what}"]`

/** A mail and auth platform: anchors, one environment for all, conditions everywhere. */
const platform = `x-logging: &logging
  logging: {driver: json-file, options: {max-size: 1m, max-file: "2"}}
x-env: &env
  _APP_ENV: production
  _APP_DB_HOST: mariadb
services:
  mariadb:
    <<: *logging
    ${checked}
    volumes: [mariadb:/var/lib/mysql:rw]
  redis:
    <<: *logging
    ${runs}
    volumes: [redis:/data]
  app:
    <<: *logging
    ${checked}
    environment: {<<: *env, _APP_ROLE: web}
    depends_on: {mariadb: {condition: service_healthy}, redis: {condition: service_started}}
    extra_hosts: ["host.docker.internal:host-gateway"]
  worker-mails:
    <<: *logging
    ${runs}
    environment: *env
    depends_on: [redis, mariadb]
  worker-webhooks:
    <<: *logging
    ${runs}
    environment: *env
    depends_on: [redis, mariadb]
    deploy: {replicas: 2}
  realtime:
    <<: *logging
    ${runs}
    environment: *env
    depends_on: {app: {condition: service_healthy, restart: true}}
volumes: {mariadb: {}, redis: {}}
`

/** A business suite: a configurator that ends, a site that is made, workers. */
const suite = `x-base: &base
  ${image}
  depends_on: {configurator: {condition: service_completed_successfully}}
  volumes: [sites:/home/sites]
services:
  db: {${image}, command: ${idle}, healthcheck: {test: ["CMD", "true"], interval: 30s, start_period: 30s, start_interval: 300ms}}
  configurator:
    ${job()}
    environment: {DB_HOST: db}
    depends_on: {db: {condition: service_healthy}}
    volumes: [sites:/home/sites]
  create-site:
    <<: *base
    command: ["sh", "-c", "true"]
  backend: {<<: *base, command: ${idle}}
  queue-long: {<<: *base, command: ${idle}}
  scheduler: {<<: *base, command: ${idle}}
  frontend:
    ${runs}
    depends_on: [backend]
    volumes: ["sites:/home/sites:ro"]
volumes: {sites: {}}
`

/** A vendor's appliance: file and env_file beside, an own network with fixed addresses, init containers. */
const appliance = `services:
  init-volumes:
    ${job('touch /state/ready')}
    volumes: [state:/state]
    network_mode: none
  store:
    ${checked}
    env_file: [store.env, {path: local.env, required: false}]
    depends_on: {init-volumes: {condition: service_completed_successfully}}
    volumes: [state:/state]
    networks: {inner: {aliases: [database, db.internal]}}
    init: true
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    sysctls: {net.core.somaxconn: "512"}
  server:
    ${runs}
    env_file: store.env
    networks: {inner: {}, outer: {}}
    depends_on: {store: {condition: service_healthy}}
    hostname: server.example.test
    dns_search: [example.test]
    stop_grace_period: 2s
    secrets: [key]
    configs: [{source: settings, target: /etc/settings}]
    tmpfs: [/scratch]
    labels: {org.example.role: server}
  sidecar:
    ${runs}
    network_mode: service:server
    volumes_from: ["store:ro"]
  old-client:
    ${runs}
    links: ["server:upstream"]
    networks: [outer]
networks: {inner: {internal: true}, outer: {}}
volumes: {state: {}}
secrets: {key: {file: key.txt}}
configs: {settings: {file: settings.txt}}
`

/** A demo of many services in several files, with what is off by a profile, and what extends another. */
const demo = `services:
  base: {${image}, command: ${idle}, profiles: [never], environment: {OTEL: collector}, mem_limit: 64m}
  collector:
    ${runs}
    pid: service:store
    depends_on: [store]
  store: {${runs.replace('\n    ', ', ')}}
  cart: {extends: base, profiles: !reset [], depends_on: {store: {condition: service_started}, collector: {condition: service_started}}}
  checkout: {extends: base, profiles: !reset [], depends_on: [cart, currency]}
  currency: {extends: base, profiles: !reset [], depends_on: [collector]}
  frontend: {extends: base, profiles: !reset [], depends_on: [checkout, cart]}
include: [more/extra.yml]
`

export const peopleStacks: readonly PeopleStack[] = [
  { name: 'platform', service: 'mariadb', files: { 'docker-compose.yml': platform } },
  { name: 'suite', service: 'backend', files: { 'docker-compose.yml': suite } },
  {
    name: 'appliance',
    service: 'server',
    files: {
      'docker-compose.yml': appliance,
      'store.env': 'STORE_MODE=single\nSTORE_PASSWORD=of-the-file\n',
      'key.txt': 'a key\n',
      'settings.txt': 'a setting\n',
    },
  },
  {
    name: 'demo',
    service: 'cart',
    files: {
      'docker-compose.yml': demo,
      'docker-compose.override.yml': `services:\n  frontend: {environment: {LOCAL: "1"}}\n`,
      'more/extra.yml': `services:\n  load: {${runs.replace('\n    ', ', ')}, depends_on: [shop]}\n  shop: {${runs.replace('\n    ', ', ')}}\n`,
    },
  },
]
