/** What GraphiQL shows at first: operations to choose from, which work as they are. */
export function graphiqlStart(projectId: string, key: string): { query: string; headers: string } {
  const basic = Buffer.from(`${projectId}:${key}`).toString('base64');
  return {
    query: `# Press the play button and choose one.

# Each event once, in the order of its own time.
subscription Purchases {
  events(topic: "purchases") {
    id
    timestamp
    recordedAt
    late
    payload
  }
}

# Only some of them.
subscription Large {
  events(topic: "purchases", where: { property: "amount", operator: GTE, value: 100 }) {
    timestamp
    amount: value(property: "amount")
    user: value(property: "user.email")
  }
}

# What could not be recorded as an event, and what is no JSON.
subscription DeadLetters {
  deadLetters(topic: "page_views") {
    source
    error
    event
  }
}

query Topics {
  project { id key { name kind } }
  topics { name kafkaTopic feed { state subscribers received delivered duplicates late } }
}
`,
    headers: JSON.stringify({ Authorization: `Basic ${basic}` }, null, 2),
  };
}
