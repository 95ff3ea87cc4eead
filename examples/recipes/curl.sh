#!/usr/bin/env bash
# Prints each purchase once, as one line of JSON, over cuts of the connection.
url=${MILLRACE_URL:-http://127.0.0.1:4000}
login=${MILLRACE_PROJECT:-acme}:${MILLRACE_KEY:-acme-read-k3Jt9wQz}
cursor=

while true; do
  # An event is a few lines and an empty one: what is cut off before that comes again.
  while IFS= read -r line; do
    case $line in
      'event: '*) type=${line#event: } ;;
      'id: '*) id=${line#id: } ;;
      'data: '*) data=${line#data: } ;;
      '')
        [ "$type" = event ] && printf '%s\n' "$data"
        cursor=${id:-$cursor} type= id= data=
        ;;
    esac
  done < <(curl --silent --no-buffer --user "$login" ${cursor:+--header "Last-Event-ID: $cursor"} \
    "$url/feeds/purchases")
  sleep 1
done
