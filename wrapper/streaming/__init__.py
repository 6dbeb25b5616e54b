"""What streaming decides: flows, the outgoing queue, deliveries, asking. No I/O, no clock."""
