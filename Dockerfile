# syntax=docker/dockerfile:1

# The package, put together as it is published.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/package.ts && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    MILLRACE_LISTEN_HOST=0.0.0.0 \
    MILLRACE_LISTEN_PORT=4000 \
    MILLRACE_CONFIG=/etc/millrace/millrace.yaml
WORKDIR /app
COPY --from=build /build/dist/package ./
COPY --from=build /build/node_modules ./node_modules
# It writes nothing, so that the file system can be read-only.
USER 65532:65532
EXPOSE 4000
# Over TLS where the server speaks that, whatever the names of its certificate.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const { env } = process; env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; const ask = (scheme) => fetch(`${scheme}://127.0.0.1:${env.MILLRACE_LISTEN_PORT}/health/live`).then(({ ok }) => ok, () => false); ask('http').then((ok) => ok || ask('https')).then((ok) => process.exit(ok ? 0 : 1))"]
# Node itself is the first process, and gets the signals: no shell, no npm in between.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=128", "lib/cli/main.js"]
CMD ["serve"]
