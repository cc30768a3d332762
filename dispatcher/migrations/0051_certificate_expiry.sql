-- The nearest end of a certificate that a terminal relies on, from its newest vitals.
alter table terminal_states add column certificate_expires_at bigint;
