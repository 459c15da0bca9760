"""What every room needs: clock, errors, numbering, audit rows, leases, idempotency keys, schema."""
