#!/usr/bin/env bash
# Prints each purchase once, as one line of JSON, over cuts of the connection. Ends if the server refuses it. Type
# into nothing: it ends with its standard input.
url=${MILLRACE_URL:-http://127.0.0.1:4000}
login=${MILLRACE_PROJECT:-acme}:${MILLRACE_KEY:-acme-read-k3Jt9wQz}
cursor=

if ! command -v wscat >/dev/null; then
  echo 'There is no wscat here: npm install --global wscat' >&2
  exit 127
fi

while true; do
  while IFS= read -r message; do
    # The last of that name: the payload may have others.
    found=$(sed -n 's/.*"cursor":"\([^"]*\)".*/\1/p' <<<"$message")
    cursor=${found:-$cursor}
    case $message in
      '{"type":"event",'*) printf '%s\n' "$message" ;;
      '{"type":"error",'*)
        printf '%s\n' "$message" >&2
        # Only these pass.
        case $message in
          *'"code":"LIMIT_EXCEEDED"'* | *'"code":"KAFKA_UNAVAILABLE"'* | *'"code":"INTERNAL"'*) ;;
          *) exit 1 ;;
        esac
        ;;
    esac
  done < <(wscat --auth "$login" --subprotocol millrace.v1 \
    --connect "${url/http/ws}/feeds/purchases${cursor:+?after=$cursor}")
  sleep 1
done
