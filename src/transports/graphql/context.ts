import type { Principal } from '../../auth/principal.ts';
import type { Hub } from '../../hub/hub.ts';
import type { TopicLoaders } from './topic-loaders.ts';

/** What the resolvers of one operation work with. */
export interface GraphqlContext {
  readonly principal: Principal;
  readonly hub: Hub;
  readonly topics: TopicLoaders;
  /** Most events or dead letters that one query may ask for. */
  readonly maxRecent: number;
}
