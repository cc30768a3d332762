-- What a hello is answered from: the few that are live among all that ever were.
create index orders_live on orders (expires_at) where ended_at is null;

create index commands_live on commands (expires_at) where ended_at is null;

-- The receipts about one order, in the order in which they came.
create index receipts_by_order on receipts (order_digest, received_at, terminal, number);

-- Counted anew with every batch of receipts.
create index deliveries_by_state on deliveries (alert, state);

create index sessions_by_time on sessions (created_at);

create index auto_issue_rules_by_token on auto_issue_rules (token, id);
