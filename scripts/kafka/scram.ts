import { pbkdf2Sync, randomBytes } from 'node:crypto';
import {
  alterUserScramCredentialsV0,
  Connection,
  describeUserScramCredentialsV0,
  ProtocolError,
  ResponseError,
} from '@platformatic/kafka';

/** SCRAM-SHA-256 and SCRAM-SHA-512, with the numbers of KIP-554. */
const mechanisms = [
  { id: 1, digest: 'sha256', keyBytes: 32 },
  { id: 2, digest: 'sha512', keyBytes: 64 },
] as const;

/** The fewest that the broker takes; these passwords guard nothing. */
const iterations = 4096;

/** Sets (also anew) what the user logs in with, by SCRAM-SHA-256 and SCRAM-SHA-512. */
export async function setScramUser(broker: string, name: string, password: string): Promise<void> {
  await withConnection(broker, async (connection) => {
    // One request each: the broker takes a user once in a request, whatever the mechanism.
    for (const { id, digest, keyBytes } of mechanisms) {
      const salt = randomBytes(16);
      const saltedPassword = pbkdf2Sync(password, salt, iterations, keyBytes, digest);
      const upsertion = { name, mechanism: id, iterations, salt, saltedPassword };
      await alterUserScramCredentialsV0.api.async(connection, [], [upsertion]);
    }
  });
}

/** @throws if the user has none. */
export async function removeScramUser(broker: string, name: string): Promise<void> {
  await withConnection(broker, async (connection) => {
    for (const { id } of mechanisms) {
      await alterUserScramCredentialsV0.api.async(connection, [{ name, mechanism: id }], []);
    }
  });
}

/** Whether this broker, by its own copy of the metadata, would know the user. */
export async function hasScramUser(broker: string, name: string): Promise<boolean> {
  return withConnection(broker, async (connection) => {
    try {
      const answer = await describeUserScramCredentialsV0.api.async(connection, [{ name }]);
      return answer.results.some((result) => result.credentialInfos.length === mechanisms.length);
    } catch (error) {
      if (saysNotFound(error)) return false;
      throw error;
    }
  });
}

function saysNotFound(error: unknown): boolean {
  return (
    error instanceof ResponseError &&
    error.errors.some(
      (one) => one instanceof ProtocolError && one['apiId'] === 'RESOURCE_NOT_FOUND',
    )
  );
}

async function withConnection<T>(
  broker: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { hostname, port } = new URL(`kafka://${broker}`);
  const connection = new Connection('millrace-test-administrator');
  await connection.connect(hostname, Number(port));
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
