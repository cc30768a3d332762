"""A terminal written from protocols/docs/wire.md alone, as a firmware vendor would."""
