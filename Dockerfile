# Two images from one build:  docker build --target controller -t stagely .
#                             docker build --target agent -t stagely-agent .
# NODE is the current LTS; pin it by digest where you build for production.
ARG NODE=node:24-trixie-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Whoever runs it must read it, also where it was checked out for one user alone.
RUN npm run build && chmod -R a+rX package.json dist

FROM ${NODE} AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/stagely && chmod 0755 dist/cli/main.js
ENTRYPOINT ["stagely"]

# The agent speaks to the engine of its machine by /var/run/docker.sock, which is root's (or the group
# docker's): see docs/operations.md for the mounts that it needs.
FROM runtime AS agent
RUN apt-get update \
  && apt-get install -y --no-install-recommends docker-compose \
  && rm -rf /var/lib/apt/lists/*
CMD ["agent", "run", "--data-dir", "/var/lib/stagely-agent"]

FROM runtime AS controller
RUN mkdir /var/lib/stagely && chown node:node /var/lib/stagely
USER 1000:1000
EXPOSE 8443
VOLUME /var/lib/stagely
CMD ["controller", "--data-dir", "/var/lib/stagely", "--listen", "0.0.0.0:8443"]
