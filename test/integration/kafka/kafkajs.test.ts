import { createKafkajsDriver } from '../../../src/kafka/kafkajs/driver.ts';
import { describeKafkaPort } from '../../conformance/kafka-port.ts';
import { clusterPort } from '../../conformance/kafka-port/cluster-setup.ts';

describeKafkaPort('kafkajs', clusterPort(createKafkajsDriver));
