//! Reconcilers, one a file: idempotent, without input, woken by a signal or a timer.
