"""What could not be worked on (`<service>.dlq.v1`): the original bytes and headers, and why.

The value is the original value, untouched, and the original headers stay; these are added.
"""

ORIGINAL_TOPIC = "kafka_dlt-original-topic"
ORIGINAL_PARTITION = "kafka_dlt-original-partition"
ORIGINAL_OFFSET = "kafka_dlt-original-offset"
ORIGINAL_TIMESTAMP = "kafka_dlt-original-timestamp"
ORIGINAL_CONSUMER_GROUP = "kafka_dlt-original-consumer-group"
EXCEPTION_CLASS = "kafka_dlt-exception-fqcn"
EXCEPTION_MESSAGE = "kafka_dlt-exception-message"
EXCEPTION_STACKTRACE = "kafka_dlt-exception-stacktrace"

MEANINGS = {
    ORIGINAL_TOPIC: "the topic that it was read from",
    ORIGINAL_PARTITION: "its partition there, in 4 bytes",
    ORIGINAL_OFFSET: "its offset there, in 8 bytes",
    ORIGINAL_TIMESTAMP: "its time there in milliseconds, in 8 bytes",
    ORIGINAL_CONSUMER_GROUP: "the consumer that could not work on it",
    EXCEPTION_CLASS: "the kind of error",
    EXCEPTION_MESSAGE: "the reason, as a sentence",
    EXCEPTION_STACKTRACE: "where in the code it was met",
}
