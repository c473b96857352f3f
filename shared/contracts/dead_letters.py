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

SAMPLE = {
    ORIGINAL_TOPIC: "ingest.mails.v1",
    ORIGINAL_PARTITION: "\0\0\0\x03",
    ORIGINAL_OFFSET: "\0\0\0\0\0\0\x06\xa8",
    ORIGINAL_TIMESTAMP: "\0\0\x01\x9c\xae\x6b\x66\0",
    ORIGINAL_CONSUMER_GROUP: "activity.mails",
    EXCEPTION_CLASS: "pydantic_core._pydantic_core.ValidationError",
    EXCEPTION_MESSAGE: "record: Invalid JSON: key must be a string at line 1 column 2",
    EXCEPTION_STACKTRACE: '  File "shared/decoding.py", line 99, in decode\n',
}
"""The headers of one; the bytes of numbers stand as characters."""
