"""Operations: set-up, demo estate, backup, transfer to another database, integrity checks, doctor."""
