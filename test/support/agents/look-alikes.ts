// Stacks built like those of well-known projects: their services, conditions, files and networks. What
// they run is a stand-in.
import type { PeopleStack } from '../docker/people-stacks.ts'
import { stackOf } from '../stand-ins.ts'

const backend = stackOf(
  'appwrite',
  'redis',
  `x-logging: &logging
  logging: {driver: json-file, options: {max-file: "5", max-size: 10m}}
x-env: &env {_APP_ENV: production, _APP_LOCALE: en, _APP_REDIS_HOST: redis, _APP_DB_HOST: mariadb}
services:
  traefik: {<<: *logging, RUN, restart: unless-stopped, volumes: ["config:/storage/config:ro"], networks: [gateway, appwrite], depends_on: [appwrite]}
  appwrite:
    {<<: *logging, RUN, restart: unless-stopped, networks: [appwrite], labels: [traefik.enable=true, "traefik.constraint-label-stack=appwrite"], volumes: ["uploads:/storage/uploads:rw", "config:/storage/config:rw"], depends_on: [mariadb, redis], environment: *env}
  console: {<<: *logging, RUN, networks: [appwrite], labels: [traefik.enable=true]}
  realtime: {<<: *logging, RUN, networks: [appwrite], depends_on: [mariadb, redis], environment: *env}
  worker-audits: {<<: *logging, RUN, networks: [appwrite], depends_on: [redis, mariadb], environment: *env}
  worker-deletes: {<<: *logging, RUN, networks: [appwrite], depends_on: [redis, mariadb], volumes: ["uploads:/storage/uploads:rw"], environment: *env}
  worker-mails: {<<: *logging, RUN, networks: [appwrite], depends_on: [redis], environment: {<<: *env, _APP_SMTP_HOST: smtp}}
  maintenance: {<<: *logging, RUN, networks: [appwrite], depends_on: [redis], environment: *env}
  executor: {<<: *logging, RUN, hostname: exc1, stop_signal: SIGINT, networks: [appwrite, runtimes], volumes: ["builds:/storage/builds:rw", "/tmp:/tmp:ro"]}
  mariadb: {<<: *logging, RUN, restart: unless-stopped, networks: [appwrite], volumes: ["mariadb:/var/lib/mysql:rw"]}
  redis: {<<: *logging, RUN, restart: unless-stopped, networks: [appwrite], volumes: ["redis:/data:rw"]}
networks: {gateway: {}, appwrite: {}, runtimes: {}}
volumes: {mariadb: {}, redis: {}, uploads: {}, config: {}, builds: {}}
`,
)

const business = stackOf(
  'frappe',
  'db',
  `x-customizable-image: &image {IMAGE, pull_policy: "\${PULL_POLICY:-missing}"}
x-depends-on-configurator: &waits
  depends_on: {configurator: {condition: service_completed_successfully}}
x-backend-defaults: &defaults {<<: [*waits, *image], volumes: [sites:/home/frappe/frappe-bench/sites]}
services:
  configurator: {<<: *defaults, JOB, restart: on-failure, environment: {DB_HOST: db, REDIS_CACHE: redis-cache:6379}, depends_on: {db: {condition: service_healthy}}}
  backend: {<<: *defaults, RUN}
  frontend: {<<: *defaults, RUN, environment: {BACKEND: "backend:8000", SOCKETIO: "websocket:9000"}, depends_on: [backend, websocket]}
  websocket: {<<: [*waits, *image], RUN, volumes: [sites:/home/frappe/frappe-bench/sites]}
  queue-short: {<<: *defaults, RUN}
  queue-long: {<<: *defaults, RUN}
  scheduler: {<<: *defaults, RUN}
volumes: {sites: {}}
`,
  {
    '.env': 'COMPOSE_FILE=docker-compose.yml:docker-compose.db.yml:docker-compose.redis.yml\n',
    'docker-compose.db.yml': `services:
  db: {CHECKED, environment: {MYSQL_DATABASE: frappe}, volumes: [db-data:/var/lib/mysql]}
volumes: {db-data: {}}
`,
    'docker-compose.redis.yml': `services:
  configurator: {depends_on: {redis-cache: {condition: service_started}}}
  redis-cache: {RUN}
  redis-queue: {RUN, volumes: [redis-queue-data:/data]}
volumes: {redis-queue-data: {}}
`,
  },
)

