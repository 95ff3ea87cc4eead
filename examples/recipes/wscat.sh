#!/usr/bin/env bash
# Prints each purchase once, as one line of JSON, over cuts of the connection. Type into nothing: it ends
# with its standard input.
url=${MILLRACE_URL:-http://127.0.0.1:4000}
login=${MILLRACE_PROJECT:-acme}:${MILLRACE_KEY:-acme-read-k3Jt9wQz}
cursor=

while true; do
  while IFS= read -r message; do
    # The last of that name: the payload may have others.
    found=$(sed -n 's/.*"cursor":"\([^"]*\)".*/\1/p' <<<"$message")
    cursor=${found:-$cursor}
    case $message in '{"type":"event",'*) printf '%s\n' "$message" ;; esac
  done < <(wscat --auth "$login" --subprotocol millrace.v1 \
    --connect "${url/http/ws}/feeds/purchases${cursor:+?after=$cursor}")
  sleep 1
done
