/**
 * Feature levels. A swarm runs several versions of Skein while its machines are updated one by one, so whatever changes
 * the meaning of the log waits until every member understands it: as etcd's cluster version, CockroachDB's cluster
 * version gates and Kafka's feature levels do.
 *
 * | level | brought                                                                                |
 * | ----- | -------------------------------------------------------------------------------------- |
 * | 1     | everything up to Skein 0.1, and the levels themselves                                  |
 * | 2     | the priority of a job (`JobSpec.priority`)                                             |
 *
 * A new row comes with whatever an older program could not read or would apply otherwise: a command, a field of an
 * entry, another effect of an old command, another layout of the snapshot. `requiredLevel` names what it gates.
 */
export const supportedLevel = 2;

/** What a program of before the levels is taken for, and where a swarm of such programs begins. */
export const lowestLevel = 1;

/** Sanity of what others say of themselves. */
export const levelMax = 10_000;