const tracing = stackOf(
  'langfuse',
  'clickhouse',
  `services:
  langfuse-worker:
    {RUN, restart: always, depends_on: &depends {postgres: {condition: service_healthy}, minio: {condition: service_healthy}, redis: {condition: service_healthy}, clickhouse: {condition: service_healthy}}, environment: &env {NODE_ENV: production, REDIS_HOST: "\${REDIS_HOST:-redis}", CLICKHOUSE_USER: "\${CLICKHOUSE_USER:-clickhouse}"}}
  langfuse-web: {RUN, restart: always, depends_on: *depends, environment: {<<: *env, NEXTAUTH_URL: "http://localhost"}}
  clickhouse: {CHECKED, restart: always, volumes: [clickhouse-data:/var/lib/clickhouse, clickhouse-logs:/var/log]}
  minio: {CHECKED, restart: always, entrypoint: [], volumes: [minio-data:/data]}
  redis: {CHECKED, restart: always}
  postgres: {CHECKED, restart: always, volumes: [postgres-data:/var/lib/postgresql/data]}
volumes: {postgres-data: {driver: local}, clickhouse-data: {driver: local}, clickhouse-logs: {driver: local}, minio-data: {driver: local}}
`,
)

const flows = [
  stackOf(
    'n8n-postgres',
    'postgres',
    `services:
  postgres: {CHECKED, restart: always, environment: [POSTGRES_USER, "POSTGRES_DB=n8n"], volumes: ["db-storage:/var/lib/postgresql/data", "./init-data.sh:/docker-entrypoint-initdb.d/init-data.sh"]}
  n8n: {RUN, restart: always, environment: [DB_TYPE=postgresdb], links: [postgres], volumes: ["n8n-storage:/home/node/.n8n"], depends_on: {postgres: {condition: service_healthy}}}
volumes: {db-storage: , n8n-storage: }
`,
    { 'init-data.sh': '#!/bin/sh\n', '.env': 'POSTGRES_USER=root\n' },
  ),
  stackOf(
    'n8n-workers',
    'redis',
    `x-shared: &shared
  {RUN, restart: always, environment: [EXECUTIONS_MODE=queue, QUEUE_BULL_REDIS_HOST=redis], links: [postgres, redis], volumes: ["n8n-storage:/home/node/.n8n"], depends_on: {redis: {condition: service_healthy}, postgres: {condition: service_healthy}}}
services:
  postgres: {CHECKED, restart: always, volumes: ["db-storage:/var/lib/postgresql/data"]}
  redis: {CHECKED, restart: always, volumes: ["redis-storage:/data"]}
  n8n: {<<: *shared}
  n8n-worker: {<<: *shared, deploy: {replicas: 2}, depends_on: [n8n]}
volumes: {db-storage: , n8n-storage: , redis-storage: }
`,
  ),
  stackOf(
    'activepieces',
    'app',
    `services:
  app: {RUN, env_file: .env, depends_on: [postgres, redis], networks: [activepieces], volumes: ["./cache:/usr/src/app/cache"]}
  postgres: {RUN, environment: ["POSTGRES_DB=\${AP_DB}"], networks: [activepieces], volumes: ["pg:/var/lib/postgresql/data"]}
  redis: {RUN, networks: [activepieces], volumes: ["redis:/data"]}
networks: {activepieces: {}}
volumes: {pg: , redis: }
`,
    { '.env': 'AP_DB=activepieces\nAP_MODE=local\n', 'cache/.keep': '' },
  ),
]

