"""Who may spend: keys and what each of them may use. Holds digests of keys, never keys."""
