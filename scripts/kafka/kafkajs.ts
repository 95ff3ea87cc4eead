import kafkajs from 'kafkajs';
import { stopIdleTimers } from '../../src/kafka/kafkajs/timer-patch.ts';

// Before the first connection: one that was made earlier would have Node print a warning.
stopIdleTimers();

/** kafkajs for scripts and tests: as the driver has it, without the timers that run in circles. */
export default kafkajs;