const planning = stackOf(
  'plane',
  'migrator',
  `x-db-env: &db-env {PGHOST: "\${PGHOST:-plane-db}", PGDATABASE: plane}
x-redis-env: &redis-env {REDIS_HOST: plane-redis}
x-app-env: &app-env {WEB_URL: "http://localhost", DEBUG: 0}
services:
  web: {RUN, deploy: {replicas: "\${WEB_REPLICAS:-1}", restart_policy: {condition: on-failure}}, depends_on: [api, worker]}
  space: {RUN, deploy: {replicas: 2, restart_policy: {condition: on-failure}}, depends_on: [api, worker, web]}
  api: {RUN, environment: {<<: [*app-env, *db-env, *redis-env]}, volumes: [logs_api:/code/plane/logs], depends_on: [plane-db, plane-redis, plane-mq]}
  worker: {RUN, environment: {<<: [*app-env, *db-env, *redis-env]}, depends_on: [api, plane-db, plane-redis, plane-mq]}
  beat-worker: {RUN, environment: {<<: [*app-env, *db-env]}, depends_on: [api, plane-db, plane-redis, plane-mq]}
  migrator: {JOB, restart: on-failure, environment: {<<: [*app-env, *db-env]}, depends_on: [plane-db, plane-redis]}
  plane-db: {RUN, environment: {<<: *db-env}, volumes: [pgdata:/var/lib/postgresql/data]}
  plane-redis: {RUN, volumes: [redisdata:/data]}
  plane-mq: {RUN, restart: always, volumes: [mqdata:/var/lib/rabbitmq]}
  plane-minio: {RUN, volumes: [uploads:/export]}
  proxy: {RUN, depends_on: [web, api, space]}
volumes: {pgdata: , redisdata: , uploads: , logs_api: , mqdata: }
`,
)

const mail = [
  stackOf(
    'mailu',
    'resolver',
    `x-front: &front {RUN, restart: always, env_file: mailu.env, logging: {driver: json-file}, dns: [10.201.10.254]}
services:
  redis: {RUN, restart: always, volumes: ["./redis:/data"], depends_on: [resolver], dns: [10.201.10.254]}
  front: {<<: *front, networks: [default, webmail], volumes: ["./certs:/certs", "./overrides/nginx:/overrides:ro"], depends_on: [resolver]}
  resolver: {RUN, env_file: mailu.env, restart: always, networks: {default: {ipv4_address: 10.201.10.254}}}
  admin: {<<: *front, volumes: ["./data:/data"], depends_on: [redis, resolver]}
  imap: {<<: *front, volumes: ["mail:/mail"], depends_on: [front, resolver], networks: [default]}
  smtp: {<<: *front, depends_on: [front, resolver]}
  antispam: {<<: *front, hostname: antispam, networks: [default, oletools], depends_on: [front, redis, oletools, resolver]}
  oletools: {RUN, hostname: oletools, restart: always, networks: [oletools]}
  webmail: {<<: *front, networks: [webmail], depends_on: [front]}
networks:
  default: {driver: bridge, ipam: {driver: default, config: [{subnet: 10.201.10.0/24}]}}
  webmail: {driver: bridge}
  oletools: {driver: bridge, internal: true}
volumes: {mail: }
`,
    {
      'mailu.env': 'DOMAIN=example.test\nSUBNET=10.201.10.0/24\n',
      'redis/.keep': '',
      'certs/.keep': '',
      'overrides/nginx/.keep': '',
      'data/.keep': '',
    },
  ),
  stackOf(
    'mailcow',
    'unbound',
    `services:
  unbound: {CHECKED, environment: [TZ=UTC], tty: true, networks: {mailcow-network: {ipv4_address: 10.201.11.254, aliases: [unbound]}}}
  mysql: {RUN, depends_on: [unbound, netfilter], stop_grace_period: 45s, volumes: ["mysql-vol:/var/lib/mysql/"], networks: {mailcow-network: {aliases: [mysql]}}}
  redis: {RUN, depends_on: [netfilter], entrypoint: ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"], sysctls: [net.core.somaxconn=4096], networks: {mailcow-network: {ipv4_address: 10.201.11.249, aliases: [redis]}}}
  php-fpm: {RUN, depends_on: [redis], dns: [10.201.11.254], cap_drop: [MKNOD], extra_hosts: ["ldap.example.test:10.0.0.1"], networks: {mailcow-network: {aliases: [phpfpm]}}}
  dovecot: {RUN, depends_on: [mysql, netfilter, redis], dns: [10.201.11.254], ulimits: {nofile: {soft: 512, hard: 1024}}, labels: {ofelia.enabled: "true", ofelia.job-exec.sarules.command: "sa-rules"}, networks: {mailcow-network: {ipv4_address: 10.201.11.250, aliases: [dovecot]}}}
  postfix: {RUN, depends_on: {mysql: {condition: service_started}, unbound: {condition: service_healthy}}, networks: {mailcow-network: {ipv4_address: 10.201.11.253, aliases: [postfix]}}}
  netfilter: {RUN, stop_grace_period: 30s, restart: always, network_mode: host, cap_add: [NET_ADMIN]}
  watchdog: {RUN, init: false, oom_kill_disable: false, tmpfs: [/tmp], depends_on: [postfix, dovecot, mysql, redis], networks: {mailcow-network: {aliases: [watchdog]}}}
networks:
  mailcow-network: {driver: bridge, driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: nat}, ipam: {config: [{subnet: 10.201.11.0/24}]}}
volumes: {mysql-vol: }
`,
  ),
]

