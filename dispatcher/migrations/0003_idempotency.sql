-- Answers to requests that came with an Idempotency-Key, kept for the repeat.
create table idempotency_keys (
    actor text not null
    , key text not null
    , fingerprint blob not null
    , status bigint
    , body text
    , location text
    , created_at bigint not null
    , primary key (actor, key)
);

create index idempotency_keys_by_time on idempotency_keys (created_at);
