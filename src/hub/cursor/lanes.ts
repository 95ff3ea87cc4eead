/**
 * Offsets by lane; what is not in it is 0. A lane is what is read in the order of its offsets: in a
 * stream of events a partition of the topic, in one of dead letters a partition of one of two topics
 * (`deadLetterLane`). Never changed once it is part of a position.
 */
export type Offsets = readonly number[];

/** The leader epoch that each lane was read under, by which a log that was cut off is told; `null`: not known. */
export type LeaderEpochs = readonly (number | null)[];
