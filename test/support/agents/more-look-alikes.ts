// As test/support/agents/look-alikes.ts: platforms that people host themselves.
import type { PeopleStack } from '../docker/people-stacks.ts'
import { stackOf } from '../stand-ins.ts'

const platforms = [
  stackOf(
    'sentry',
    'web',
    `x-restart-policy: &restart_policy {restart: unless-stopped}
x-pull-policy: &pull_policy {pull_policy: never}
x-depends_on-healthy: &depends_on-healthy {condition: service_healthy}
x-depends_on-default: &depends_on-default {condition: service_started}
x-healthcheck: &healthcheck {CHECK}
x-sentry: &sentry
  <<: [*restart_policy, *pull_policy]
  IMAGE
  command: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"]
  depends_on: {redis: {<<: *depends_on-healthy}, kafka: {<<: *depends_on-healthy}, postgres: {<<: *depends_on-healthy}, snuba-api: {<<: *depends_on-default}, smtp: {<<: *depends_on-default}}
  entrypoint: []
  environment: {PYTHONUSERBASE: /data/custom-packages, SNUBA: "http://snuba-api:1218"}
  volumes: ["sentry-data:/data", "./sentry:/etc/sentry"]
x-snuba: &snuba
  <<: *restart_policy
  IMAGE
  command: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"]
  depends_on: {redis: {<<: *depends_on-healthy}, kafka: {<<: *depends_on-healthy}}
services:
  smtp: {<<: *restart_policy, RUN, hostname: "\${SENTRY_MAIL_HOST:-mail.test}", volumes: ["smtp:/var/spool/exim4"]}
  redis: {<<: *restart_policy, CHECKED, ulimits: {nofile: {soft: 512, hard: 1024}}, volumes: ["redis:/data"]}
  postgres: {<<: *restart_policy, CHECKED, volumes: ["postgres:/var/lib/postgresql/data"]}
  kafka: {<<: *restart_policy, CHECKED, volumes: [{type: volume, source: kafka, target: /var/lib/kafka/data}]}
  snuba-api: {<<: *snuba}
  snuba-consumer: {<<: *snuba, labels: {part: consumer}}
  web: {<<: *sentry}
  cron: {<<: *sentry, labels: {part: cron}}
  worker: {<<: *sentry, labels: {part: worker}}
  nginx: {<<: *restart_policy, RUN, volumes: ["nginx-cache:/var/cache/nginx"], depends_on: [web]}
volumes: {sentry-data: , postgres: , redis: , kafka: , smtp: , nginx-cache: }
`,
  ),
  stackOf(
    'supabase',
    'db',
    `services:
  studio: {CHECKED, depends_on: {analytics: {condition: service_healthy}}, environment: {STUDIO_PG_META_URL: "http://meta:8080"}}
  kong: {RUN, depends_on: {analytics: {condition: service_healthy}}, volumes: ["./api/kong.yml:/home/kong/temp.yml:ro,z"], entrypoint: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"]}
  auth: {CHECKED, depends_on: {db: {condition: service_healthy}, analytics: {condition: service_healthy}}}
  rest: {RUN, depends_on: {db: {condition: service_healthy}, analytics: {condition: service_healthy}}}
  realtime: {CHECKED, depends_on: {db: {condition: service_healthy}, analytics: {condition: service_healthy}}, networks: {default: {aliases: [realtime-dev.supabase-realtime]}}}
  storage: {CHECKED, depends_on: {db: {condition: service_healthy}, rest: {condition: service_started}, imgproxy: {condition: service_started}}, volumes: ["./storage:/var/lib/storage:z"]}
  imgproxy: {CHECKED, volumes: ["./storage:/var/lib/storage:z"]}
  meta: {RUN, depends_on: {db: {condition: service_healthy}}}
  analytics: {CHECKED, depends_on: {db: {condition: service_healthy}}}
  db: {CHECKED, depends_on: {vector: {condition: service_healthy}}, volumes: ["./db/init.sql:/docker-entrypoint-initdb.d/init.sql:Z", "db-config:/etc/postgresql-custom"]}
  vector: {CHECKED, volumes: ["./api/kong.yml:/etc/vector/vector.yml:ro,z"], security_opt: ["label=disable"]}
volumes: {db-config: }
`,
    { 'api/kong.yml': '', 'db/init.sql': '', 'storage/.keep': '' },
  ),
  stackOf(
    'airflow',
    'airflow-init',
    `x-airflow-common: &airflow-common
  {RUN, environment: &airflow-common-env {AIRFLOW__CORE__EXECUTOR: CeleryExecutor, AIRFLOW__CORE__FERNET_KEY: "", _PIP_ADDITIONAL_REQUIREMENTS: "\${_PIP_ADDITIONAL_REQUIREMENTS:-}"}, volumes: ["\${AIRFLOW_PROJ_DIR:-.}/dags:/opt/airflow/dags"], user: "\${AIRFLOW_UID:-50000}:0", depends_on: &airflow-common-depends-on {redis: {condition: service_healthy}, postgres: {condition: service_healthy}}}
services:
  postgres: {CHECKED, volumes: [postgres-db-volume:/var/lib/postgresql/data], restart: always}
  redis: {CHECKED, expose: [6379], restart: always}
  airflow-webserver: {<<: *airflow-common, CHECK, restart: always, depends_on: {<<: *airflow-common-depends-on, airflow-init: {condition: service_completed_successfully}}}
  airflow-scheduler: {<<: *airflow-common, CHECK, restart: always, depends_on: {<<: *airflow-common-depends-on, airflow-init: {condition: service_completed_successfully}}}
  airflow-worker: {<<: *airflow-common, restart: always, environment: {<<: *airflow-common-env, DUMB_INIT_SETSID: "0"}, depends_on: {<<: *airflow-common-depends-on, airflow-init: {condition: service_completed_successfully}}}
  airflow-init: {<<: *airflow-common, JOB, user: "0:0"}
  flower: {<<: *airflow-common, profiles: [flower]}
volumes: {postgres-db-volume: }
`,
    { 'dags/.keep': '' },
  ),
  stackOf(
    'superset',
    'superset-init',
    `x-superset-image: &superset-image "\${TAGGED:-stagely-test/busybox:1}"
x-superset-depends-on: &depends [db, redis]
x-superset-volumes: &volumes ["./docker:/app/docker", "superset_home:/app/superset_home"]
services:
  redis: {RUN, restart: unless-stopped, volumes: [redis:/data]}
  db: {RUN, env_file: [{path: docker/.env, required: true}, {path: docker/.env-local, required: false}], volumes: ["db_home:/var/lib/postgresql/data"]}
  superset: {image: *superset-image, command: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"], env_file: [docker/.env], depends_on: {superset-init: {condition: service_completed_successfully}}, volumes: *volumes}
  superset-init: {image: *superset-image, command: ["sh", "-c", "true"], env_file: [docker/.env], depends_on: *depends, volumes: *volumes, healthcheck: {disable: true}}
  superset-worker: {image: *superset-image, command: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"], env_file: [docker/.env], depends_on: {superset-init: {condition: service_completed_successfully}}, volumes: *volumes, CHECK}
  superset-worker-beat: {RUN, depends_on: *depends, volumes: *volumes, healthcheck: {disable: true}}
volumes: {superset_home: {external: false}, db_home: {external: false}, redis: {external: false}}
`,
    { 'docker/.env': 'DATABASE_DB=superset\n' },
  ),
  stackOf(
    'temporal',
    'temporal',
    `services:
  elasticsearch: {RUN, networks: [temporal-network], environment: [cluster.routing.allocation.disk.threshold_enabled=true]}
  postgresql: {CHECKED, networks: [temporal-network]}
  temporal: {RUN, depends_on: [postgresql, elasticsearch], networks: [temporal-network], labels: {kompose.volume.type: configMap}, volumes: ["./dynamicconfig:/etc/temporal/config/dynamicconfig"]}
  admin-tools: {RUN, stdin_open: true, tty: true, depends_on: [temporal], networks: [temporal-network]}
  ui: {RUN, depends_on: [temporal], networks: [temporal-network]}
networks: {temporal-network: {driver: bridge, name: "\${COMPOSE_PROJECT_NAME:-x}-temporal"}}
`,
    { 'dynamicconfig/.keep': '' },
  ),
]

