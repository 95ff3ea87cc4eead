import type { AuthenticationProviderArgs, Authenticator } from 'kafkajs';
import { KafkaError } from '../port.ts';

/**
 * OAUTHBEARER (RFC 7628) for kafkajs. Its own does not look at the broker's answer, so that a token
 * which was refused shows only as a connection that breaks at the next request.
 */
export function oauthBearer(token: () => Promise<string>) {
  return ({ saslAuthenticate }: AuthenticationProviderArgs): Authenticator => ({
    async authenticate(): Promise<void> {
      const bearer = await ask(token);
      await saslAuthenticate({
        request: { encode: async () => sized(`n,,\u0001auth=Bearer ${bearer}\u0001\u0001`) },
        response: {
          // Four bytes of length, then the challenge: empty, or as JSON why the token is no good.
          decode: (answer) => answer.subarray(4),
          parse: (challenge) => {
            if (challenge.length === 0) return;
            throw new KafkaError('AUTHENTICATION_FAILED', `token refused: ${String(challenge)}`);
          },
        },
      });
    },
  });
}

/** Who issues tokens may be away for a while: that is no refusal. */
async function ask(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (error) {
    throw new KafkaError('UNAVAILABLE', 'no OAUTHBEARER token was issued', { cause: error });
  }
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