const chat = [
  stackOf(
    'zulip',
    'database',
    `services:
  database: {RUN, restart: unless-stopped, secrets: [postgres_password], environment: {POSTGRES_DB: zulip}, volumes: ["postgresql-14:/var/lib/postgresql/data:rw"], attach: false}
  memcached: {IMAGE, command: ["sh", "-euc", "trap 'exit 0' TERM; sleep 2147483 & wait"], environment: {SASL_CONF_PATH: /home/memcache/memcached.conf}, secrets: [memcached_password]}
  rabbitmq: {RUN, hostname: zulip-rabbit, volumes: ["rabbitmq:/var/lib/rabbitmq:rw"]}
  redis: {RUN, volumes: ["redis:/data:rw"]}
  zulip: {RUN, depends_on: [database, memcached, rabbitmq, redis], environment: {DB_HOST: database}, secrets: [{source: postgres_password, target: zulip__postgres_password}, memcached_password], volumes: ["zulip:/data:rw"], ulimits: {nofile: {soft: 512, hard: 1024}}}
volumes: {zulip: , postgresql-14: , rabbitmq: , redis: }
secrets: {postgres_password: {file: ./pg.txt}, memcached_password: {file: ./memcached.txt}}
`,
    { 'pg.txt': 'one', 'memcached.txt': 'two' },
  ),
  stackOf(
    'rocketchat',
    'mongo',
    `services:
  mongo: {CHECKED, restart: on-failure, volumes: ["mongo:/data/db"]}
  mongo-init-replica: {JOB, depends_on: {mongo: {condition: service_healthy}}}
  rocketchat: {RUN, labels: {traefik.enable: "true"}, environment: {MONGO_URL: "\${MONGO_URL:-mongodb://mongo:27017/rc?replicaSet=rs0}"}, depends_on: {mongo-init-replica: {condition: service_completed_successfully}}, expose: [3000]}
volumes: {mongo: {driver: local}}
`,
  ),
  stackOf(
    'mastodon',
    'db',
    `services:
  db: {CHECKED, restart: always, shm_size: 256mb, networks: [internal], volumes: ["./postgres14:/var/lib/postgresql/data"], environment: [POSTGRES_HOST_AUTH_METHOD=trust]}
  redis: {CHECKED, restart: always, networks: [internal], volumes: ["./redis:/data"]}
  web: {CHECKED, env_file: .env.production, networks: [external, internal], depends_on: [db, redis], volumes: ["./public/system:/mastodon/public/system"]}
  streaming: {CHECKED, env_file: .env.production, networks: [external, internal], depends_on: [db, redis]}
  sidekiq: {CHECKED, env_file: .env.production, depends_on: [db, redis], networks: [external, internal], volumes: ["./public/system:/mastodon/public/system"]}
networks: {external: , internal: {internal: true}}
`,
    {
      '.env.production': 'LOCAL_DOMAIN=example.test\nSINGLE="quo ted"\nEMPTY=\n',
      'postgres14/.keep': '',
      'redis/.keep': '',
      'public/system/.keep': '',
    },
  ),
  stackOf(
    'matrix',
    'synapse',
    `services:
  synapse: {CHECKED, depends_on: [db], user: "991:991", volumes: [{type: volume, source: data, target: /data}, {type: tmpfs, target: /run/tmp, tmpfs: {size: 1048576}}]}
  db: {RUN, environment: {POSTGRES_INITDB_ARGS: "--encoding=UTF-8 --lc-collate=C"}, volumes: [db:/var/lib/postgresql/data]}
  element: {RUN, configs: [{source: element, target: /app/config.json, mode: 0444}]}
  coturn: {RUN, network_mode: host}
configs: {element: {file: ./element.json}}
volumes: {data: , db: }
`,
    { 'element.json': '{}\n' },
  ),
  stackOf(
    'jitsi',
    'prosody',
    `services:
  web: {RUN, restart: "\${RESTART_POLICY:-unless-stopped}", volumes: ["./web:/config:Z"], labels: {service: jitsi-web}, networks: {meet.jitsi: }, depends_on: [jvb], environment: [TZ, ENABLE_XMPP=1]}
  prosody: {RUN, expose: ["5222", "5347"], networks: {meet.jitsi: {aliases: [xmpp.meet.jitsi, auth.meet.jitsi]}}}
  jicofo: {RUN, depends_on: [prosody], networks: {meet.jitsi: }}
  jvb: {RUN, depends_on: [prosody], networks: {meet.jitsi: {aliases: [jvb.meet.jitsi]}}}
networks: {meet.jitsi: }
`,
    { 'web/.keep': '', '.env': 'TZ=UTC\n' },
  ),
]

