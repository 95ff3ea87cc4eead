/**
 * @generated SignedSource<<d98445ad0b6307906d0e6371befe4019>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type purchasesSubscription$variables = {
  after?: string | null | undefined;
};
export type purchasesSubscription$data = {
  readonly events: {
    readonly cursor: string;
    readonly id: string | null | undefined;
    readonly payload: unknown;
  };
};
export type purchasesSubscription = {
  response: purchasesSubscription$data;
  variables: purchasesSubscription$variables;
};

const node: ConcreteRequest = (function () {
  var v0 = [
      {
        defaultValue: null,
        kind: 'LocalArgument',
        name: 'after',
      },
    ],
    v1 = [
      {
        alias: null,
        args: [
          {
            kind: 'Variable',
            name: 'after',
            variableName: 'after',
          },
          {
            kind: 'Literal',
            name: 'topic',
            value: 'purchases',
          },
        ],
        concreteType: 'Event',
        kind: 'LinkedField',
        name: 'events',
        plural: false,
        selections: [
          {
            alias: null,
            args: null,
            kind: 'ScalarField',
            name: 'id',
            storageKey: null,
          },
          {
            alias: null,
            args: null,
            kind: 'ScalarField',
            name: 'payload',
            storageKey: null,
          },
          {
            alias: null,
            args: null,
            kind: 'ScalarField',
            name: 'cursor',
            storageKey: null,
          },
        ],
        storageKey: null,
      },
    ];
  return {
    fragment: {
      argumentDefinitions: v0 /*:: as any*/,
      kind: 'Fragment',
      metadata: null,
      name: 'purchasesSubscription',
      selections: v1 /*:: as any*/,
      type: 'Subscription',
      abstractKey: null,
    },
    kind: 'Request',
    operation: {
      argumentDefinitions: v0 /*:: as any*/,
      kind: 'Operation',
      name: 'purchasesSubscription',
      selections: v1 /*:: as any*/,
    },
    params: {
      cacheID: '2d0c821c77d633899165531e912b9aeb',
      id: null,
      metadata: {},
      name: 'purchasesSubscription',
      operationKind: 'subscription',
      text: 'subscription purchasesSubscription(\n  $after: Cursor\n) {\n  events(topic: "purchases", after: $after) {\n    id\n    payload\n    cursor\n  }\n}\n',
    },
  };
})();

(node as any).hash = '2ed85778dadf96488064e3098304eb90';

export default node;
