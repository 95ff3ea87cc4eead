import type { ProjectResolvers } from '../../../generated/schema.ts';

export const projectResolvers: ProjectResolvers = {
  id: ({ projectId }) => projectId,
  key: ({ key }) => key,
};
