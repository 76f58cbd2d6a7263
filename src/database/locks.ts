/**
 * Coordination constants: the advisory lock keys by which servers on one database agree. A key means the same in every
 * version that may run beside this one, so a number is never given to another purpose.
 */

/** Shared: held by every server that lives on the embedded PostgreSQL. Who gets it exclusively is alone, and may stop it. */
export const embeddedInUse = 7_402_001;

/** Held until its transaction ends by whoever takes a commit ticket: who holds it commits next. */
export const ticket = 7_402_002;

/** Held until its transaction ends by whoever makes a partition. */
export const partitions = 7_402_003;

/** Held by the server whose retention runs; the others leave it to that one. */
export const retention = 7_402_005;

/** Held by the server that migrates; the others wait for it and find nothing left to do. */
export const migration = 7_402_004;
