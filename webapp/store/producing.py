"""Whether a producer's batch is new, by the rules of Durable Streams 1.0. Pure; asked within the transaction that
appends the batch."""

from __future__ import annotations

from ..errors import ProducerGap, StaleProducer
from .base import ProducerBatch


def is_new(producer: ProducerBatch, known: tuple[int, int] | None) -> bool:
    """False where the batch was written before. `known`: epoch and sequence number of the producer's last batch.
    StaleProducer, ProducerGap."""
    epoch, seq = known or (producer.epoch, -1)
    if producer.epoch < epoch:
        raise StaleProducer(f"epoch {producer.epoch} of this producer is over: {epoch} has begun", epoch)
    if producer.epoch > epoch:
        seq = -1
    if producer.seq <= seq:
        return False
    if producer.seq > seq + 1:
        raise ProducerGap(seq + 1, producer.seq)
    return True
