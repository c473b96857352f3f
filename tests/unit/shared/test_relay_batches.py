"""Keys are spread over partitions as Kafka's own clients do it."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from shared.relay_batches import _hash


@given(st.binary(max_size=300))
def test_a_key_goes_where_other_clients_send_it(key: bytes) -> None:
    assert _hash(key) == int(murmur2(key)) & 0x7FFFFFFF