const hosted = [
  stackOf(
    'immich',
    'immich-server',
    `name: immich
services:
  immich-server: {RUN, extends: {file: hwaccel.yml, service: cpu}, volumes: ["\${UPLOAD_LOCATION}:/data", "/etc/localtime:/etc/localtime:ro"], env_file: [.env], depends_on: [redis, database], restart: always, healthcheck: {disable: false}}
  immich-machine-learning: {RUN, extends: {file: hwaccel.yml, service: cpu}, volumes: [model-cache:/cache], env_file: [.env], restart: always}
  redis: {CHECKED, restart: always}
  database: {CHECKED, environment: {POSTGRES_DB: "\${DB_DATABASE_NAME}"}, volumes: ["\${UPLOAD_LOCATION}:/backup", "pg:/var/lib/postgresql/data"], shm_size: 128mb, restart: always}
volumes: {model-cache: , pg: }
`,
    {
      '.env': 'UPLOAD_LOCATION=./library\nDB_DATABASE_NAME=immich\n',
      'hwaccel.yml': `services: {cpu: {}, nvenc: {deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}}}\n`,
      'library/.keep': '',
    },
  ),
  stackOf(
    'paperless',
    'broker',
    `services:
  broker: {RUN, restart: unless-stopped, volumes: [redisdata:/data]}
  db: {RUN, restart: unless-stopped, volumes: [pgdata:/var/lib/postgresql/data]}
  webserver: {RUN, restart: unless-stopped, depends_on: [db, broker, gotenberg, tika], volumes: ["data:/data", "./consume:/consume"], env_file: docker-compose.env, environment: {PAPERLESS_REDIS: "redis://broker:6379"}}
  gotenberg: {RUN, restart: unless-stopped}
  tika: {RUN, restart: unless-stopped}
volumes: {data: , pgdata: , redisdata: }
`,
    { 'docker-compose.env': 'PAPERLESS_URL=https://x.test\n', 'consume/.keep': '' },
  ),
  stackOf(
    'authentik',
    'worker',
    `services:
  postgresql: {CHECKED, restart: unless-stopped, volumes: [database:/var/lib/postgresql/data], environment: {POSTGRES_DB: "\${PG_DB:-authentik}"}, env_file: [.env]}
  redis: {CHECKED, restart: unless-stopped, volumes: [redis:/data]}
  server: {RUN, restart: unless-stopped, volumes: ["./media:/media"], env_file: [.env], depends_on: {postgresql: {condition: service_healthy}, redis: {condition: service_healthy}}}
  worker: {RUN, restart: unless-stopped, volumes: ["./media:/media"], env_file: [.env], depends_on: {postgresql: {condition: service_healthy}, redis: {condition: service_healthy}}}
volumes: {database: {driver: local}, redis: {driver: local}}
`,
    { '.env': 'AUTHENTIK_DISABLE=true\n', 'media/.keep': '' },
  ),
  stackOf(
    'netbox',
    'netbox',
    `services:
  netbox: &netbox
    {CHECKED, depends_on: [postgres, redis, redis-cache], env_file: env/netbox.env, user: "1000:0", volumes: ["./configuration:/etc/netbox/config:z,ro", "media:/opt/netbox/netbox/media:rw"]}
  netbox-worker: {<<: *netbox, depends_on: {netbox: {condition: service_healthy}}, command: ["sh", "-c", "sleep 2147483 & wait"], stop_grace_period: 1s}
  netbox-housekeeping: {<<: *netbox, depends_on: {netbox: {condition: service_healthy}}}
  postgres: {RUN, env_file: env/postgres.env, volumes: [pg:/var/lib/postgresql/data]}
  redis: &redis {CHECKED, env_file: env/redis.env, volumes: [redis:/data]}
  redis-cache: {<<: *redis, volumes: [redis-cache:/data]}
volumes: {media: {driver: local}, pg: , redis: , redis-cache: }
`,
    {
      'docker-compose.override.yml': 'services: {netbox: {expose: [8080]}}\n',
      'env/netbox.env': 'CORS=True\n',
      'env/postgres.env': 'POSTGRES_DB=netbox\n',
      'env/redis.env': 'R=1\n',
      'configuration/.keep': '',
    },
  ),
  stackOf(
    'openproject',
    'seeder',
    `networks: {frontend: , backend: }
volumes: {pgdata: , opdata: }
x-op-restart-policy: &restart_policy {restart: unless-stopped}
x-op-image: &image {IMAGE}
x-op-app: &app {<<: [*image, *restart_policy], environment: {RAILS_MIN_THREADS: 4, DATABASE_URL: "\${DATABASE_URL:-postgres://db}"}, volumes: ["opdata:/var/openproject/assets"]}
services:
  db: {<<: *restart_policy, RUN, stop_grace_period: 3s, volumes: [pgdata:/data], networks: [backend]}
  cache: {<<: *restart_policy, RUN, networks: [backend]}
  proxy: {<<: *restart_policy, RUN, depends_on: [web], networks: [frontend]}
  web: {<<: *app, RUN, networks: [frontend, backend], depends_on: [db, cache, seeder], labels: [autoheal=true], CHECK}
  worker: {<<: *app, RUN, networks: [backend], depends_on: [db, cache, seeder]}
  cron: {<<: *app, RUN, networks: [backend], depends_on: [db, cache, seeder]}
  seeder: {<<: *app, JOB, restart: on-failure, networks: [backend]}
`,
  ),
  stackOf(
    'nextcloud',
    'app',
    `services:
  db: {IMAGE, CHECK, command: --transaction-isolation=READ-COMMITTED, entrypoint: ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483 & wait"], restart: always, env_file: [db.env], volumes: ["db:/var/lib/mysql:Z"]}
  redis: {RUN, restart: always}
  app: {RUN, restart: always, volumes: ["nextcloud:/var/www/html:z"], environment: [MYSQL_HOST=db, REDIS_HOST=redis], env_file: [db.env], depends_on: [db, redis]}
  cron: {RUN, restart: always, volumes_from: [app], depends_on: [db, redis]}
  web: {RUN, restart: always, volumes_from: ["app:ro"], depends_on: [app], networks: [proxy-tier, default]}
networks: {proxy-tier: }
volumes: {db: , nextcloud: }
`,
    { 'db.env': 'MYSQL_DATABASE=nextcloud\n' },
  ),
  stackOf(
    'minio-cluster',
    'minio2',
    `x-minio-common: &minio-common {CHECKED, expose: ["9000", "9001"]}
services:
  minio1: {<<: *minio-common, hostname: minio1, volumes: [data1-1:/data1, data1-2:/data2]}
  minio2: {<<: *minio-common, hostname: minio2, volumes: [data2-1:/data1, data2-2:/data2]}
  minio3: {<<: *minio-common, hostname: minio3, volumes: [data3-1:/data1]}
  nginx: {RUN, hostname: nginx, volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"], depends_on: [minio1, minio2, minio3]}
  bucket: {JOB, depends_on: {minio1: {condition: service_healthy}}}
volumes: {data1-1: , data1-2: , data2-1: , data2-2: , data3-1: }
`,
    { 'nginx.conf': '' },
  ),
  stackOf(
    'gitlab',
    'runner',
    `services:
  gitlab: {RUN, hostname: gitlab.example.test, shm_size: 64m, environment: {GITLAB_OMNIBUS_CONFIG: "external_url 'http://x'\\n# more\\n"}, volumes: ["config:/etc/gitlab", "./logs:/var/log/gitlab"], networks: {gitlab: {aliases: [git.example.test]}}}
  runner: {RUN, depends_on: [gitlab], volumes: ["/var/run/docker.sock:/var/run/docker.sock"], networks: [gitlab]}
  dind: {RUN, privileged: true, networks: [gitlab]}
volumes: {config: }
networks: {gitlab: {driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1}}}
`,
    { 'logs/.keep': '' },
  ),
  stackOf(
    'plausible',
    'plausible_events_db',
    `services:
  plausible_db: {CHECKED, restart: always, volumes: [db-data:/var/lib/postgresql/data]}
  plausible_events_db: {CHECKED, restart: always, volumes: ["event-data:/var/lib/clickhouse", "./clickhouse/logs.xml:/etc/clickhouse-server/config.d/logs.xml:ro"], ulimits: {nofile: {soft: 512, hard: 1024}}}
  plausible: {RUN, restart: always, depends_on: {plausible_db: {condition: service_healthy}, plausible_events_db: {condition: service_healthy}}, environment: [TMPDIR=/var/lib/plausible/tmp, BASE_URL, HTTP_PORT]}
volumes: {db-data: {driver: local}, event-data: {driver: local}}
`,
    { '.env': 'BASE_URL=http://x.test\n', 'clickhouse/logs.xml': '' },
  ),
]

export const moreLookAlikes: readonly PeopleStack[] = [...platforms, ...hosted]
