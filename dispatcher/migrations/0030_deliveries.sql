-- What each terminal was sent, what it said, and how it was last heard.
create table deliveries (
    alert text not null
    , order_id text not null
    , terminal text not null
    , state text not null default 'pending'
    , reason text
    , repeats_finished bigint not null default 0
    , accepted_at bigint
    , verified_at bigint
    , started_at bigint
    , first_sound_at bigint
    , finished_at bigint
    , updated_at bigint not null
    -- The receipt that decides the state: its time and number, and its evidence as JSON.
    , step_at bigint
    , step_number bigint
    , evidence text
    -- Bit n - 1 for each sounding n that finished.
    , finished_mask bigint not null default 0
    , primary key (order_id, terminal)
);

create index deliveries_by_alert on deliveries (alert, terminal);

create table receipts (
    terminal text not null
    , journal_id text not null
    , number bigint not null
    , order_digest blob not null
    , state text not null
    , reason text
    , repeat bigint not null
    , at bigint not null
    , received_at bigint not null
    -- The receipt as it was signed (CBOR).
    , body blob not null
    , primary key (terminal, journal_id, number)
);

create index receipts_by_age on receipts (received_at);

create table terminal_states (
    terminal text primary key
    , last_seen_at bigint
    , connected_hint bigint not null default 0
    -- Vitals as they were signed (CBOR).
    , vitals blob
    , vitals_number bigint not null default 0
    -- u64 as decimal text.
    , journal_id text
    , receipts_up_to bigint not null default 0
);
