//! CAP 1.2 and 1.1 (OASIS): model, reader, checks, strict writer.
