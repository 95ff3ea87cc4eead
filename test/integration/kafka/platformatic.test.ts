import { createPlatformaticDriver } from '../../../src/kafka/platformatic/driver.ts';
import { describeKafkaPort } from '../../conformance/kafka-port.ts';
import { clusterPort } from '../../conformance/kafka-port/cluster-setup.ts';

describeKafkaPort('platformatic', clusterPort(createPlatformaticDriver));
