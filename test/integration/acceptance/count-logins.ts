import type { KafkaDriver } from '../../../src/kafka/port.ts';

/** The driver, with a count of its clients and of their logins. */
export function countLogins(driver: KafkaDriver): {
  readonly driver: KafkaDriver;
  readonly clients: number;
  readonly logins: number;
} {
  let [clients, logins] = [0, 0];
  return {
    driver: {
      name: driver.name,
      connect(sasl) {
        clients += 1;
        const client = driver.connect(sasl);
        const login = client.login.bind(client);
        client.login = () => {
          logins += 1;
          return login();
        };
        return client;
      },
    },
    get clients() {
      return clients;
    },
    get logins() {
      return logins;
    },
  };
}
