#!/usr/bin/env bash
# Prints each purchase once, as one line of JSON, over cuts of the connection. Ends if the server refuses it.
url=${MILLRACE_URL:-http://127.0.0.1:4000}
login=${MILLRACE_PROJECT:-acme}:${MILLRACE_KEY:-acme-read-k3Jt9wQz}
cursor=

while true; do
  status= type= id= data=
  # An event is a few lines and an empty one: what is cut off before that comes again.
  while IFS= read -r line; do
    case $line in
      'HTTP/'*) status=${line#* } ;;
      'event: '*) type=${line#event: } ;;
      'id: '*) id=${line#id: } ;;
      'data: '*) data=${line#data: } ;;
      '')
        [ "$type" = event ] && printf '%s\n' "$data"
        cursor=${id:-$cursor} type= id= data=
        ;;
    esac
  done < <(curl --silent --show-error --include --no-buffer --user "$login" \
    ${cursor:+--header "Last-Event-ID: $cursor"} "$url/feeds/purchases")
  # Of a refusal the last line is the server's words. Of 4xx only what is over a limit (429) passes.
  case $status in '' | 2*) ;; *) printf '%s\n' "$line" >&2 ;; esac
  case $status in 429*) ;; 4*) exit 1 ;; esac
  sleep 1
done
