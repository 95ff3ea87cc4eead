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
    MILLRACE_CONFIG=/etc/millrace/millrace.yaml
WORKDIR /app
COPY --from=build /build/dist/package ./
COPY --from=build /build/node_modules ./node_modules
# It writes nothing, so that the file system can be read-only.
USER 65532:65532
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MILLRACE_LISTEN_PORT||4000}/health/live`).then((answer)=>process.exit(answer.ok?0:1),()=>process.exit(1))"]
# Node itself is the first process, and gets the signals: no shell, no npm in between.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=128", "lib/cli/main.js"]
CMD ["serve"]