const watching = [
  stackOf(
    'dockprom',
    'prometheus',
    `services:
  prometheus: {RUN, volumes: ["./prometheus:/etc/prometheus", "prometheus_data:/prometheus"], restart: unless-stopped, expose: [9090], networks: [monitor-net], labels: {org.label-schema.group: monitoring}}
  alertmanager: {RUN, volumes: ["./alertmanager:/etc/alertmanager"], restart: unless-stopped, networks: [monitor-net]}
  nodeexporter: {RUN, volumes: ["/proc:/host/proc:ro", "/sys:/host/sys:ro"], networks: [monitor-net]}
  cadvisor: {RUN, privileged: true, devices: ["/dev/null:/dev/kmsg2"], networks: [monitor-net]}
  grafana: {RUN, environment: [GF_SECURITY_ADMIN_USER=admin, GF_USERS_ALLOW_SIGN_UP=false], networks: [monitor-net]}
  pushgateway: {RUN, networks: [monitor-net]}
  caddy: {RUN, networks: [monitor-net], environment: ["ADMIN_PASSWORD_HASH=$$2a$$14$$1l.I"]}
networks: {monitor-net: {driver: bridge}}
volumes: {prometheus_data: {}}
`,
    { 'prometheus/prometheus.yml': '', 'alertmanager/config.yml': '' },
  ),
  stackOf(
    'otel-demo',
    'kafka',
    `x-default-logging: &logging {driver: json-file, options: {max-size: 5m, max-file: "2", tag: "{{.Name}}"}}
networks: {default: {driver: bridge}}
services:
  ad: {RUN, deploy: {resources: {limits: {memory: 64M}}}, restart: unless-stopped, environment: [AD_PORT, OTEL_SERVICE_NAME=ad], depends_on: {otel-collector: {condition: service_started}, flagd: {condition: service_started}}, logging: *logging}
  cart: {RUN, deploy: {resources: {limits: {memory: 64M}}}, depends_on: {valkey-cart: {condition: service_started}, otel-collector: {condition: service_started}, flagd: {condition: service_started}}, logging: *logging}
  checkout: {RUN, depends_on: {cart: {condition: service_started}, currency: {condition: service_started}, kafka: {condition: service_healthy}, flagd: {condition: service_started}}, logging: *logging}
  currency: {RUN, depends_on: {otel-collector: {condition: service_started}}, logging: *logging}
  accounting: {RUN, depends_on: {kafka: {condition: service_healthy}, postgresql: {condition: service_started}}, logging: *logging}
  fraud: {RUN, depends_on: {kafka: {condition: service_healthy}}, logging: *logging}
  frontend: {RUN, depends_on: {ad: {condition: service_started}, cart: {condition: service_started}, checkout: {condition: service_started}}, logging: *logging}
  frontend-proxy: {RUN, depends_on: {frontend: {condition: service_started}, load-generator: {condition: service_started}, grafana: {condition: service_started}}, dns_search: "", logging: *logging}
  load-generator: {RUN, depends_on: {frontend: {condition: service_started}}, logging: *logging}
  flagd: {RUN, deploy: {resources: {limits: {memory: 75M}}}, volumes: ["./flagd:/etc/flagd"], logging: *logging}
  kafka: {CHECKED, logging: *logging}
  postgresql: {RUN, logging: *logging}
  valkey-cart: {RUN, logging: *logging}
  grafana: {RUN, logging: *logging}
  otel-collector: {RUN, user: "0:0", environment: [GOMEMLIMIT=160MiB], logging: *logging}
`,
    { '.env': 'AD_PORT=9555\n', 'flagd/.keep': '' },
  ),
  stackOf(
    'elastic',
    'setup',
    `services:
  setup: {JOB, volumes: ["certs:/usr/share/elasticsearch/config/certs"], user: "0"}
  es01: {CHECKED, depends_on: {setup: {condition: service_completed_successfully}}, volumes: ["certs:/certs", "esdata01:/data"], mem_limit: 64m, ulimits: {core: 0}, environment: [node.name=es01, "discovery.seed_hosts=es02"]}
  es02: {CHECKED, depends_on: [es01], volumes: ["certs:/certs", "esdata02:/data"], mem_limit: 64m, environment: [node.name=es02]}
  kibana: {CHECKED, depends_on: {es01: {condition: service_healthy}, es02: {condition: service_healthy}}, volumes: ["certs:/certs"], environment: [SERVERNAME=kibana]}
volumes: {certs: {driver: local}, esdata01: {driver: local}, esdata02: {driver: local}}
`,
  ),
  stackOf(
    'graylog',
    'opensearch',
    `services:
  mongodb: {RUN, networks: [graylog]}
  opensearch: {RUN, environment: ["OPENSEARCH_JAVA_OPTS=-Xms1g -Xmx1g"], ulimits: {nofile: 1024}, networks: [graylog]}
  graylog: {RUN, hostname: server, entrypoint: "/bin/sh -c 'sleep 2147483 & wait'", depends_on: {opensearch: {condition: service_started}, mongodb: {condition: service_started}}, environment: {GRAYLOG_NODE_ID_FILE: /x}, networks: [graylog], stop_grace_period: 1s}
networks: {graylog: {driver: bridge}}
`,
  ),
  stackOf(
    'uptime',
    'app',
    `services:
  app: {RUN, volumes: ["./data:/app/data", "/var/run/docker.sock:/var/run/docker.sock:ro"], restart: unless-stopped, security_opt: ["no-new-privileges:true"], read_only: true, tmpfs: [/tmp, "/run:size=1m"]}
  agent: {RUN, pid: host, network_mode: host, cap_drop: [ALL]}
`,
    { 'data/.keep': '' },
  ),
]

export const lookAlikes: readonly PeopleStack[] = [
  backend,
  business,
  tracing,
  ...flows,
  planning,
  ...mail,
  ...chat,
  ...watching,
]
